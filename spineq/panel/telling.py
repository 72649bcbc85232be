"""A network as the page tells it: sentences, and rows of tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spineq.model._objective_words import (
    budget_words,
    explained,
    percent,
    rules_words,
    sensors_words,
    value_words,
)
from spineq.model._words import cutoff_words, metres, shown_table, theta_words
from spineq.panel.asked_about import plain
from spineq.progress import Progress

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network

#: Sensors to a page of their table.
PAGE = 20


def group_rows(network: Network) -> list[dict[str, Any]]:
    """Rows of the table of groups."""
    rows = []
    for name, row in shown_table(network).iterrows():
        title = str(row["title"])
        cells: dict[str, Any] = {
            "id": str(name),
            "group": {"text": title, "second": "estimated"} if row["estimated"] else title,
            "people": f"{row['people']:,.0f}",
            "coverage": percent(row["coverage"]),
            "median": metres(row["median distance"]),
        }
        for within in ("250", "500", "1000"):
            cells[within] = percent(row[f"within {within} m"])
        rows.append(cells)
    return rows


def sensor_rows(network: Network, page: int) -> list[dict[str, Any]]:
    """Rows of one page of the table of sensors."""
    table, kept = network.sensors, network.dataset["kept"].to_numpy()
    rows = []
    beginning = page * PAGE
    records = table.iloc[beginning : beginning + PAGE].to_dict("records")
    for order, row in enumerate(records, start=beginning + 1):
        stays = bool(kept[order - 1])
        # Only existing sensors stay anywhere else than at a site.
        site = str(row["site"]) or ("existing" if stays else "at no site")
        rows.append(
            {
                "id": str(order),
                "order": "" if stays else str(order - network.n_kept),
                "site": {"text": site, "second": "stays"} if stays else site,
                "area": str(row["area"]),
                "x": f"{row['x']:.0f}",
                "y": f"{row['y']:.0f}",
                "gain": f"{100 * row['gain']:.2f}",
                "coverage": percent(row["coverage"]),
            }
        )
    return rows


def network_lines(network: Network) -> list[str]:
    """What the network does, and how near it is to the best, a sentence a line."""
    said = value_words(network)
    lines = [
        f"{sensors_words(network)}{budget_words(network)}, theta {theta_words(network)}: {said}."
    ]
    if network.stopped:
        lines.append("The search was stopped early, so a better network may be easy to find.")
    lines += [network.certificate(), explained(network), *rules_words(network)]
    lines.append(cutoff_words(network))
    return [line for line in lines if line]


def first_sensors(city: City, network: Network, k: int, progress: Progress) -> Network:
    """Measure the network of the first k sensors that were placed, beside those that stay.

    Parameters
    ----------
    city, network
        The network, and the city that it was made for.
    k
        How many sensors, those that stay not counted.
    progress
        Watcher.

    Raises
    ------
    ProblemError
        Its sensors are of several kinds.
    """
    from spineq.solve import evaluate

    made = plain(network)
    # Sensors that stay may count as placed, where they cannot be named.
    first = made._replace(placed=made.placed.iloc[: k + network.n_kept - made.n_kept])
    # A preview may have no bound, or a loose one, which would tell little of so few sensors.
    problem = replace(made.problem, bound=None)
    return evaluate(city, first.given, problem, progress=progress)

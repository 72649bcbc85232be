"""What a network says of itself: sentences, and a small picture for notebooks."""

from __future__ import annotations

import html as _html
from typing import TYPE_CHECKING

import numpy as np

from spineq.errors import shown
from spineq.model._objective_words import (
    budget_words,
    equity_words,
    explained,
    own_best_words,
    rules_words,
    sensors_words,
    stay_words,
    value_words,
)
from spineq.model._objective_words import counted as counted
from spineq.model._objective_words import in_a_sentence as in_a_sentence
from spineq.model._objective_words import objective_table as objective_table
from spineq.model._objective_words import objective_words as objective_words
from spineq.model._objective_words import percent as percent
from spineq.model.groups import GROUPS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from spineq.model.network import Network

# Viridis at 0, 1/8, ... 1: even in lightness, and readable for colour-blind people.
_COLOURS = (
    "#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30",
    "#fde725",
)  # fmt: skip

_DECAY_WORDS = {
    "exponential": "someone at a sensor counts as fully covered, someone {theta} away as 37 %",
    "step": "someone up to {theta} from a sensor counts as covered, everyone else as not",
    "linear": "someone at a sensor counts as fully covered, falling evenly to nothing at {theta}",
    "gaussian": "someone at a sensor counts as fully covered, someone {theta} away as 61 %",
}


def theta_words(network: Network) -> str:
    """Theta with its unit; of each kind of sensors where there are any."""
    unit = network.dataset.attrs["distance_unit"]
    kinds = network.problem.kinds
    if kinds:
        return ", ".join(f"{kind.theta:,g} {unit} ({name})" for name, kind in kinds)
    return f"{network.problem.theta:,g} {unit}"


def decay_words(network: Network) -> str:
    """Say how coverage falls with distance, of each kind of sensors where there are any."""
    problem, said = network.problem, _DECAY_WORDS[network.problem.decay]
    if not problem.kinds:
        return said.format(theta=theta_words(network))
    unit = network.dataset.attrs["distance_unit"]
    each = [f"{kind.theta:,g} {unit} for {shown(name)}" for name, kind in problem.kinds]
    if network.n_kept:
        each.append(f"{problem.theta:,g} {unit} for those that stay")
    return f"{said.format(theta='theta')}; theta is {', '.join(each)}"


def _straight(network: Network) -> bool:
    """Whether metres are straight lines although coverage counts in something else."""
    return bool(network.dataset.attrs["distance_unit"] != "m")


def shown_table(network: Network) -> pd.DataFrame:
    """`Network.table` without the original's groups that one of the user's own repeats."""
    own = network.problem.groups
    repeated = [
        name
        for name, group in GROUPS.items()
        if any(mine != name and group.same_people(theirs) for mine, theirs in own)
        and name not in dict(own)
    ]
    return network.table().drop(index=repeated, errors="ignore")


def summary(network: Network) -> str:
    """Write `Network.summary`."""
    city = network.dataset.attrs["city_name"] or "the city"
    n = network.n_sensors
    placed = n - network.n_kept
    sensors = "No sensors" if placed == 0 else "One sensor" if placed == 1 else ""
    sensors = f"{sensors}{stay_words(network.n_kept)}" if sensors else sensors_words(network)
    if placed == 0 and n > 0:
        sensors = "The one sensor that stays" if n == 1 else f"The {n:,} sensors that stay"
    lines = [f"{sensors} in {city}{budget_words(network)}: {value_words(network)}."]
    if network.stopped:
        lines.append("The search was stopped early, so a better network may be easy to find.")
    lines.append(network.certificate())
    lines += filter(None, [explained(network), *rules_words(network)])
    how = decay_words(network)
    lines.append(f"Coverage is about being near a sensor, not about a sensor's range: {how}.")
    if n > 0:
        straight = " in a straight line" if _straight(network) else ""
        for row in shown_table(network).to_dict("records"):
            estimated = " (estimated)" if row["estimated"] else ""
            median = row["median distance"]
            reach = f", half are within {median:,.0f} m{straight}" if np.isfinite(median) else ""
            lines.append(
                f"{row['title']}{estimated}: coverage {percent(row['coverage'])}; "
                f"{percent(row['within 500 m'])} are within 500 m of a sensor{reach}."
            )
        lines += filter(None, [own_best_words(network), equity_words(network)])
    if cut_off := cutoff_words(network):
        lines.append(cut_off)
    given = int(network.dataset.attrs["sensors_given"])
    if given > n:
        lines.append(f"{given:,} sensors were given; those in one place count once.")
    if network.table()["estimated"].any():
        lines.append("Estimated groups come from age bands split in proportion to their years.")
    lines.append("People are taken to be at points, and theta is a choice: try others too.")
    return "\n".join(lines)


def cutoff_words(network: Network) -> str:
    """Say what leaving far pairs out did, where it did anything to speak of; else nothing."""
    error = float(network.dataset.attrs["cutoff_error"])
    if error <= 1e-3:
        return ""
    return (
        "The city is so large for this theta that far pairs of site and people were left out "
        f"while solving; that changes this network's coverage by {100 * error:.1f} percentage "
        "points, and a better network may exist."
    )


def html(network: Network) -> str:
    """Write the notebook's view: a small map, the certificate, a table by group."""
    left, right = " style='text-align:left'", " style='text-align:right'"
    rows = "".join(
        f"<tr><th{left}>{_html.escape(row['title'])}{' (estimated)' if row['estimated'] else ''}"
        f"</th><td{right}>{percent(row['coverage'])}</td>"
        f"<td{right}>{percent(row['within 500 m'])}</td>"
        f"<td{right}>{metres(row['median distance'])}</td></tr>"
        for row in shown_table(network).to_dict("records")
    )
    heads = f"<th{left}>Group</th>" + "".join(
        f"<th{right}>{head}</th>" for head in ("Coverage", "Within 500 m", "Median distance")
    )
    city = _html.escape(network.dataset.attrs["city_name"] or "a city")
    said = value_words(network)
    words = [
        _html.escape(f"{said[:1].upper()}{said[1:]}, theta {theta_words(network)}."),
        _html.escape(network.certificate()),
        "The search was stopped early." if network.stopped else "",
        *map(_html.escape, rules_words(network)),
        _html.escape(own_best_words(network)),
        _html.escape(equity_words(network)) if network.n_sensors > 0 else "",
        cutoff_words(network),
    ]
    return (
        "<div style='display:flex;gap:1.5em;align-items:flex-start;flex-wrap:wrap'>"
        f"{svg(network)}<div style='flex:1 1 24em'>"
        f"<strong>{sensors_words(network)} in {city}"
        f"{_html.escape(budget_words(network))}</strong>"
        f"<p style='max-width:36em'>{' '.join(filter(None, words))}</p>"
        "<table style='border-spacing:1em 0.2em;margin-left:-1em;color:inherit'>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p style='max-width:48em'><small>{_html.escape(network.dataset.attrs['attribution'])}"
        "</small></p></div></div>"
    )


def metres(value: float) -> str:
    """Format a distance; an infinite one is out of reach."""
    return f"{value:,.0f} m" if np.isfinite(value) else "out of reach"


def svg(network: Network, width: int = 240) -> str:
    """Draw areas as dots by coverage and sensors as rings; at most some 2,000 dots."""
    data = network.dataset
    x, y = data["x"].to_numpy(), data["y"].to_numpy()
    coverage = data["area_coverage"].to_numpy()
    west, east, south, north = x.min(), x.max(), y.min(), y.max()
    scale = (width - 16) / max(east - west, north - south, 1.0)
    height = int((north - south) * scale) + 16

    def at(px: NDArray[np.float64], py: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.round(np.column_stack([(px - west) * scale + 8, (north - py) * scale + 8]), 1)

    step = max(1, len(x) // 2000)
    radius = float(np.clip(60 / np.sqrt(len(x)), 1.2, 5))
    colour = np.minimum((coverage * len(_COLOURS)).astype(int), len(_COLOURS) - 1)
    dots = "".join(
        f"<circle cx='{cx}' cy='{cy}' r='{radius:.1f}' fill='{_COLOURS[c]}'/>"
        for (cx, cy), c in zip(at(x, y)[::step], colour[::step], strict=True)
    )
    # Those that stay are filled.
    fills = np.where(data["kept"].to_numpy(), "#d1495b", "white")
    places = at(data["sensor_x"].to_numpy(), data["sensor_y"].to_numpy())
    rings = "".join(
        f"<circle cx='{cx}' cy='{cy}' r='3' fill='{fill}' stroke='#d1495b' stroke-width='1.6'/>"
        for (cx, cy), fill in zip(places, fills, strict=True)
    )
    words = f"Map of {sensors_words(network)}; brighter areas are better covered"
    # Coverage from 0 to 100 % in the colours of the dots.
    key = "".join(
        f"<rect x='{66 + 11 * k}' y='{height}' width='11' height='9' fill='{fill}'/>"
        for k, fill in enumerate(_COLOURS)
    )
    label = "font-family='sans-serif' font-size='9' fill='#333333'"
    key += (
        f"<text x='62' y='{height + 8}' text-anchor='end' {label}>Coverage 0</text>"
        f"<text x='{70 + 11 * len(_COLOURS)}' y='{height + 8}' {label}>100 %</text>"
    )
    height += 17
    return (
        f"<svg role='img' aria-label='{words}' width='{width}' height='{height}' "
        f"xmlns='http://www.w3.org/2000/svg'><title>{words}</title>"
        f"<rect width='{width}' height='{height}' rx='6' fill='#f4f4f4'/>{dots}{rings}{key}</svg>"
    )


def is_source(line: str) -> bool:
    """Whether a line of a city's note says where a table was fetched from, as `fetch` does."""
    return ", SHA-256 " in line

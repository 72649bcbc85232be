"""What a network says of itself: sentences, and a small picture for notebooks."""

from __future__ import annotations

import html as _html
import math
from typing import TYPE_CHECKING

import numpy as np

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


def counted(n: int, what: str) -> str:
    """Count things: ``1 sensor``, ``2,000 sensors``."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def theta_words(network: Network) -> str:
    """Theta with its unit."""
    return f"{network.problem.theta:,g} {network.dataset.attrs['distance_unit']}"


def percent(value: float) -> str:
    """Format a share as percent with one decimal."""
    return f"{100 * value:.1f} %"


def _percent_up(value: float, decimals: int) -> str:
    """Format a share as percent, rounded up: what is claimed as a bound must be one."""
    return f"{math.ceil(value * 100 * 10**decimals - 1e-6) / 10**decimals:.{decimals}f} %"


def certificate(network: Network) -> str:
    """Write `Network.certificate`."""
    bound, gap = network.upper_bound, network.gap
    if bound is None or gap is None:
        why = (
            "the search for a bound was stopped early"
            if network.stopped
            else "not every sensor stands at a site"
        )
        return f"How far this is from the best is not known: {why}."
    n = network.problem.n_sensors
    sensors = "one sensor" if n == 1 else counted(n, "sensor")
    if network.proven:
        return f"Proven best: no network of {sensors} covers more."
    # In words of what is lost where that is little, of what is reached where it is much.
    reached = math.floor(1000 * (1 - gap) + 1e-9) / 10
    near = (
        f"is within {_percent_up(gap, 1 if gap >= 0.001 else 4)} of"
        if gap < 0.05
        else f"reaches at least {reached:.1f} % of"
    )
    # As many decimals as it takes to tell the bound from what is reached.
    apart = max(100 * (bound - network.total_coverage), 1e-10)
    decimals = max(1, math.ceil(-math.log10(apart) - 1e-6))
    return (
        f"No network of {sensors} can cover more than {_percent_up(min(bound, 1.0), decimals)}, "
        f"so this one {near} the best possible."
    )


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


def objective_table(network: Network) -> pd.DataFrame:
    """`Network.table` of the groups in the objective."""
    table = network.table()
    return table[table["weight"] > 0]


def in_a_sentence(title: str) -> str:
    """Write a group's title as it stands within a sentence."""
    return title[:1].lower() + title[1:]


def objective_words(network: Network) -> str:
    """Name the groups of the objective."""
    weighted = objective_table(network)
    if len(weighted) == 1:
        return in_a_sentence(str(weighted["title"].iloc[0]))
    return (
        "the weighted groups ("
        + ", ".join(
            f"{row['title']} {percent(row['weight'])}" for row in weighted.to_dict("records")
        )
        + ")"
    )


def summary(network: Network) -> str:
    """Write `Network.summary`."""
    city = network.dataset.attrs["city_name"] or "the city"
    problem, n = network.problem, network.n_sensors
    sensors = "No sensors" if n == 0 else "One sensor" if n == 1 else counted(n, "sensor")
    covered = percent(network.total_coverage)
    lines = [f"{sensors} in {city}: the mean coverage of {objective_words(network)} is {covered}."]
    if network.stopped:
        lines.append("The search was stopped early, so a better network may be easy to find.")
    lines.append(network.certificate())
    how = _DECAY_WORDS[problem.decay].format(theta=theta_words(network))
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
    words = [
        (
            f"Mean coverage of {_html.escape(objective_words(network))} "
            f"{percent(network.total_coverage)}, theta {_html.escape(theta_words(network))}."
        ),
        network.certificate(),
        "The search was stopped early." if network.stopped else "",
        cutoff_words(network),
    ]
    return (
        "<div style='display:flex;gap:1.5em;align-items:flex-start;flex-wrap:wrap'>"
        f"{svg(network)}<div style='flex:1 1 24em'>"
        f"<strong>{counted(network.n_sensors, 'sensor')} in {city}</strong>"
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
    rings = "".join(
        f"<circle cx='{cx}' cy='{cy}' r='3' fill='white' stroke='#d1495b' stroke-width='1.6'/>"
        for cx, cy in at(data["sensor_x"].to_numpy(), data["sensor_y"].to_numpy())
    )
    words = f"Map of {counted(network.n_sensors, 'sensor')}; brighter areas are better covered"
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

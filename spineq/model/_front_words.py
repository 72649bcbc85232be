"""What a front says of itself: sentences, and a small picture for notebooks."""

from __future__ import annotations

import html as _html
import math
from typing import TYPE_CHECKING

import numpy as np

from spineq.model._words import counted, in_a_sentence, percent
from spineq.model.groups import title_of

if TYPE_CHECKING:
    from spineq.model._front_comparison import Comparison
    from spineq.model.front import Front


def titles(front: Front) -> list[str]:
    """The groups' titles, in order."""
    return [str(title) for title in front.dataset["group_title"].to_numpy()]


def theta_words(front: Front) -> str:
    """Theta with its unit."""
    return f"{front.problem.theta:,g} {front.dataset.attrs['distance_unit']}"


def shares(front: Front, number: int) -> str:
    """Coverage of every group by one network, in words."""
    row = front.group_coverage.to_numpy()[number]
    return ", ".join(
        f"{in_a_sentence(title)} {percent(value)}"
        for title, value in zip(titles(front), row, strict=True)
    )


def summary(front: Front) -> str:
    """Write `Front.summary`."""
    data = front.dataset
    lines = [_opening(front)]
    if front.stopped:
        lines.append("The search was stopped early, so better networks may be easy to find.")
    if front.n_networks:
        coverage = front.group_coverage.to_numpy()
        for title, column in zip(titles(front), coverage.T, strict=True):
            lines.append(
                f"{title}: coverage from {percent(column.min())} to {percent(column.max())}."
            )
        knee, worst = front.knee(), front.worst_best()
        lines.append(f"Network {knee} is where the front bends most: {shares(front, knee)}.")
        lines.append(f"Network {worst} is best for the worst-off group: {shares(front, worst)}.")
    lines.append(proof(front))
    if data["group_estimated"].to_numpy().any():
        lines.append("Estimated groups come from age bands split in proportion to their years.")
    lines.append("People are taken to be at points, and theta is a choice: try others too.")
    return "\n".join(filter(None, lines))


def _opening(front: Front) -> str:
    """Say how many networks there are, or why there are none."""
    sensors = counted(front.problem.n_sensors or 0, "sensor")
    where = f"in {front.dataset.attrs['city_name'] or 'the city'} (theta {theta_words(front)})"
    if front.n_networks:
        networks = f"{counted(front.n_networks, 'network')} of {sensors} {where}"
        return f"{networks}, none better for every group than another."
    if not _is_filtered(front):
        return f"No network of {sensors} {where} was found."
    said = f"No network of the front, of {sensors} {where}, reaches what was asked"
    if not (found := int(front.dataset.sizes["found"])):
        return f"{said}, nor does any other that was found. Ask less of it."
    # What the filter left of the archive shows how far one can go within what was asked.
    most = ", ".join(
        f"{in_a_sentence(title)} {percent(column.max())}"
        for title, column in zip(
            titles(front), front.dataset["archive_coverage"].to_numpy().T, strict=True
        )
    )
    do = "does" if found == 1 else "do"
    return f"{said}, but {found:,} of the archive {do}; the most that they cover: {most}."


def _is_filtered(front: Front) -> bool:
    """Whether a front without networks had some: a filter leaves the bases of the archive."""
    return bool(front.dataset.sizes["base"] > 0)


def marked_words(front: Front) -> str:
    """Say which networks of a front that has some one looks at first."""
    knee, worst = front.knee(), front.worst_best()
    if knee == worst:
        return f"Network {knee} is where the front bends most, and best for the worst-off group."
    return (
        f"Network {knee} is where the front bends most; "
        f"network {worst} is best for the worst-off group."
    )


def proof(front: Front, asked: float | None = None) -> str:
    """Say how complete the front is; nothing of one without networks.

    Parameters
    ----------
    front
        A front.
    asked
        Tolerance that was to be proven, 0 to 1; None for what the front itself knows of it.
    """
    if not front.n_networks:
        return ""
    if asked is None:
        asked = front.dataset.attrs.get("tolerance_asked")
    found = counted(int(front.dataset.sizes["found"]), "network")
    tolerance = front.tolerance
    if tolerance is None:
        said = (
            f"{found} were found of which none is better for every group than another; "
            "that there are no others is not proven."
        )
    else:
        said = (
            f"Proven: whatever network there may be, one of the {found} of the archive is at most "
            f"{_points_up(tolerance)} percentage points below it in each group."
        )
    if asked is None or math.isnan(asked) or (tolerance is not None and tolerance <= asked):
        return said
    return f"{said} {100 * asked:.2g} percentage points were asked; more effort may prove it."


def _points_up(share: float) -> str:
    """Format a share in percentage points, two digits, rounded up: a bound must be one."""
    if share <= 0:
        return "0"
    decimals = 1 - math.floor(math.log10(100 * share))
    return f"{math.ceil(100 * share * 10.0**decimals - 1e-6) / 10.0**decimals:g}"


def comparison_words(comparison: Comparison) -> str:
    """Write `Comparison.summary`."""
    if comparison.nearest is None:
        return "The front is empty."
    changes = ", ".join(
        f"{name} {100 * float(change):+.1f}".replace("-", "\N{MINUS SIGN}")
        for name, change in zip(
            comparison.change["group"].to_numpy(), comparison.change.to_numpy(), strict=True
        )
    )
    n = len(comparison.dominating)
    if n:
        verb = "is" if n == 1 else "are"
        which = f"{counted(n, 'network')} of the front {verb}"
        first = f"{which} no worse for any group and better for one."
    else:
        first = "No network of the front is better or equal for every group."
    to = f"Moving to network {comparison.nearest}, the nearest,"
    return f"{first} {to} changes: {changes} percentage points."


def html(front: Front) -> str:
    """Write the notebook's view: a picture of the networks, and a table by group."""
    left, right = " style='text-align:left'", " style='text-align:right'"
    heads, rows = ["Lowest", "Highest"], ""
    if front.n_networks:
        heads += [
            f"Network {front.knee()} (knee)",
            f"Network {front.worst_best()} (best for the worst-off)",
        ]
        coverage = front.group_coverage.to_numpy()
        marked = coverage[[front.knee(), front.worst_best()]]
        for k, title in enumerate(titles(front)):
            cells = (coverage[:, k].min(), coverage[:, k].max(), marked[0, k], marked[1, k])
            rows += f"<tr><th{left}>{_html.escape(title)}</th>" + "".join(
                f"<td{right}>{percent(float(cell))}</td>" for cell in cells
            )
            rows += "</tr>"
    head = f"<th{left}>Group</th>" + "".join(f"<th{right}>{word}</th>" for word in heads)
    data = front.dataset
    city = _html.escape(data.attrs["city_name"] or "a city")
    words = proof(front) or _html.escape(_opening(front))
    if front.stopped:
        words += " The search was stopped early."
    sensors = counted(front.problem.n_sensors or 0, "sensor")
    return (
        "<div style='display:flex;gap:1.5em;align-items:flex-start;flex-wrap:wrap'>"
        f"{svg(front)}<div style='flex:1 1 24em'>"
        f"<strong>{counted(front.n_networks, 'network')} of {sensors} in {city}</strong>"
        f"<p style='max-width:36em'>Theta {_html.escape(theta_words(front))}. {words}</p>"
        "<table style='border-spacing:1em 0.2em;margin-left:-1em;color:inherit'>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p style='max-width:48em'><small>{_html.escape(data.attrs['attribution'])}"
        "</small></p></div></div>"
    )


def svg(front: Front, width: int = 280, height: int = 170) -> str:
    """Draw networks as lines over the groups, each group from its lowest to its highest."""
    names = [title_of(name, group) for name, group in front.problem.groups]
    words = f"{counted(front.n_networks, 'network')} over {', '.join(names)}"
    top, bottom, room = 14.0, height - 30.0, 36.0
    at = np.linspace(room, width - room, len(names))
    lines = ""
    if front.n_networks:
        coverage = front.group_coverage.to_numpy()
        low, span = coverage.min(axis=0), np.maximum(np.ptp(coverage, axis=0), 1e-12)
        y = bottom - (coverage - low) / span * (bottom - top)
        knee, shown = front.knee(), range(0, front.n_networks, max(1, front.n_networks // 200))
        for k in [*shown, knee]:
            path = " ".join(f"{a:.0f},{b:.1f}" for a, b in zip(at, y[k], strict=True))
            look = ("#d55e00", 2.2, 1.0) if k == knee else ("#0072b2", 0.6, 0.25)
            lines += (
                f"<polyline points='{path}' fill='none' stroke='{look[0]}' "
                f"stroke-width='{look[1]}' opacity='{look[2]}'/>"
            )
    axes = ""
    label = "font-family='sans-serif' font-size='8' fill='#333333' text-anchor='middle'"
    for a, name in zip(at, names, strict=True):
        short = name if len(name) <= 16 else name[:15] + "\N{HORIZONTAL ELLIPSIS}"
        axes += (
            f"<line x1='{a:.0f}' y1='{top}' x2='{a:.0f}' y2='{bottom}' stroke='#888888'/>"
            f"<text x='{a:.0f}' y='{bottom + 12:.0f}' {label}>{_html.escape(short)}</text>"
        )
    return (
        f"<svg role='img' aria-label='{_html.escape(words)}' width='{width}' height='{height}' "
        f"xmlns='http://www.w3.org/2000/svg'><title>{_html.escape(words)}</title>"
        f"<rect width='{width}' height='{height}' rx='6' fill='#f4f4f4'/>{lines}{axes}"
        f"<text x='{width / 2:.0f}' y='{height - 6}' {label}>lowest to highest coverage of each "
        "group; the knee in orange</text></svg>"
    )

"""What the map says: its markers, their legend, and the box about a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spineq._plot_parts import existing_elsewhere, kept_words
from spineq.model._objective_words import points
from spineq.model._words import counted, metres, percent
from spineq.model.groups import title_of
from spineq.panel.marks import MEANINGS
from spineq.panel.shading import groups_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.panel.geometry import Places
    from spineq.panel.marks import Mark
    from spineq.panel.shading import Shading


#: Up to so many sensors have numbers on them; `map.js` counts to the same number.
NUMBERED = 60


def markers(
    city: City,
    places: Places,
    network: Network | None,
    ghosts: Network | None = None,
    marks: Sequence[Mark] = (),
) -> list[list[Any]]:
    """List what stands on the map: latitude, longitude, label, kind, title.

    The network's sensors come first and in order, so that a marker's position is its sensor's;
    then the other network's that are not in it, the existing ones that are not in it, and what is
    marked besides.
    """
    made: list[list[Any]] = []

    def put(x: Any, y: Any, kinds: list[str], labels: list[str], titles: list[str]) -> None:
        place = np.round(places.to_lonlat(np.column_stack([x, y])), 6)
        made.extend(
            [latitude, longitude, label, kind, title]
            for (longitude, latitude), label, kind, title in zip(
                place.tolist(), labels, kinds, titles, strict=True
            )
        )

    if network is not None and network.n_sensors:
        data, n = network.dataset, network.n_sensors
        kept = data["kept"].to_numpy().tolist()
        put(
            data["sensor_x"].to_numpy(),
            data["sensor_y"].to_numpy(),
            ["kept" if stays else "placed" for stays in kept],
            ["" if stays else str(k - network.n_kept) for k, stays in enumerate(kept, start=1)],
            [sensor_title(network, k) for k in range(n)],
        )
    if ghosts is not None:
        rest = np.array(_apart(ghosts, network)).reshape(-1, 2)
        n = len(rest)
        if n:
            put(
                rest[:, 0], rest[:, 1], ["ghost"] * n, [""] * n, ["Sensor of the other network"] * n
            )
    now = existing_elsewhere(city, network)
    if now is not None and len(now):
        n, goes = len(now), _gives_up(network)
        titles = [
            f"Sensor {name} of today, which {goes}" if goes else f"Existing sensor {name}"
            for name in now.index
        ]
        put(now["x"], now["y"], ["gone" if goes else "existing"] * n, [""] * n, titles)
    if marks:
        put(
            [mark.x for mark in marks],
            [mark.y for mark in marks],
            [mark.kind for mark in marks],
            [""] * len(marks),
            [mark.title for mark in marks],
        )
    return made


def _gives_up(network: Network | None) -> str:
    """What sensors of today do in a network that gives some up; nothing in others."""
    if network is None or not len(network.gone):
        return ""
    return "goes or moves" if network.problem.move_at_most else "goes"


def _apart(ghosts: Network, network: Network | None) -> list[tuple[float, float]]:
    """Places of the other network's sensors at which none of the network's stands."""
    mine = set() if network is None else set(_pairs(network.sensors[["x", "y"]].to_numpy()))
    theirs = _pairs(ghosts.sensors[["x", "y"]].to_numpy())
    return [pair for pair in theirs if pair not in mine]


def _pairs(xy: Any) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in xy]


def symbols(
    city: City, network: Network | None, ghosts: Network | None, marks: Sequence[Mark] = ()
) -> list[list[str]]:
    """List the kinds of markers and what the legend says of them."""
    made = []
    if network is not None:
        placed = network.n_sensors - network.n_kept
        if placed:
            order = "as given" if network.method == "given" else "in order of placement"
            numbered = f", numbered {order}" if placed <= NUMBERED else ""
            made.append(["placed", f"{counted(placed, 'sensor')}{numbered}"])
        if network.n_kept:
            made.append(["kept", kept_words(city, network)])
    if ghosts is not None and _apart(ghosts, network):
        made.append(["ghost", "only in the other network"])
    others = existing_elsewhere(city, network)
    if others is not None and len(others):
        goes = "moved or given up" if network and network.problem.move_at_most else "given up"
        if _gives_up(network):
            made.append(["gone", f"{len(others):,} of today's, {goes}"])
        else:
            made.append(["existing", f"{len(others):,} existing"])
    kinds = {mark.kind for mark in marks}
    made += [[kind, words] for kind, words in MEANINGS.items() if kind in kinds]
    return made


def sensor_title(network: Network, sensor: int) -> str:
    """Name a sensor, by its position in the network: those that were placed are numbered."""
    placed = network.n_sensors - network.n_kept
    if sensor < network.n_kept:
        return "A sensor that stays"
    return f"Sensor {sensor - network.n_kept + 1} of {placed}"


def sensor_lines(network: Network, sensor: int) -> list[Any]:
    """Say what is known of a sensor: a heading, and pairs of name and value."""
    if not 0 <= sensor < network.n_sensors:
        return []
    data = network.dataset
    site = str(data["site"].to_numpy()[sensor])
    return [
        sensor_title(network, sensor),
        ["Site", site or "a place of its own"],
        ["Area", str(data["sensor_area"].to_numpy()[sensor])],
        ["Adds to coverage", percent(float(data["gain"].to_numpy()[sensor]))],
    ]


def area_lines(
    city: City,
    area: int,
    network: Network | None,
    other: Network | None,
    distance: float | None,
    shown: Shading | None,
) -> list[Any]:
    """Say what is known of an area: a heading, and pairs of name and value.

    Parameters
    ----------
    city, area
        The city, and the area's position.
    network, other
        The network that is shown, and the one that it is compared with.
    distance
        Metres to the nearest sensor; None without a network.
    shown
        What the colours mean: its value is told where no other line has it.
    """
    lines: list[Any] = [f"Area {city.dataset['area'].to_numpy()[area]}"]
    for name, group in groups_of(city, network).items():
        people = city.people(group)
        about = "about " if people.estimated else ""
        lines.append([title_of(name, group), f"{about}{people.values[area]:,.0f}"])
    if network is not None:
        covered = float(network.area_coverage.to_numpy()[area])
        lines.append(["Coverage", percent(covered)])
        if other is not None:
            change = covered - float(other.area_coverage.to_numpy()[area])
            lines.append(["Change", f"{points(change)} points"])
    if shown is not None and shown.key == "importance" and np.isfinite(shown.values[area]):
        lines.append(["One sensor there", percent(float(shown.values[area]))])
    if distance is not None:
        lines.append(["Nearest sensor", metres(distance)])
    return lines

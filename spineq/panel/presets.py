"""Settings for usual questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spineq.model.city import City

#: Name and label of each preset.
PRESETS = (
    ("everyone", "Everyone alike"),
    ("children", "Children first"),
    ("older", "Older people first"),
    ("home_and_work", "Where people live and where they work"),
    ("four", "All four groups of the original study, alike"),
    ("fair", "Fair between children, older people and workers"),
)

_GROUPS = {
    "everyone": {"pop_total": 1.0},
    "children": {"pop_children": 3.0, "pop_total": 1.0},
    "older": {"pop_elderly": 3.0, "pop_total": 1.0},
    "home_and_work": {"pop_total": 1.0, "workplace": 1.0},
    "four": {"pop_total": 1.0, "pop_children": 1.0, "pop_elderly": 1.0, "workplace": 1.0},
    "fair": {"pop_children": 1.0, "pop_elderly": 1.0, "workplace": 1.0},
}


def preset_values(name: str, city: City) -> dict[str, Any]:
    """Values of the form for a preset, with the groups that the city has.

    Where it has none of them, the groups stay as they are.
    """
    known = city.reported_groups()
    rows = [
        {"who": group, "ages": [0, 15], "weight": weight}
        for group, weight in _GROUPS.get(name, {}).items()
        if group in known
    ]
    made: dict[str, Any] = {"goal": "worst_share" if name == "fair" else "mean"}
    return made | ({"groups": rows} if rows else {})

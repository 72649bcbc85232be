"""The fields of the form that asks for a network, each with a sentence of help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spineq.panel.draft import GOALS, METHODS, who_options
from spineq.panel.presets import PRESETS

if TYPE_CHECKING:
    from spineq.model.city import City

_BUTTONS = [
    {
        "name": "run",
        "label": "Run",
        "primary": True,
        "title": "Submit the job; its answer is kept in the store",
    },
    {
        "name": "similar",
        "label": "Show the stored result",
        "title": "Show what the store has, without a new run",
    },
]


def fields_for(city: City) -> list[dict[str, Any]]:
    """Describe the form for a city."""
    unit = city.travel_unit
    existing = city.existing is not None and len(city.existing) > 0
    most = min(city.n_sites, 100)
    fields: list[dict[str, Any]] = [
        {
            "kind": "select",
            "name": "preset",
            "label": "Begin with",
            "options": [["", "Choose a preset ..."], *[list(each) for each in PRESETS]],
            "help": "Settings for a usual question; everything can be changed after.",
        },
        {
            "kind": "groups",
            "name": "groups",
            "label": "Who matters",
            "options": [list(option) for option in who_options(city)],
            "most": 8,
            "help": "A weight is importance, not head count: weights 2 and 1 mean two thirds and "
            "one third, however many people each group has. Age 90 stands for 90 and older.",
        },
        {
            "kind": "range",
            "name": "n_sensors",
            "label": "Number of sensors",
            "min": 1,
            "max": most,
            "hard_max": city.n_sites,
            "step": 1,
            "help": "How many new sensors to place.",
        },
        {
            "kind": "range",
            "name": "theta",
            "label": f"How near is near (theta, {unit})",
            "min": 50 if unit == "m" else 1,
            "max": 2000 if unit == "m" else 60,
            "hard_min": 0,
            "step": 10 if unit == "m" else 1,
            "any": True,
            "help": "A choice, not a fact: coverage has fallen to 37 % at this distance. Try "
            "others too.",
        },
    ]
    if existing:
        now = city.existing
        assert now is not None  # as `existing` says
        count, places = len(now), len(now[["x", "y"]].drop_duplicates())
        at = "" if places == count else f" (at {places:,} places)"
        fields.append(
            {
                "kind": "check",
                "name": "keep",
                "label": f"Keep the {count:,} existing sensors{at}",
                "help": "They stay where they are and are not counted in the number above.",
            }
        )
    fields += [
        {"kind": "buttons", "buttons": _BUTTONS},
        {"kind": "say", "name": "run"},
        {"kind": "say", "name": "similar"},
        {"kind": "say", "name": "estimate", "quiet": True},
        {
            "kind": "check",
            "name": "live",
            "label": "Live preview",
            "help": "Shows the answer while you change the settings. Nothing is kept until you "
            "press Run.",
        },
        {"kind": "fold", "name": "more", "label": "Fairness, method and rules"},
        {
            "kind": "select",
            "name": "goal",
            "label": "What is to be as good as possible",
            "options": [list(goal) for goal in GOALS],
            "help": "The first is usual. The others give up some coverage in all, so that nobody "
            "is left far behind.",
        },
        {
            "kind": "range",
            "name": "aversion",
            "label": "How much more badly covered people count",
            "min": 0,
            "max": 10,
            "hard_max": 100,
            "step": 0.5,
            "any": True,
            "help": "For the last of these only. 0: not at all. 1: someone not covered at all "
            "counts 2.7 times as much as someone covered in full; 3: 20 times.",
        },
        {
            "kind": "number",
            "name": "min_spacing",
            "label": "Least distance between sensors (m)",
            "min": 0,
            "placeholder": "any",
            "help": "Leave empty if two sensors may stand side by side.",
        },
        {
            "kind": "select",
            "name": "method",
            "label": "Method",
            "options": [list(method) for method in METHODS],
            "help": "The first is quick enough for most cities.",
        },
        {
            "kind": "range",
            "name": "effort",
            "label": "Effort",
            "min": 0.1,
            "max": 10,
            "hard_min": 0,
            "step": 0.1,
            "any": True,
            "help": "How much work the search may do, as a multiple of the usual.",
        },
        {
            "kind": "text",
            "name": "note",
            "label": "Note",
            "most": 200,
            "help": "A line to find the job again.",
        },
        {"kind": "end", "name": "more"},
        {"kind": "fold", "name": "code", "label": "The same in Python, and for papermill"},
        {"kind": "code", "name": "python", "label": "Python"},
        {"kind": "code", "name": "parameters", "label": "Papermill parameters"},
        {"kind": "end", "name": "code"},
    ]
    return fields

"""A question as a form has it, made into a problem, with what is wrong said at its field."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from spineq.errors import ProblemError, SpineqError
from spineq.instance import check
from spineq.model.groups import GROUPS, OLDEST, Group, title_of
from spineq.model.problem import Problem

if TYPE_CHECKING:
    from spineq.model.city import City

#: Methods that the form offers, with what each is for.
METHODS = (
    ("auto", "The best there is, with proof (recommended)"),
    ("lagrangian", "Very good, proof almost closed"),
    ("exchange", "Good, quick"),
    ("greedy", "Simple: one sensor after the other"),
)

#: What is to be fair, with its words.
GOALS = (
    ("mean", "Cover the groups as well as possible, by their weights"),
    ("worst", "Cover the worst-off group as well as possible"),
    ("worst_share", "Give each group an equal share of what it could have alone"),
    ("aversion", "Count badly covered people for more"),
)

#: Fields that a problem calls otherwise than the form.
_FIELDS = {"objective": "goal", "column": "groups", "weight": "groups", "ages": "groups"}


class Drafted(NamedTuple):
    """A problem, or None with what is wrong by name of the form's field."""

    problem: Problem | None
    errors: dict[str, str]


def defaults(city: City) -> dict[str, Any]:
    """Values that a form begins with."""
    places = city.n_sites
    return {
        "groups": [{"who": who_options(city)[0][0], "ages": [0, 15], "weight": 1.0}],
        "n_sensors": max(min(20, places // 2), 1),
        "theta": 500.0 if city.travel is None else _usual_cost(city),
        "method": "auto",
        "effort": 1.0,
        "keep": False,
        "goal": "mean",
        "aversion": 3.0,
        "min_spacing": None,
        "note": "",
    }


def _usual_cost(city: City) -> float:
    """A scale for a travel table: the middle of what its costs are."""
    import numpy as np

    assert city.travel is not None
    cost = city.travel.cost
    return float(np.round(np.median(cost), 1)) if len(cost) and np.median(cost) > 0 else 1.0


def who_options(city: City) -> list[tuple[str, str]]:
    """Who may be a group of the city, as values and labels."""
    known = [(name, group.label) for name, group in GROUPS.items() if city.has(group)]
    some = Group(ages=(0, OLDEST))
    ages = [("ages", "Residents by age ...")] if city.has(some) else []
    taken = {group.column for group in GROUPS.values()}
    others = [
        (f"column:{name}", Group(column=name).label)
        for name in (*city.columns, *city.point_groups)
        if name not in taken and city.has(Group(column=name))
    ]
    return known + ages + others


def groups_of(rows: list[Mapping[str, Any]]) -> dict[str, Group]:
    """Groups by name, from the rows of a form.

    Raises
    ------
    ProblemError
        A weight or an age is missing or wrong, or a group is there twice.
    """
    made: dict[str, Group] = {}
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
        msg = "the groups are no list of groups"
        raise ProblemError(msg, field="groups", mend="Choose at least one")
    for number, row in enumerate(rows, start=1):
        weight, who = row.get("weight"), str(row.get("who"))
        if weight is None:
            msg = f"group {number} has no weight"
            raise ProblemError(msg, field="groups", mend="Enter a number, for example 1")
        if who in GROUPS:
            name, group = who, GROUPS[who]
        elif who == "ages":
            ages = row.get("ages")
            young, old = ages if isinstance(ages, list | tuple) and len(ages) == 2 else (None, None)
            if young is None or old is None:
                msg = f"group {number} needs two ages"
                raise ProblemError(msg, field="groups", mend="Enter whole years, 0 to 90")
            group = Group(ages=(young, old))
            name = f"ages_{young}_{old}"
        else:
            name = who.removeprefix("column:")
            group = Group(column=name)
        same = [title_of(other, held) for other, held in made.items() if held.same_people(group)]
        if same:
            msg = f"group {number} is {same[0]} again"
            raise ProblemError(msg, field="groups", mend="Remove one of the two")
        made[name] = replace(group, weight=weight)
    if made and not any(group.weight > 0 for group in made.values()):
        msg = "no group has a weight above 0"
        raise ProblemError(msg, field="groups", mend="Give one of them a weight")
    return made


def drafted(city: City, values: Mapping[str, Any]) -> Drafted:
    """Make a problem of what is entered; nothing is solved and nothing submitted."""
    try:
        words = words_of(values)
        problem = Problem.from_words(**words)
        check(city, problem)
        city.weights(problem.groups)
    except ProblemError as error:
        field = error.field or "n_sensors"
        field = _FIELDS.get(field, field)
        return Drafted(None, {field if field in values else "goal": sentence(error)})
    except SpineqError as error:
        return Drafted(None, {"groups": sentence(error)})
    return Drafted(problem, {})


def words_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is entered in `Problem`'s words; what is at its default is left out.

    Raises
    ------
    ProblemError
        A field is empty that must not be, or the groups are none.
    """
    words: dict[str, Any] = {}
    for name, example in (("n_sensors", "20"), ("theta", "500")):
        if values.get(name) is None:
            msg = "there is no number"
            raise ProblemError(msg, field=name, mend=f"Enter one, for example {example}")
        words[name] = values[name]
    words["groups"] = groups_of(values.get("groups"))  # type: ignore[arg-type]
    if values.get("method", "auto") != "auto":
        words["method"] = values["method"]
    if values.get("effort") not in (None, 1, 1.0):
        words["effort"] = values["effort"]
    if values.get("keep"):
        words["keep"] = "existing"
    goal = values.get("goal", "mean")
    if goal == "aversion":
        if values.get("aversion") is None:
            msg = "there is no number"
            raise ProblemError(msg, field="aversion", mend="Enter one, for example 3")
        words["aversion"] = values["aversion"]
    elif goal != "mean":
        words["objective"] = goal
    if values.get("min_spacing"):
        words["min_spacing"] = values["min_spacing"]
    return words


#: What the form calls the fields of a problem.
_CALLED = {
    "n_sensors": "the number of sensors",
    "min_spacing": "the least distance",
    "effort": "the effort",
    "aversion": "the aversion",
}


def sentence(error: SpineqError) -> str:
    """Write an error for a place where its field is plain, in the form's words."""
    what = error.what
    for name, called in _CALLED.items():
        what = re.sub(rf"\b{name}\b", called, what)
    place = f" ({error.file})" if error.file else ""
    text = f"{what[:1].upper()}{what[1:]}{place}."
    return f"{text} {error.mend}." if error.mend else text


def values_of(city: City, problem: Problem) -> dict[str, Any]:
    """Values of a form for a problem; what the form has no field for is left out."""
    rows = []
    for name, group in problem.groups:
        row: dict[str, Any] = {"ages": list(group.ages or (0, 15)), "weight": group.weight}
        if name in GROUPS and GROUPS[name].same_people(group):
            row["who"] = name
        else:
            row["who"] = "ages" if group.ages is not None else f"column:{group.column}"
        rows.append(row)
    goal = "aversion" if problem.aversion > 0 else problem.objective
    made = defaults(city)
    return made | {
        "groups": rows or made["groups"],
        "n_sensors": problem.n_sensors or made["n_sensors"],
        "theta": problem.theta,
        "method": problem.method if problem.method in dict(METHODS) else "auto",
        "effort": problem.effort,
        "keep": problem.keep == "existing",
        "goal": goal,
        "aversion": problem.aversion or made["aversion"],
        "min_spacing": problem.min_spacing or None,
    }


#: Words of a problem that the form has fields for.
_FORM = (
    "n_sensors", "theta", "groups", "method", "effort", "keep", "objective", "aversion",
    "min_spacing",
)  # fmt: skip


#: How the others are said.
_ELSE = {
    "keep": "sites to keep",
    "forbid": "sites that are forbidden",
    "site_cost": "prices of sites",
    "at_least": "floors of groups",
    "start": "network to start from",
    "reach": "coverage to reach",
    "retire": "sensors to take away",
    "move_at_most": "sensors that may move",
    "kinds": "kinds of sensors",
    "bound": "kind of bound",
    "max_per_region": "most sensors in a region",
    "min_per_region": "least sensors in a region",
}


def without_field(problem: Problem) -> list[str]:
    """Name what a problem was asked that the form has no field for."""
    rest = [name for name in problem.to_dict() if name not in _FORM]
    if problem.keep not in ((), "existing"):
        rest.append("keep")
    if problem.method not in dict(METHODS):
        rest.append("method")
    return [_ELSE.get(name, name.replace("_", " ")) for name in rest]


def meaning_of_theta(theta: object, unit: str = "m") -> str:
    """Say what a theta means: coverage at some distances."""
    if not isinstance(theta, int | float) or isinstance(theta, bool) or not 0 < theta < math.inf:
        return ""
    theta = float(min(theta, 1e15))  # a huge whole number is no float
    if unit == "m":
        places = [(100.0, "100 m"), (250.0, "250 m"), (500.0, "500 m")]
    else:
        places = [(share * theta, f"{share * theta:,.3g} {unit}") for share in (0.25, 0.5, 1.0)]
    parts = [f"{100 * math.exp(-far / theta):.0f} % at {words}" for far, words in places]
    return f"Someone is covered {', '.join(parts)} from the nearest sensor."


def as_python(city_words: str, problem: Problem, store: str = "") -> str:
    """Write the settings as Python that submits the same job, to the same store."""
    where = f"store={store!r}" if store else ""
    lines = ["import spineq as sq", "", f"queue = sq.JobQueue({where})", f"city = {city_words}"]
    lines.append(f"job = queue.submit(\n    city,\n{_arguments(problem)})")
    return "\n".join([*lines, "print(job.result().summary())"])


def _arguments(problem: Problem) -> str:
    parts = []
    for name, value in problem.to_dict().items():
        if name == "groups":
            held = dict(problem.groups)
            inside = ", ".join(f"{key!r}: {_group(group)}" for key, group in held.items())
            parts.append(f"    groups={{{inside}}},\n")
        else:
            parts.append(f"    {name}={value!r},\n")
    return "".join(parts)


def _group(group: Group) -> str:
    words = [f"ages={group.ages!r}"] if group.ages is not None else [f"column={group.column!r}"]
    if group.weight != 1:
        words.append(f"weight={group.weight!r}")
    return f"sq.Group({', '.join(words)})"


#: Fields of a problem that are parameters of a report by themselves; others are its rules.
_OF_A_REPORT = ("n_sensors", "theta", "groups", "method")


def as_parameters(city_name: str, problem: Problem, store: str = "") -> str:
    """Write the settings as parameters of a report, for papermill, in YAML (which JSON is)."""
    where = {"city": city_name, **({"store": store} if store else {})}
    # A report's usual groups are the four, and a city of travel costs wants to be told theta.
    asked = problem.to_dict() | {"theta": problem.theta}
    asked["groups"] = {name: group.to_dict() for name, group in problem.groups}
    rules = {name: asked.pop(name) for name in list(asked) if name not in _OF_A_REPORT}
    made = {**where, **asked, **({"rules": rules} if rules else {})}
    return json.dumps(made, indent=1, ensure_ascii=False)

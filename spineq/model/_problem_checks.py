"""Checks of a problem's fields: each value in the form in which a problem keeps it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from numbers import Integral
from typing import Any

from spineq.errors import ProblemError, shown
from spineq.model.groups import GROUPS, MOST, Group, real_number, unprintable

#: What a group is owed: its name, who it is, and the least coverage, 0 to 1.
Floor = tuple[str, Group, float]

#: Aversion beyond which all who are covered at all would count as covered wholly.
MOST_AVERSION = 100.0

#: Largest limit of sensors in a region.
MOST_PER_REGION = 10**9

DEFAULT_GROUPS: tuple[tuple[str, Group], ...] = (("pop_total", GROUPS["pop_total"]),)


def whole(value: object, name: str, least: int, most: int) -> int:
    """Check a whole number from ``least`` to ``most``.

    Raises
    ------
    ProblemError
        It is none, or out of the range.
    """
    mend = f"Give a whole number, {least} or more"
    if isinstance(value, bool) or not isinstance(value, Integral):
        msg = f"{name} must be a whole number, not {shown(value)}"
        raise ProblemError(msg, field=name, mend=mend)
    made = int(value)
    if made < least:
        msg = f"{name} must be {least} or more, not {shown(made)}"
        raise ProblemError(msg, field=name, mend=mend)
    if made > most:
        msg = f"{name} must be {most:,} or less, not {shown(made)}"
        raise ProblemError(msg, field=name, mend="Give a smaller number")
    return made


def positive(value: object, name: str, example: str) -> float:
    """Check a finite number above 0.

    Raises
    ------
    ProblemError
        It is none.
    """
    mend = f"Give a number above 0, for example {example}"
    number = real_number(value, name, mend)
    if not 0 < number < math.inf:
        msg = f"{name} must be above 0 and finite, not {number:g}"
        raise ProblemError(msg, field=name, mend=mend)
    return number


def between(value: object, name: str, most: float = MOST) -> float:
    """Check a number from 0 to ``most``.

    Raises
    ------
    ProblemError
        It is none.
    """
    mend = f"Give a number from 0 to {most:g}"
    number = real_number(value, name, mend)
    if not 0 <= number <= most:
        msg = f"{name} must be from 0 to {most:g}, not {number:g}"
        raise ProblemError(msg, field=name, mend=mend)
    return number + 0.0  # no zero below zero, which would be another digest


def choice(value: object, name: str, allowed: tuple[str, ...]) -> None:
    """Check one of some words.

    Raises
    ------
    ProblemError
        It is none of them.
    """
    if not isinstance(value, str) or value not in allowed:
        msg = f"{name} {shown(value)} does not exist"
        raise ProblemError(msg, field=name, mend=f"Use one of {', '.join(allowed)}")


def column_name(value: object, name: str) -> str:
    """Check the name of a column of the sites.

    Raises
    ------
    ProblemError
        It is no text that can be one.
    """
    if not isinstance(value, str) or not value or unprintable(value):
        msg = f"{name} must be the name of a column of the sites, not {shown(value)}"
        raise ProblemError(msg, field=name, mend='Write it in quotation marks, such as "ward"')
    return value


def no_groups(groups: object) -> ProblemError:
    """What to raise for groups that are no dictionary."""
    msg = f"groups must be a dictionary of names and Groups, not {shown(groups)}"
    return ProblemError(msg, field="groups", mend='Write {"children": Group(ages=(0, 15))}')


def _group_name(name: object, field: str) -> None:
    if not isinstance(name, str) or not name:
        msg = f"a group's name must be text, not {shown(name)}"
        raise ProblemError(msg, field=field, mend='Write {"children": ...}')
    if strange := unprintable(name):
        msg = f"the name of group {shown(name)} holds the control character {strange}"
        raise ProblemError(msg, field=field, mend="Take it out")


def checked_groups(groups: object) -> tuple[tuple[str, Group], ...]:
    """Check groups by name, those of weight 0 still among them.

    Raises
    ------
    ProblemError
        They are no groups by name, or all of them weigh nothing.
    """
    if isinstance(groups, Mapping):
        groups = tuple(groups.items())
    if not isinstance(groups, tuple) or not all(
        isinstance(pair, tuple) and len(pair) == 2 for pair in groups
    ):
        raise no_groups(groups)
    if not groups:
        return DEFAULT_GROUPS
    for name, group in groups:
        _group_name(name, "groups")
        if not isinstance(group, Group):
            msg = f"group {shown(name)} must be a Group, not {shown(group)}"
            raise ProblemError(msg, field="groups", mend="Write Group(ages=(0, 15))")
    names = [name for name, _ in groups]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"two groups have the name {shown(twice[0])}"
        raise ProblemError(msg, field="groups", mend="Give each a name of its own")
    if not any(group.weight > 0 for _, group in groups):
        msg = "no group has a weight above zero"
        raise ProblemError(msg, field="groups", mend="Give at least one group a positive weight")
    return groups


def per_region(value: object, name: str) -> int | tuple[tuple[str, int], ...] | None:
    """Check a number of sensors for every region, or one by region.

    Returns
    -------
    int or tuple
        Pairs are sorted by region, whose names are text as `region_text` makes it.

    Raises
    ------
    ProblemError
        It is neither a number nor numbers by region, or a region is named twice.
    """
    if value is None:
        return None
    if isinstance(value, tuple) and all(isinstance(p, tuple) and len(p) == 2 for p in value):
        pairs = list(value)
    elif isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, Integral):
        return whole(value, name, 1, MOST_PER_REGION)
    else:
        msg = f"{name} must be a number of sensors, or one by region, not {shown(value)}"
        raise ProblemError(msg, field=name, mend='Write 2 or {"Byker": 2}')
    made: dict[str, int] = {}
    for key, number in pairs:
        region = region_text(key)
        if region is None:
            msg = f"{shown(key)} is not a value that a region can have"
            raise ProblemError(msg, field=name, mend="Give text or a whole number")
        if region in made:
            msg = f"region {shown(region)} is named twice"
            raise ProblemError(msg, field=name, mend="Name each region once")
        try:
            made[region] = whole(number, name, 0, MOST_PER_REGION)
        except ProblemError as error:
            msg = f"{error.what} (region {shown(region)})"
            raise ProblemError(msg, field=name, mend=error.mend) from error
    return tuple(sorted(made.items())) or None


def region_text(value: object) -> str | None:
    """Value of a column of regions as text: 7 where it says 7.0; None for what is none."""
    if isinstance(value, str):
        text = value.strip()
        return text if text and not unprintable(text) else None
    if isinstance(value, bool):
        return None
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return None


def site_ids(value: object, name: str) -> tuple[str, ...]:
    """Make ids of sites sorted texts, each once: of ids in any collection, or of a network.

    Raises
    ------
    ProblemError
        Something else than ids, or a network with a sensor at no site.
    """
    if value is None:
        return ()
    if is_network(value):
        value = _sites_of(value, name)
    listed: list[Any]
    if isinstance(value, str | Integral) and not isinstance(value, bool):
        listed = [value]
    elif isinstance(value, Iterable) and not isinstance(value, Mapping | bytes):
        try:
            listed = list(value)
        except TypeError as error:  # an array without dimensions
            raise _no_sites(value, name) from error
    else:
        raise _no_sites(value, name)
    made = set()
    for one in listed:
        text = str(one).strip() if isinstance(one, str | Integral) else ""
        if not text or isinstance(one, bool) or unprintable(text):
            msg = f"{shown(one)} is not the id of a site"
            raise ProblemError(msg, field=name, mend='Write ids such as "site-1"')
        made.add(text)
    # Their order means nothing, so that it changes neither an answer nor a digest.
    return tuple(sorted(made))


def _no_sites(value: object, name: str) -> ProblemError:
    msg = f"{name} must be ids of sites, not {shown(value)}"
    return ProblemError(msg, field=name, mend='Write ["site-1", "site-2"]')


def is_network(value: object) -> bool:
    """Whether something is a network."""
    # Not by its class: a network knows its problem, and so comes after it.
    if isinstance(value, type):
        return False
    return hasattr(value, "placement_history") and hasattr(value, "sensors")


def _sites_of(network: Any, name: str) -> list[str]:
    """Sites of a network; of the sensors that it kept, only to keep them again."""
    # The first sensors are those that the network kept.
    skipped = 0 if name == "keep" else network.n_kept
    sites = [str(site) for site in network.sensors["site"][skipped:]]
    if "" in sites:
        number = skipped + sites.index("") + 1
        msg = f"sensor {number} of the network stands at no site of its city"
        mend = "Give a network whose sensors are all at sites, or add that place to the sites"
        raise ProblemError(msg, field=name, mend=mend)
    return sites


def floors(
    value: object, groups: Iterable[tuple[str, Group]], field: str = "at_least"
) -> tuple[Floor, ...]:
    """Make floors of levels by name of a group, or of the coverage that a network reports.

    Parameters
    ----------
    value
        Levels, 0 to 1, by name of a group; pairs of Group and level by name; triples of name,
        Group and level; what `floors_to_dict` made; or a network.
    groups
        The problem's groups, which a name means first; then those of `GROUPS`.
    field
        Whose floors they are.

    Returns
    -------
    tuple
        Sorted by name; a level of 0, which everyone reaches, is left out.

    Raises
    ------
    ProblemError
        An unknown name, a level out of its range, or something else altogether.
    """
    mend = 'Write {"pop_elderly": 0.45}, or give a network'
    if value is None:
        return ()
    if is_network(value):
        return _floors_of_network(value)
    if isinstance(value, Mapping):
        value = tuple(value.items())
    if not isinstance(value, tuple) or not all(
        isinstance(entry, tuple) and len(entry) in (2, 3) for entry in value
    ):
        msg = f"{field} must be levels by name of a group, not {shown(value)}"
        raise ProblemError(msg, field=field, mend=mend)
    known = dict(GROUPS) | dict(groups)
    made: dict[str, Floor] = {}
    for name, *what in value:
        _group_name(name, field)
        group, level = _group_and_level(name, what, known, field)
        if name in made:
            msg = f"group {shown(name)} is named twice"
            raise ProblemError(msg, field=field, mend="Name each group once")
        # Its weight does not matter to what a group is owed.
        made[name] = (name, replace(group, weight=1.0), _level(name, level, field))
    return tuple(made[name] for name in sorted(made) if made[name][2] > 0)


def _group_and_level(
    name: str, what: list[Any], known: Mapping[str, Group], field: str
) -> tuple[Group, Any]:
    if len(what) == 1:
        (given,) = what
        if isinstance(given, Mapping) and set(given) == {"group", "level"}:
            return Group.from_dict(given["group"]), given["level"]
        if not isinstance(given, tuple) or len(given) != 2:
            if name not in known:
                msg = f"there is no group {shown(name)}"
                mend = f"Use one of {', '.join(sorted(known))}, or name it in groups"
                raise ProblemError(msg, field=field, mend=mend)
            return known[name], given
        what = list(given)
    group, level = what
    if not isinstance(group, Group):
        msg = f"group {shown(name)} must be a Group, not {shown(group)}"
        raise ProblemError(msg, field=field, mend="Write (Group(ages=(66, 90)), 0.45)")
    return group, level


def _level(name: str, level: object, field: str) -> float:
    mend = "Give a coverage from 0 to 1, such as 0.45"
    number = real_number(level, field, mend)
    if not 0 <= number <= 1:
        word = "owed to" if field == "at_least" else "to reach for"
        msg = f"the coverage {word} {shown(name)} must be from 0 to 1, not {number:g}"
        raise ProblemError(msg, field=field, mend=mend)
    return number


def _floors_of_network(network: Any) -> tuple[Floor, ...]:
    problem = network.problem
    known = dict(GROUPS) | {name: group for name, group, _ in problem.at_least}
    known |= dict(problem.groups)
    coverage = network.group_coverage
    # Sums in another order may exceed 1 by their rounding.
    levels = {
        str(name): min(float(level), 1.0)
        for name, level in zip(coverage["group"].to_numpy(), coverage.to_numpy(), strict=True)
    }
    return floors(levels, known.items())


def floors_to_dict(made: tuple[Floor, ...]) -> dict[str, Any]:
    """Describe floors in JSON's types."""
    return {name: {"group": group.to_dict(), "level": level} for name, group, level in made}

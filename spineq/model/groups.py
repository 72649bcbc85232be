"""Groups: the people who matter, as named weights over areas."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

from spineq.errors import ProblemError, shown

#: The oldest single year of age; whoever is older is counted there.
OLDEST = 90

#: The largest count, weight, cost or coordinate: what is beyond it is a slip, and sums of such
#: numbers would overflow.
MOST = 1e15


@dataclass(frozen=True)
class Group:
    """Residents of some ages, or any non-negative column of a city, with a weight.

    Parameters
    ----------
    ages
        Youngest and oldest age in years, both included, 0 to 90; 90 means 90 and older.
    column
        Name of a column of the city, such as ``"workers"``. Either ``ages`` or ``column``.
    weight
        How much the group counts in a mixed objective, 0 or more. Groups are first scaled to
        sum to 1 over the city, so the weight is about importance, not about head counts.
    title
        What pictures and tables call the group; it changes no answer.

    Raises
    ------
    ProblemError
        Neither or both of ages and column, an age range that is none, a weight below zero.

    Examples
    --------
    >>> Group(ages=(0, 15), weight=2).ages
    (0, 15)
    """

    ages: tuple[int, int] | None = None
    column: str | None = None
    weight: float = 1.0
    title: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Check and normalise what was given."""
        if (self.ages is None) == (self.column is None):
            msg = "a group needs either ages or a column, and not both"
            raise ProblemError(
                msg, field="groups", mend='Write Group(ages=(0, 15)) or Group(column="workers")'
            )
        if self.ages is not None:
            object.__setattr__(self, "ages", _age_range(self.ages))
        elif not isinstance(self.column, str) or not self.column or unprintable(self.column):
            msg = f"a group's column must be a name, not {shown(self.column)}"
            raise ProblemError(msg, field="groups", mend='Write Group(column="workers")')
        if self.title is not None and not isinstance(self.title, str):
            msg = f"a group's title must be text, not {shown(self.title)}"
            raise ProblemError(msg, field="groups", mend="Write it in quotation marks")
        if self.title and (strange := unprintable(self.title)):
            msg = f"a group's title holds the control character {strange}"
            raise ProblemError(msg, field="groups", mend="Take it out")
        object.__setattr__(self, "weight", weight_number(self.weight, "weight"))

    @property
    def label(self) -> str:
        """The title, or a plain description where there is none."""
        if self.title:
            return self.title
        if self.ages is None:
            return str(self.column).replace("_", " ").capitalize()
        youngest, oldest = self.ages
        if oldest == OLDEST:
            return "All residents" if youngest == 0 else f"Residents aged {youngest} and over"
        return f"Residents aged {youngest} to {oldest}"

    def same_people(self, other: Group) -> bool:
        """Whether two groups are the same people, whatever their weights and titles."""
        return (self.ages, self.column) == (other.ages, other.column)

    def to_dict(self) -> dict[str, Any]:
        """Describe the group in JSON's types; fields at their default are left out."""
        made: dict[str, Any] = {}
        if self.ages is not None:
            made["ages"] = list(self.ages)
        if self.column is not None:
            made["column"] = self.column
        if self.weight != 1.0:
            made["weight"] = self.weight
        if self.title is not None:
            made["title"] = self.title
        return made

    @classmethod
    def from_dict(cls, made: Mapping[str, Any]) -> Group:
        """Rebuild what `to_dict` described.

        Raises
        ------
        ProblemError
            A key that a group does not have, or a value out of its range.
        """
        return cls(**known_keys(made, ("ages", "column", "weight", "title"), "a group", "groups"))


def known_keys(made: object, known: Sequence[str], what: str, field: str) -> dict[str, Any]:
    """Check that something is a dictionary with no other keys than the known ones.

    Raises
    ------
    ProblemError
        It is not.
    """
    mend = f"Use {', '.join(known)}"
    if not isinstance(made, Mapping):
        msg = f"{what} must be a dictionary, not {shown(made)}"
        raise ProblemError(msg, field=field, mend=mend)
    unknown = [key for key in made if key not in known]
    if unknown:
        msg = f"{what} has no field {shown(unknown[0])}"
        raise ProblemError(msg, field=field, mend=mend)
    return dict(made)


def unprintable(text: str, allowed: str = "") -> str:
    """Code of the first character of a text that no file or picture can hold, ``""`` if none.

    These are control characters, NUL among them, ends of lines, halves of surrogate pairs and
    the two noncharacters that XML forbids.
    """
    if text.isprintable():
        return ""
    for char in text:
        bad = unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in "\ufffe\uffff"
        if bad and char not in allowed:
            return f"U+{ord(char):04X}"
    return ""


def _age_range(ages: object) -> tuple[int, int]:
    mend = f"Give the youngest and the oldest age, 0 to {OLDEST}"
    if not isinstance(ages, (tuple, list)) or len(ages) != 2:
        msg = f"ages must be two numbers, not {shown(ages)}"
        raise ProblemError(msg, field="ages", mend=mend)
    if not all(isinstance(age, Integral) and not isinstance(age, bool) for age in ages):
        msg = f"ages must be whole numbers, not {shown(tuple(ages))}"
        raise ProblemError(msg, field="ages", mend=mend)
    youngest, oldest = (int(age) for age in ages)
    if not 0 <= youngest <= oldest <= OLDEST:
        msg = f"ages {shown(youngest)} to {shown(oldest)} are not a range"
        raise ProblemError(msg, field="ages", mend=mend)
    return youngest, oldest


def weight_number(weight: object, name: str) -> float:
    """Check that a weight is a number from 0 to `MOST`.

    Raises
    ------
    ProblemError
        It is not.
    """
    number = real_number(weight, name, "Give 0 or more; weight 0 leaves the group out")
    if not 0 <= number < math.inf:
        msg = f"a weight must be 0 or more and finite, not {number:g}"
        raise ProblemError(msg, field=name, mend="Give a number such as 1; 0 leaves the group out")
    if number > MOST:
        msg = f"a weight must be {MOST:g} or less, not {number:.17g}"
        raise ProblemError(msg, field=name, mend="Give a number such as 1; 0 leaves the group out")
    return number


def real_number(value: object, name: str, mend: str) -> float:
    """Turn a number of any type into a float; what is too large for one becomes infinity.

    Raises
    ------
    ProblemError
        It is no number.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        msg = f"{shown(value)} is not a number"
        raise ProblemError(msg, field=name, mend=mend)
    try:
        return float(value)
    except OverflowError:
        return math.inf


#: The original system's four groups, reported with every result where the city has the data.
GROUPS: Mapping[str, Group] = MappingProxyType(
    {
        "pop_total": Group(ages=(0, OLDEST), title="All residents"),
        "pop_children": Group(ages=(0, 15), title="Children (0-15)"),
        "pop_elderly": Group(ages=(66, OLDEST), title="Older people (66+)"),
        "workplace": Group(column="workers", title="Workers"),
    }
)

_NAMES_BY_AGES: Mapping[tuple[int, int] | None, str] = {
    group.ages: name for name, group in GROUPS.items()
}


def groups_from_words(
    *,
    population_weight: float | None = None,
    workplace_weight: float | None = None,
    min_age: int | None = None,
    max_age: int | None = None,
    pop_age_groups: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Group]:
    """Translate the original system's parameters into groups.

    The original scales each age group's residents to sum to 1, times the group's weight;
    scales the sum of the age groups to ``population_weight``, workers to
    ``workplace_weight``, and the whole to 1. With every group scaled to 1 by itself, that is
    a weight of ``population_weight * weight / sum of weights`` per age group.

    Parameters
    ----------
    population_weight, workplace_weight
        Importance of residents and of workers, 0 or more; 1 and 0 by default.
    min_age, max_age
        One age group, years, both included; 0 and 90 by default.
    pop_age_groups
        Several: ``{"name": {"min": 0, "max": 15, "weight": 1}}``, instead of min and max age.

    Returns
    -------
    dict of str to Group
        Groups of positive weight.

    Raises
    ------
    ProblemError
        A value out of range, words that contradict each other, or no positive weight at all.
    """
    if pop_age_groups is not None and (min_age is not None or max_age is not None):
        msg = "pop_age_groups and min_age or max_age say the same thing twice"
        raise ProblemError(msg, field="pop_age_groups", mend="Give one of them")
    of_residents = weight_number(
        1.0 if population_weight is None else population_weight, "population_weight"
    )
    of_workers = weight_number(
        0.0 if workplace_weight is None else workplace_weight, "workplace_weight"
    )
    if pop_age_groups is None:
        ages = (
            0 if min_age is None else min_age,
            OLDEST if max_age is None else max_age,
        )
        group = Group(ages=ages)
        shares = {_NAMES_BY_AGES.get(group.ages, f"pop_{ages[0]}_{ages[1]}"): (group, 1.0)}
    elif isinstance(pop_age_groups, Mapping):
        shares = {name: _age_group(name, words) for name, words in pop_age_groups.items()}
    else:
        msg = f"age groups must be a dictionary by name, not {shown(pop_age_groups)}"
        raise ProblemError(
            msg, field="pop_age_groups", mend='Write {"children": {"min": 0, "max": 15}}'
        )
    total = math.fsum(share for _, share in shares.values())
    groups: dict[str, Group] = {}
    if of_residents > 0:
        if total <= 0:
            msg = "no age group has a weight above zero"
            raise ProblemError(msg, field="pop_age_groups", mend="Give one a positive weight")
        for name, (group, share) in shares.items():
            if share > 0:
                groups[name] = replace(group, weight=of_residents * share / total)
    if of_workers > 0:
        if "workplace" in groups:
            msg = "'workplace' is the name of the group of workers"
            raise ProblemError(msg, field="pop_age_groups", mend="Call the age group otherwise")
        groups["workplace"] = Group(column="workers", weight=of_workers)
    if not groups:
        msg = "no group has a weight above zero"
        raise ProblemError(
            msg,
            field="population_weight, workplace_weight",
            mend="Give residents or workers a positive weight",
        )
    return groups


def title_of(name: str, group: Group) -> str:
    """What tables and pictures call a group: its title, or its name where that says who it is."""
    if group.title:
        return group.title
    if name in GROUPS and group.same_people(GROUPS[name]):
        return GROUPS[name].label
    return group.label if name.startswith("pop_") else name.replace("_", " ")


def _age_group(name: str, words: object) -> tuple[Group, float]:
    field = f"pop_age_groups {name}"
    given = known_keys(words, ("min", "max", "weight", "title"), "an age group", field)
    try:
        group = Group(
            ages=(given.get("min", 0), given.get("max", OLDEST)),
            title=given.get("title"),
        )
    except ProblemError as error:
        raise ProblemError(error.what, field=field, mend=error.mend) from error
    return group, weight_number(given.get("weight", 1.0), field)

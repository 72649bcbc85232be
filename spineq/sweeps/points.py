"""What a sweep is: cities, points and axes; and which words a point may have."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from spineq.errors import ProblemError, SpineqError, UnknownTaskError, shown
from spineq.jobs.random_task import WORDS as RANDOM_WORDS
from spineq.jobs.tasks import task_named
from spineq.model.groups import Group
from spineq.model.problem import WORDS, Problem

_PROBLEM = tuple(each.name for each in fields(Problem))

#: Words of a front that are about its problem; the others say how to look for it.
_QUESTION = ("n_sensors", "theta", "groups", "decay", "keep", "forbid")
_SEARCH = ("effort", "size", "method", "tolerance", "start", "seed")

#: Words that a point of a task may have; those of other tasks are known to the tasks alone.
TASK_WORDS: Mapping[str, tuple[str, ...]] = {
    "optimise": (*_PROBLEM, *WORDS),
    "trade_off": (*_QUESTION, *_SEARCH),
    "random": RANDOM_WORDS,
    "report": (*_PROBLEM, "by", "weights", "what_if"),
}

#: Points of a sweep at most: the queue takes no more jobs at a time.
MOST_POINTS = 100_000

# Of whom a point speaks that names no group.
_NOBODY_NAMED = {"trade_off": "the usual four"}


@dataclass(frozen=True)
class Source:
    """Where a city of a sweep comes from.

    Parameters
    ----------
    name
        What the sweep calls it.
    where
        As for `spineq.data.named.city_named`; None where only a name is known.
    options
        For a file, as for `spineq.read_city`.
    place
        Where the configuration names it.
    """

    name: str
    where: str | None
    options: Mapping[str, Any] = field(default_factory=dict)
    place: str = "cities"


@dataclass(frozen=True)
class Point:
    """One question of a sweep.

    Parameters
    ----------
    number
        Its place in the sweep, 1 up.
    city, task
        Name of the city, and of the queue's task.
    label
        What the sweep calls the groups.
    words
        Parameters of the task, in JSON's types.
    places
        Where in the configuration each word stands.
    place
        Where the point itself stands.
    at
        Position on each axis of the grid; None for a point beside it.
    report
        Whether a report of it is wanted too.
    """

    number: int
    city: str
    task: str
    label: str
    words: Mapping[str, Any]
    places: Mapping[str, str]
    place: str
    at: Mapping[str, int] | None = None
    report: bool = False

    def asked(self) -> dict[str, Any]:
        """Words as the queue takes them."""
        made = dict(self.words)
        if isinstance(groups := made.get("groups"), Mapping):
            made["groups"] = {name: Group.from_dict(group) for name, group in groups.items()}
        return made


@dataclass(frozen=True)
class Plan:
    """All that a configuration asks for.

    Parameters
    ----------
    file
        The configuration's file; empty where it comes from none.
    text
        The configuration, as it was written.
    cities, points
        In the order of the configuration.
    axes
        Labels along each axis of the grid, by name: ``city, groups``, then the others.
    notes
        What the configuration says in vain, in sentences.
    """

    file: str
    text: str
    cities: tuple[Source, ...]
    points: tuple[Point, ...]
    axes: Mapping[str, tuple[Any, ...]]
    notes: tuple[str, ...] = ()

    def digest(self, cities: Mapping[str, str]) -> str:
        """Name the sweep: 16 hex digits, the same for the same points of the same cities.

        Parameters
        ----------
        cities
            Digest of each city by name: where its files lie does not count.
        """
        points = [
            [each.number, each.city, each.task, each.label, dict(each.words), each.report]
            for each in self.points
        ]
        axes = {name: list(labels) for name, labels in self.axes.items()}
        text = json.dumps([dict(cities), points, axes], sort_keys=True)
        return hashlib.sha256(b"spineq-sweep-1\n" + text.encode()).hexdigest()[:16]


def label_of(task: str, words: Mapping[str, Any]) -> str:
    """Name the groups of a point whose configuration does not."""
    groups = words.get("groups")
    if isinstance(groups, Mapping) and groups:
        return ", ".join(map(str, groups))
    if given := [word for word in WORDS if word in words]:
        return ", ".join(f"{word} {words[word]}" for word in given)
    return _NOBODY_NAMED.get(task, "all residents")


def need_known(point: Point, file: str) -> None:
    """Refuse a task that nobody knows, and a word that the task does not.

    Raises
    ------
    UnknownTaskError, ProblemError
        As said, with the file, the place and what is known.
    """
    try:
        task_named(point.task)
    except UnknownTaskError as error:
        place = point.places.get("task", point.place)
        raise UnknownTaskError(error.what, file=file, field=place, mend=error.mend) from error
    if point.report:
        task_named("report")
    known = TASK_WORDS.get(point.task)
    for word in point.words:
        if known is not None and word not in known:
            msg = f"the task {point.task!r} has no word {shown(word)}"
            mend = f"Use {', '.join(sorted(known))}"
            # The word is wrong, not the first of its values.
            place = point.places[word].removesuffix("[0]")
            raise ProblemError(msg, file=file, field=place, mend=mend)


def need_sound(point: Point, file: str) -> None:
    """Refuse a value that is wrong whatever the city.

    What is wrong with this point alone, such as two rules that clash, is no reason to refuse the
    others: the point will fail, and say why.

    Raises
    ------
    ProblemError
        A value of the wrong type or out of its range, with its place; or what every point
        needs is missing.
    """
    try:
        _check(point.task, point.asked())
    except SpineqError as error:
        about = error.field or ""
        word = next((name for name in point.words if about.split(" ")[0] == name), None)
        if word is None and about in ("n_sensors", "n_networks"):
            raise _placed(error, file, point.place) from error
        if word is not None and _is_wrong_alone(point, word, error):
            raise _placed(error, file, point.places[word]) from error


def _placed(error: SpineqError, file: str, place: str) -> SpineqError:
    return type(error)(error.what, file=file, field=place, mend=error.mend)


def _is_wrong_alone(point: Point, word: str, error: SpineqError) -> bool:
    words = {word: point.asked()[word]}
    if word not in ("n_sensors", "budget"):
        words["n_sensors"] = 1
    try:
        _check(point.task, words)
    except SpineqError as alone:
        return alone.what == error.what
    return False


def _check(task: str, words: dict[str, Any]) -> None:
    """Check words as far as that can be done without a city."""
    from spineq.baseline import checked_draw
    from spineq.fronts import checked

    if task not in TASK_WORDS:
        known = task_named(task)
        if not known.needs_city:
            known.check(None, words)
        return
    asked = {name: word for name, word in words.items() if name in (*_PROBLEM, *WORDS)}
    if task == "trade_off":
        how = {name: words[name] for name in words if name not in _QUESTION}
        asked = {name: asked[name] for name in asked if name in _QUESTION}
        checked(Problem.from_words(**asked), **how)
        return
    if task == "random":
        checked_draw(words.get("n_networks", 1), words.get("seed", 0))
        asked.pop("seed", None)
    Problem.from_words(**asked)


def report_words(words: Mapping[str, Any]) -> dict[str, Any]:
    """Words of the report of a network: who it is for is said, also where it is the usual."""
    problem = Problem.from_words(**words)
    return problem.to_dict() | {"groups": dict(problem.groups)}


def absolute(text: str, folder: Path) -> str:
    """Path of a file that is named from a folder; a city that is built in stays as it is."""
    from spineq.data.named import is_built_in

    return text if is_built_in(text) else str(folder / Path(text).expanduser())

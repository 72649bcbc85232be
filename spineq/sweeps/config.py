"""A sweep's configuration: YAML in, cities, points and axes out, and every unknown key refused."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from spineq.data.named import is_built_in
from spineq.errors import ProblemError, shown
from spineq.model.groups import Group
from spineq.report.yaml_files import read_settings
from spineq.sweeps.original import is_original, read_original
from spineq.sweeps.points import (
    MOST_POINTS,
    Plan,
    Point,
    Source,
    absolute,
    label_of,
    need_known,
    need_sound,
)

_KEYS = ("cities", "grid", "points", "fixed", "task", "report")
_CITY_KEYS = (
    "name", "path", "crs", "sites", "points", "existing", "travel", "travel_unit", "columns",
    "site_columns", "attribution", "ages", "workplaces", "cell", "within",
)  # fmt: skip
_CITY_FILES = ("sites", "points", "existing", "travel", "ages")
#: A file or several; a file or a box of four numbers.
_FILES_OR_MORE = ("workplaces", "within")


def read_plan(config: str | Path | Mapping[str, Any]) -> Plan:
    """Read what a sweep is to do, and refuse what is wrong whatever the cities.

    Parameters
    ----------
    config
        A YAML file, or its content as a dictionary. Keys: ``cities`` (names of built-in cities,
        files or folders, or dictionaries with ``name, path`` and what `spineq.read_city` takes);
        ``grid`` (values by word: every combination is a point) and ``points`` (a list of
        points, with their own words, ``task``, ``city`` and ``report``); ``fixed`` (words of every
        point), ``task`` (``optimise``, ``trade_off``, ``random`` or ``report``), ``report``. Or the
        original system's ``config.yml``.

    Returns
    -------
    Plan

    Raises
    ------
    MissingFileError, UnreadableFileError
        There is no such file, or it is not YAML.
    ProblemError
        An unknown key, a value of the wrong type or out of its range, no city, or no point.
    UnknownTaskError
        A task that was not registered.
    """
    file, folder, text, content = _loaded(config)
    if is_original(content):
        plan = read_original(content, file, text)
    else:
        plan = _own(content, file, folder, text)
    for point in plan.points:
        need_known(point, file)
        need_sound(point, file)
    return plan


def _loaded(config: str | Path | Mapping[str, Any]) -> tuple[str, Path, str, Mapping[str, Any]]:
    if isinstance(config, Mapping):
        try:
            text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
        except yaml.YAMLError as error:
            msg = "the configuration holds what YAML cannot hold"
            raise ProblemError(msg, field="config", mend="Use numbers, text and lists") from error
        return "", Path(), text, config
    mend = "Name a file of YAML; spineq sweep --help has an example"
    text, content = read_settings(config, mend=mend)
    return str(config), Path(config).parent, text, content


def _own(content: Mapping[str, Any], file: str, folder: Path, text: str) -> Plan:
    """Read a configuration of our own."""
    need_keys(content, _KEYS, "", file)
    task = content.get("task", "optimise")
    report = content.get("report", False)
    if not isinstance(task, str):
        raise wrong(task, "task", "the name of a task", file)
    if not isinstance(report, bool):
        raise wrong(report, "report", "true or false", file)
    cities = _cities(content.get("cities"), file, folder)
    names = [city.name for city in cities]
    fixed = _words(_section(content, "fixed", file), "fixed", file)
    axes, sets = _axes(_section(content, "grid", file), fixed, file)
    if "grid" in content and not axes:
        msg = "the grid has no points: it names no word"
        raise ProblemError(msg, file=file, field="grid", mend="Write for example theta: [250, 500]")
    given = content.get("points", [])
    if not isinstance(given, list):
        raise wrong(given, "points", "a list of points", file)
    n = len(names) * (math.prod(len(values) for values in axes.values()) if axes else 0)
    if n + len(given) == 0:
        msg = "the sweep has no points"
        mend = "Give a grid, such as theta: [250, 500], or points"
        raise ProblemError(msg, file=file, field="grid", mend=mend)
    if n + len(given) * len(names) > MOST_POINTS:
        msg = f"the sweep has {n + len(given) * len(names):,} points, more than {MOST_POINTS:,}"
        raise ProblemError(msg, file=file, field="grid", mend="Make several sweeps of it")
    points = list(_grid(names, axes, fixed, task, report, file))
    for k, entry in enumerate(given):
        points += _listed(
            entry, f"points[{k}]", names, sets, fixed, task, report, len(points), file
        )
    labels = {}
    if axes:
        labels = {"city": tuple(names), "groups": (points[0].label,)}
        labels |= {word: tuple(label for label, _, _ in values) for word, values in axes.items()}
    return Plan(file, text, cities, tuple(points), labels)


def need_keys(made: object, known: Sequence[str], place: str, file: str) -> Mapping[str, Any]:
    """Check that something has keys and values, and no other keys than the known ones.

    Raises
    ------
    ProblemError
        It has not.
    """
    if not isinstance(made, Mapping):
        raise wrong(made, place, f"keys and values ({', '.join(known)})", file)
    for key in made:
        if key not in known:
            msg = f"there is no key {shown(key)} here"
            at = f"{place}.{key}" if place else str(key)
            raise ProblemError(msg, file=file, field=at, mend=f"Use {', '.join(known)}")
    return made


def wrong(value: object, place: str, wanted: str, file: str) -> ProblemError:
    """Error for a value that is of the wrong type."""
    msg = f"{shown(value)} is not {wanted}"
    return ProblemError(msg, file=file, field=place or None, mend=f"Give {wanted}")


def _section(content: Mapping[str, Any], name: str, file: str) -> Mapping[Any, Any]:
    made = content.get(name)
    if made is None:
        return {}
    if not isinstance(made, Mapping):
        raise wrong(made, name, "words and values, such as theta: 500", file)
    return made


def _cities(given: object, file: str, folder: Path) -> tuple[Source, ...]:
    entries = given if isinstance(given, list) else [] if given is None else [given]
    if not entries:
        msg = "the sweep names no city"
        mend = "Write for example cities: [san-francisco], or a file or folder"
        raise ProblemError(msg, file=file, field="cities", mend=mend)
    made = [_city(entry, f"cities[{k}]", file, folder) for k, entry in enumerate(entries)]
    names = [city.name for city in made]
    for k, name in enumerate(names):
        if name in names[:k]:
            msg = f"two cities are called {shown(name)}"
            mend = "Give each a name of its own"
            raise ProblemError(msg, file=file, field=f"cities[{k}]", mend=mend)
    return tuple(made)


def _city(entry: object, place: str, file: str, folder: Path) -> Source:
    if isinstance(entry, str) and entry.strip():
        where = absolute(entry.strip(), folder)
        # A name for which there is no file may be given one, by --city.
        is_path = is_built_in(entry) or Path(where).exists()
        return Source(entry.strip(), where if is_path else None, {}, place)
    if not isinstance(entry, Mapping):
        raise wrong(entry, place, "the name of a city, or its name and path", file)
    need_keys(entry, _CITY_KEYS, place, file)
    options = dict(entry)
    texts = {key: options.pop(key, None) for key in ("name", "path")}
    for key, value in texts.items():
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise wrong(value, f"{place}.{key}", "text", file)
    for key in _CITY_FILES:
        if key in options:
            if not isinstance(options[key], str):
                raise wrong(options[key], f"{place}.{key}", "the name of a file", file)
            options[key] = absolute(options[key], folder)
    for key in _FILES_OR_MORE:
        if isinstance(options.get(key), str):
            options[key] = absolute(options[key], folder)
        elif isinstance(options.get(key), list):
            options[key] = [
                absolute(each, folder) if isinstance(each, str) else each for each in options[key]
            ]
    name = texts["name"] or texts["path"]
    if name is None:
        msg = "the city has neither a name nor a path"
        raise ProblemError(msg, file=file, field=place, mend="Give it a name and a path")
    file_of_it = None if texts["path"] is None else absolute(texts["path"], folder)
    return Source(name, file_of_it, options, place)


_Axis = list[tuple[Any, Any, str]]


def _axes(
    given: Mapping[Any, Any], fixed: Mapping[str, Any], file: str
) -> tuple[dict[str, _Axis], dict[str, dict[str, Any]]]:
    """Read the grid: label, value and place of each value, by word; and its sets of groups."""
    made: dict[str, _Axis] = {}
    sets: dict[str, dict[str, Any]] = {}
    for word, values in given.items():
        place = f"grid.{word}"
        if word in fixed:
            msg = f"{shown(word)} is both in the grid and fixed"
            raise ProblemError(msg, file=file, field=place, mend="Leave it out of one of them")
        if word == "groups":
            if not isinstance(values, Mapping):
                raise wrong(values, place, "sets of groups, each under a label", file)
            sets = {
                str(label): _groups(groups, f"{place}.{label}", file)
                for label, groups in values.items()
            }
            axis: _Axis = [(label, groups, f"{place}.{label}") for label, groups in sets.items()]
        elif isinstance(values, list):
            axis = [(_label(each), each, f"{place}[{k}]") for k, each in enumerate(values)]
        else:
            axis = [(_label(values), values, place)]
        if not axis:
            msg = "the grid has no points: a word has no value"
            raise ProblemError(msg, file=file, field=place, mend="Give it one value at least")
        seen = set()
        for label, _, at in axis:
            if label in seen:
                msg = f"{shown(label)} stands there twice"
                raise ProblemError(msg, file=file, field=at, mend="Name each value once")
            seen.add(label)
        made[str(word)] = axis
    return made, sets


def _label(value: Any) -> Any:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    return json.dumps(value, default=str)


def _groups(given: object, place: str, file: str) -> dict[str, Any]:
    """Check a set of groups; returns it in JSON's types."""
    if not isinstance(given, Mapping) or not given:
        mend = "Write for example children: {ages: [0, 15], weight: 2}"
        msg = f"{shown(given)} is not a set of groups"
        raise ProblemError(msg, file=file, field=place, mend=mend)
    made = {}
    for name, group in given.items():
        try:
            made[str(name)] = Group.from_dict(group).to_dict()
        except ProblemError as error:
            at = f"{place}.{name}"
            raise ProblemError(error.what, file=file, field=at, mend=error.mend) from error
    return made


def _words(given: Mapping[Any, Any], place: str, file: str) -> dict[str, Any]:
    """Words of points, in JSON's types."""
    made = {str(word): value for word, value in given.items()}
    if "groups" in made:
        made["groups"] = _groups(made["groups"], f"{place}.groups", file)
    try:
        json.dumps(made, allow_nan=True)
    except (TypeError, ValueError) as error:
        # A date, for one, which YAML makes of 2026-01-01.
        msg = "there is a value that is neither number nor text nor a list of them"
        raise ProblemError(msg, file=file, field=place, mend="Put it in quotation marks") from error
    return made


def _grid(
    cities: Sequence[str],
    axes: Mapping[str, _Axis],
    fixed: Mapping[str, Any],
    task: str,
    report: bool,
    file: str,
) -> Iterator[Point]:
    if not axes:
        return
    around = dict.fromkeys(fixed, "fixed")
    spots = [range(len(values)) for values in axes.values()]
    everything = itertools.product(range(len(cities)), *spots)
    for number, (city, *at) in enumerate(everything, start=1):
        chosen = [values[k] for values, k in zip(axes.values(), at, strict=True)]
        own = {word: value for word, (_, value, _) in zip(axes, chosen, strict=True)}
        words = _words({**fixed, **own}, "grid", file)
        places = {word: f"fixed.{word}" for word in around} | {"task": "task"}
        places |= {word: place for word, (_, _, place) in zip(axes, chosen, strict=True)}
        label = axes["groups"][at[list(axes).index("groups")]][0] if "groups" in axes else ""
        spot = {"city": city, "groups": 0} | dict(zip(axes, at, strict=True))
        yield Point(
            number, cities[city], task, label or label_of(task, words), words, places, "grid", spot,
            report and task == "optimise",
        )  # fmt: skip


def _listed(
    entry: object,
    place: str,
    cities: Sequence[str],
    sets: Mapping[str, Any],
    fixed: Mapping[str, Any],
    task: str,
    report: bool,
    before: int,
    file: str,
) -> Iterator[Point]:
    """Make the points of an entry of the list: one, or where it names no city one for each."""
    if not isinstance(entry, Mapping) or not entry:
        raise wrong(entry, place, "a point, such as {theta: 500, n_sensors: 20}", file)
    own = {str(word): value for word, value in entry.items()}
    task, report = own.pop("task", task), own.pop("report", report)
    city = own.pop("city", None)
    if not isinstance(task, str):
        raise wrong(task, f"{place}.task", "the name of a task", file)
    if not isinstance(report, bool):
        raise wrong(report, f"{place}.report", "true or false", file)
    if city is not None and city not in cities:
        msg = f"the sweep has no city {shown(city)}"
        mend = f"Use {', '.join(cities)}, or add it to cities"
        raise ProblemError(msg, file=file, field=f"{place}.city", mend=mend)
    label = ""
    if isinstance(own.get("groups"), str):
        label = own["groups"]
        if label not in sets:
            msg = f"the grid has no set of groups {shown(label)}"
            mend = f"Use {', '.join(sets)}" if sets else "Write the groups themselves"
            raise ProblemError(msg, file=file, field=f"{place}.groups", mend=mend)
        own["groups"] = sets[label]
    words = {**fixed, **_words(own, place, file)}
    places = {word: f"{place}.{word}" if word in own else f"fixed.{word}" for word in words}
    places["task"] = f"{place}.task" if "task" in entry else "task"
    for k, name in enumerate(cities if city is None else [city]):
        yield Point(
            before + k + 1, name, task, label or label_of(task, words), words, places, place,
            report=report and task == "optimise",
        )  # fmt: skip

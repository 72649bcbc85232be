"""The original system's ``config.yml`` as a sweep.

Its scripts made networks by a greedy method for every objective alone, fronts by NSGA-II for all
objectives and for two of them, and networks at random, each for every theta and number of sensors
under ``generate``. Here the networks are the proven best where that can be had, fronts come from
`spineq.trade_off`, and random networks have no site twice (the original drew with replacement).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from spineq.errors import ProblemError, shown
from spineq.model.groups import Group
from spineq.sweeps.points import Plan, Point, Source

#: Keys that only such a file has.
_OWN = ("la", "objectives", "optimisation")

#: Keys by place; None for what may hold anything.
_KNOWN: Mapping[str, tuple[str, ...] | None] = {
    "": ("la", "save_dir", "objectives", "optimisation", "urb_obs", "figures", "report"),
    "objectives": ("population_groups", "workplace"),
    "objectives.workplace": ("weight", "title"),
    "optimisation": (
        "theta", "n_sensors", "networks_dir", "single_objective", "multi_objectives",
        "two_objectives", "random",
    ),
    "optimisation.theta": ("default", "generate"),
    "optimisation.n_sensors": ("default", "generate"),
    "optimisation.single_objective": ("filename",),
    "optimisation.multi_objectives": ("gen", "population_size", "seed", "filename"),
    "optimisation.two_objectives": ("gen", "population_size", "seed", "objectives", "filename"),
    "optimisation.random": ("n", "seed", "filename"),
    "urb_obs": ("save_dir", "filename"),
    "figures": None,
    "report": None,
}  # fmt: skip

#: Keys that have a meaning here; ``default`` stands for ``generate`` where that is missing.
_MEANT = ("weight", "title", "default", "generate", "objectives", "n")
_MEANT_AT = ("la", "objectives.population_groups", "optimisation.random.seed")

#: Sections about what was done with the networks afterwards.
_ELSEWHERE = ("urb_obs", "figures", "report")

_WORKPLACE = "workplace"


def is_original(content: Mapping[str, Any]) -> bool:
    """Whether a configuration is one of the original system's."""
    return any(key in content for key in _OWN) and not {"cities", "grid"} & set(content)


def read_original(content: Mapping[str, Any], file: str, text: str) -> Plan:
    """Make a sweep of the original system's configuration.

    Raises
    ------
    ProblemError
        An unknown key, a value of the wrong type, or nothing that could be computed.
    """
    reader = _Reader(file)
    for place in _KNOWN:
        reader.section(content, place)
    name = content.get("la")
    if not isinstance(name, str) or not name.strip():
        raise reader.wrong(name, "la", "the name of a local authority")
    source = Source(name.strip(), None, {}, "la")
    groups = reader.groups(content)
    optimisation = reader.section(content, "optimisation")
    thetas = reader.numbers(optimisation, "theta")
    counts = reader.numbers(optimisation, "n_sensors")
    made = _Points(source.name, thetas, counts)
    labels: tuple[str, ...] = ()
    if "single_objective" in optimisation:
        labels = tuple(groups)
        for k, label in enumerate(labels):
            made.add("optimise", label, {"groups": {label: groups[label]}}, k)
    if "multi_objectives" in optimisation:
        made.add("trade_off", "all objectives", {"groups": groups})
    if "two_objectives" in optimisation:
        two = reader.two(optimisation, groups)
        made.add("trade_off", ", ".join(two), {"groups": {each: groups[each] for each in two}})
    if "random" in optimisation:
        section = reader.section(content, "optimisation.random")
        words = {"n_networks": section.get("n", 10_000), "groups": groups}
        if "seed" in section:
            words["seed"] = section["seed"]
        made.add("random", "all objectives", words)
    if not made.points:
        msg = "nothing is to be computed"
        mend = "Give single_objective, multi_objectives, two_objectives or random"
        raise ProblemError(msg, file=file, field="optimisation", mend=mend)
    axes = {"city": (source.name,), "groups": labels, "theta": thetas, "n_sensors": counts}
    note = reader.note()
    return Plan(
        file, text, (source,), tuple(made.points), axes if labels else {}, (note,) if note else ()
    )


class _Points:
    """Points for every theta and number of sensors."""

    def __init__(self, city: str, thetas: Sequence[Any], counts: Sequence[Any]) -> None:
        self._city, self._thetas, self._counts = city, thetas, counts
        self.points: list[Point] = []

    def add(self, task: str, label: str, words: Mapping[str, Any], at: int | None = None) -> None:
        """Add a question, which is on the grid if it has a place there."""
        for (i, theta), (j, n) in itertools.product(
            enumerate(self._thetas), enumerate(self._counts)
        ):
            places = {
                "theta": f"optimisation.theta.generate[{i}]",
                "n_sensors": f"optimisation.n_sensors.generate[{j}]",
                "groups": "objectives",
                "n_networks": "optimisation.random.n",
                "seed": "optimisation.random.seed",
            }
            spot = None if at is None else {"city": 0, "groups": at, "theta": i, "n_sensors": j}
            asked = {"theta": theta, "n_sensors": n, **words}
            number = len(self.points) + 1
            self.points.append(
                Point(number, self._city, task, label, asked, places, "optimisation", spot)
            )


class _Reader:
    """Reads parts of the file, and remembers what has no meaning here."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._idle: dict[str, None] = {}

    def wrong(self, value: object, place: str, wanted: str) -> ProblemError:
        """Error for a value of the wrong type."""
        msg = f"{shown(value)} is not {wanted}"
        return ProblemError(msg, file=self._file, field=place, mend=f"Give {wanted}")

    def section(self, content: Mapping[str, Any], place: str) -> Mapping[str, Any]:
        """Find a section, and refuse keys that it cannot have."""
        made: Any = content
        for name in filter(None, place.split(".")):
            made = made.get(name)
            if made is None:
                return {}
            if not isinstance(made, Mapping):
                raise self.wrong(made, place, "keys and values")
        known = _KNOWN.get(place)
        for key in made:
            at = f"{place}.{key}" if place else str(key)
            if known is not None and key not in known:
                msg = f"there is no key {shown(key)} here"
                mend = f"Use {', '.join(known)}"
                raise ProblemError(msg, file=self._file, field=at, mend=mend)
            if at not in _KNOWN and at not in _MEANT_AT and key not in _MEANT:
                root = place.split(".")[0]
                self._idle[root if root in _ELSEWHERE else str(key)] = None
        found: Mapping[str, Any] = made
        return found

    def groups(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Describe the objectives as groups, in JSON's types."""
        objectives = self.section(content, "objectives")
        made = {}
        given = objectives.get("population_groups") or {}
        if not isinstance(given, Mapping):
            raise self.wrong(given, "objectives.population_groups", "age groups by name")
        for name, words in given.items():
            place = f"objectives.population_groups.{name}"
            if not isinstance(words, Mapping):
                raise self.wrong(words, place, "an age group, such as {min: 0, max: 15}")
            known = ("min", "max", "weight", "title")
            for key in words:
                if key not in known:
                    msg = f"there is no key {shown(key)} here"
                    at, mend = f"{place}.{key}", f"Use {', '.join(known)}"
                    raise ProblemError(msg, file=self._file, field=at, mend=mend)
            ages = (words.get("min", 0), words.get("max", 90))
            made[str(name)] = self._group(words, place, ages=ages)
        if objectives.get(_WORKPLACE) is not None:
            place = f"objectives.{_WORKPLACE}"
            if _WORKPLACE in made:
                msg = f"an age group has the name {_WORKPLACE}, which is that of the workers"
                raise ProblemError(msg, file=self._file, field=place, mend="Call it otherwise")
            made[_WORKPLACE] = self._group(objectives[_WORKPLACE], place, column="workers")
        if not made:
            msg = "there is no objective"
            mend = "Give population_groups or workplace"
            raise ProblemError(msg, file=self._file, field="objectives", mend=mend)
        return made

    def _group(self, words: Mapping[str, Any], place: str, **who: Any) -> dict[str, Any]:
        given = {key: words[key] for key in ("weight", "title") if key in words}
        try:
            return Group(**who, **given).to_dict()
        except ProblemError as error:
            raise ProblemError(error.what, file=self._file, field=place, mend=error.mend) from error

    def numbers(self, optimisation: Mapping[str, Any], name: str) -> tuple[Any, ...]:
        """Values of theta or of the number of sensors: those to generate, or the default."""
        place = f"optimisation.{name}"
        section = optimisation.get(name) or {}
        generate = section.get("generate", section.get("default"))
        made = generate if isinstance(generate, list) else [generate]
        if not made or None in made:
            msg = "there is no value to compute"
            mend = f"Give {name} under generate"
            raise ProblemError(msg, file=self._file, field=place, mend=mend)
        for k, value in enumerate(made):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise self.wrong(value, f"{place}.generate[{k}]", "a number")
            if value in made[:k]:
                msg = f"{shown(value)} stands there twice"
                at = f"{place}.generate[{k}]"
                raise ProblemError(msg, file=self._file, field=at, mend="Name each value once")
        return tuple(made)

    def two(self, optimisation: Mapping[str, Any], groups: Mapping[str, Any]) -> list[str]:
        """Names of the two objectives."""
        place = "optimisation.two_objectives.objectives"
        names = (optimisation.get("two_objectives") or {}).get("objectives")
        if not isinstance(names, list) or len(names) != 2 or names[0] == names[1]:
            raise self.wrong(names, place, "a list of two objectives")
        for k, name in enumerate(names):
            if not isinstance(name, str) or name not in groups:
                msg = f"there is no objective {shown(name)}"
                mend = f"Use {', '.join(groups)}"
                raise ProblemError(msg, file=self._file, field=f"{place}[{k}]", mend=mend)
        return [str(name) for name in names]

    def note(self) -> str:
        """Name the keys that have no meaning here; empty where there is none."""
        if not self._idle:
            return ""
        return (
            f"these keys of the original have no meaning here: {', '.join(self._idle)} "
            "(--output says where files go, and fronts are searched for in another way)."
        )

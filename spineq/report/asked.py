"""What a report is asked: the parameters of its notebook, checked, and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spineq.errors import ProblemError, UnreadableFileError, shown
from spineq.model._problem_checks import whole
from spineq.model.groups import GROUPS, Group
from spineq.model.problem import Problem
from spineq.report.yaml_files import read_settings, read_value

if TYPE_CHECKING:
    from spineq.model.city import City

#: Sections that take longer, which a report may leave out.
SECTIONS = ("places", "alternatives", "fewer", "sure")

#: Scenarios that a report may be asked for at most.
MOST_SCENARIOS = 1_000

#: Number of sensors where none is said.
DEFAULT_N = 20

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Parameters of the notebook of a report, in JSON's types.

    Parameters
    ----------
    city
        A file, a folder, ``"san-francisco"``, ``"synthetic:AREAS"``, or the digest of a city that
        the store has.
    city_options
        Words of `spineq.read_city` for a file or folder, such as ``crs``.
    n_sensors
        Number of sensors to place; None for 20, or for as many as a budget in ``rules`` allows.
    theta
        Distance at which coverage has fallen to 37 %, metres; in the unit of the city's travel
        costs where it has any.
    groups
        Who matters: names of the usual four and of groups that stand at points of their own, or
        ``{name: {"ages": [0, 15], "weight": 2}}`` and ``{name: {"column": "workers"}}``; None
        for all of the four that the city has data for, and all that stand at points of their own.
    weights
        Weights of groups by name, in place of their own.
    method
        Solver, as for `spineq.optimise`.
    rules
        Further fields of `spineq.Problem`, such as ``{"keep": "existing", "min_spacing": 200}``.
    existing
        File of the existing sensors; None for those that the city has.
    by
        Column by whose value in their area people are divided into tenths; None for how densely
        people live there.
    sections
        Which of the sections that take longer the report has: some of ``"places"`` (why these
        places), ``"alternatives"``, ``"fewer"`` (how few, and which to move) and ``"sure"``
        (what if sensors fail, or numbers differ); None for all, as far as the city's size allows.
    refuse
        Whether it is worked out, by proof, what it costs to do without each place; None where
        that is not long.
    scenarios
        Number of scenarios with other numbers of people and another theta in which the network is
        worked out again, 0 to 1,000; None for as many as the city's size allows.
    store
        Folder or URL of a queue's jobs, whose answers are used where it has them; None to compute
        here.
    scheduler
        Address of a Dask scheduler that is to compute what the store lacks; needs ``store``.
    output
        Folder for figures and data; None to write none.
    """

    city: str = "san-francisco"
    city_options: Mapping[str, Any] = field(default_factory=dict)
    n_sensors: int | None = None
    theta: float | None = None
    groups: Any = None
    weights: Mapping[str, float] = field(default_factory=dict)
    method: str = "auto"
    rules: Mapping[str, Any] = field(default_factory=dict)
    existing: str | None = None
    by: str | None = None
    sections: Sequence[str] | None = None
    refuse: bool | None = None
    scenarios: int | None = None
    store: str | None = None
    scheduler: str | None = None
    output: str | None = None

    def __post_init__(self) -> None:
        """Check types; what the values mean is checked with the city."""
        for name in ("city", "method"):
            _need(name, getattr(self, name), str)
        for name in ("existing", "by", "store", "scheduler", "output"):
            if getattr(self, name) is not None:
                _need(name, getattr(self, name), str)
        for name in ("city_options", "weights", "rules"):
            # YAML writes an empty one as nothing.
            object.__setattr__(self, name, getattr(self, name) or {})
            _need(name, getattr(self, name), Mapping)
        _check_sections(self.sections, self.refuse, self.scenarios)
        if self.scheduler is not None and self.store is None:
            msg = "a scheduler has nowhere to keep its answers"
            raise ProblemError(msg, field="store", mend="Name a store too, or leave out scheduler")

    @classmethod
    def from_dict(cls, words: object) -> Parameters:
        """Take parameters as a file or a command line has them.

        Raises
        ------
        ProblemError
            They are no dictionary, one does not exist, or is of the wrong type.
        """
        if not isinstance(words, Mapping):
            msg = f"the parameters must be names with values, not {shown(words)}"
            raise ProblemError(msg, field="parameters", mend="Write for example n_sensors: 20")
        known = [one.name for one in fields(cls)]
        unknown = [name for name in words if name not in known]
        if unknown:
            msg = f"a report has no parameter {shown(unknown[0])}"
            mend = f"Use {', '.join(known)}; other fields of a problem go into rules"
            raise ProblemError(msg, field=unknown[0], mend=mend)
        return cls(**words)


def _need(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind) or (kind is str and not value):
        words = "a text" if kind is str else "names with values"
        msg = f"{name} must be {words}, not {shown(value)}"
        mend = f"Write for example {name}: {{}}" if kind is not str else f"Write {name} as a text"
        raise ProblemError(msg, field=name, mend=mend)


def _check_sections(sections: object, refuse: object, scenarios: object) -> None:
    if sections is not None:
        known = f"Use some of {', '.join(SECTIONS)}; [] for none"
        if not isinstance(sections, list | tuple):
            msg = f"sections must be a list of names, not {shown(sections)}"
            raise ProblemError(msg, field="sections", mend=known)
        for name in sections:
            if name not in SECTIONS:
                msg = f"a report has no section {shown(name)} that may be left out"
                raise ProblemError(msg, field="sections", mend=known)
    if refuse is not None and not isinstance(refuse, bool):
        msg = f"refuse must be true or false, not {shown(refuse)}"
        raise ProblemError(msg, field="refuse", mend="Write refuse: false, or leave it out")
    if scenarios is not None:
        whole(scenarios, "scenarios", 0, MOST_SCENARIOS)


@dataclass(frozen=True, eq=False)
class Question:
    """What a report is about.

    Parameters
    ----------
    city, problem
        Where, and what is asked.
    by
        Column whose tenths are shown; None for density.
    store, scheduler
        Where answers are kept, and who computes them.
    """

    city: City
    problem: Problem
    by: str | None = None
    store: str | None = None
    scheduler: str | None = None


def question_of(parameters: Parameters, city: City | None = None) -> Question:
    """Make the city and the problem that parameters name, and check them against each other.

    Parameters
    ----------
    parameters
        What is asked.
    city
        The city itself, in place of the one that they name.

    Raises
    ------
    SpineqError
        A value is out of its range, a file is missing or does not add up, the city lacks the data
        of a group, or what is asked cannot be; the sentence names the parameter.
    """
    city = city_of(parameters, city)
    problem = problem_of(parameters, city)
    if parameters.by is not None:
        city.people(Group(column=parameters.by))
    return Question(city, problem, parameters.by, parameters.store, parameters.scheduler)


def city_of(parameters: Parameters, city: City | None = None) -> City:
    """Make the city that parameters name, or take the one given, with their existing sensors.

    Raises
    ------
    SpineqError
        It cannot be made.
    """
    from spineq.data.files import read_table

    city = _named_city(parameters) if city is None else city
    if parameters.existing is not None:
        file = Path(parameters.existing)
        city = city.with_existing(read_table(file), file=file)
    return city


def _named_city(parameters: Parameters) -> City:
    from spineq.data.named import city_named, is_built_in

    where, store = parameters.city, parameters.store
    is_digest = _DIGEST.fullmatch(where) is not None and not is_built_in(where)
    if store is not None and is_digest and not Path(where).exists():
        from spineq.jobs.queue import JobQueue

        with JobQueue(store=store, connect=False) as queue:
            return queue.load_city(where)
    if is_built_in(where) and parameters.city_options:
        msg = f"{where} is built in and takes no {next(iter(parameters.city_options))}"
        raise ProblemError(msg, field="city_options", mend="Leave city_options out")
    try:
        return city_named(where, **parameters.city_options)
    except TypeError as error:
        msg = f"city_options has a word that read_city does not know ({error})"
        mend = "Use its words, such as crs, sites, points, travel"
        raise ProblemError(msg, field="city_options", mend=mend) from error


def problem_of(parameters: Parameters, city: City) -> Problem:
    """Make the problem that parameters mean for a city.

    Raises
    ------
    SpineqError
        A value is out of its range, or what is asked cannot be.
    """
    from spineq.instance import check, problem_for

    rules = dict(parameters.rules)
    twice = sorted({"n_sensors", "theta", "groups", "method"} & set(rules))
    if twice:
        msg = f"{twice[0]} is a parameter of its own"
        raise ProblemError(msg, field="rules", mend=f"Write {twice[0]} beside rules, not in it")
    words = {"groups": {}, "method": parameters.method} | rules
    if rules.get("kinds"):
        msg = "a report is about sensors of one kind"
        raise ProblemError(msg, field="kinds", mend="Leave kinds out of the rules")
    if parameters.n_sensors is not None and "budget" in rules:
        msg = "a number of sensors and a budget are both given"
        raise ProblemError(msg, field="n_sensors", mend="Leave out one of them")
    if parameters.n_sensors is not None:
        words["n_sensors"] = parameters.n_sensors
    elif not any(rules.get(name) for name in ("budget", "reach", "retire", "move_at_most")):
        words["n_sensors"] = DEFAULT_N
    if parameters.theta is not None:
        words["theta"] = parameters.theta
    made = Problem.from_dict(words)
    groups = _groups(parameters, city)
    problem = replace(made, groups=tuple(groups.items()))
    if parameters.theta is None:
        # Asked of somebody who knows the unit.
        problem_for(city, None, {"n_sensors": 1})
    check(city, problem)
    return problem


def _groups(parameters: Parameters, city: City) -> dict[str, Group]:
    """Read the groups, with the weights that stand beside them."""
    made = _named_groups(parameters.groups, city)
    for name, weight in parameters.weights.items():
        if name not in made:
            msg = f"there is no group {shown(name)} to give a weight"
            raise ProblemError(msg, field="weights", mend=f"Use {', '.join(made)}")
        made[name] = replace(made[name], weight=weight)
    return made


def _named_groups(given: Any, city: City) -> dict[str, Group]:
    if given is None:
        # A city with none of the four has its columns.
        return city.reported_groups() or {name: Group(column=name) for name in city.columns[:1]}
    if isinstance(given, str):
        given = [given]
    if isinstance(given, list | tuple):
        known = dict(GROUPS) | {name: Group(column=name) for name in city.point_groups}
        unknown = [name for name in given if not isinstance(name, str) or name not in known]
        if unknown or not given:
            msg = f"{shown(unknown[0])} is none of the usual groups" if unknown else "no group"
            mend = f"Use {', '.join(known)}, or describe it as {{name: {{ages: [0, 15]}}}}"
            raise ProblemError(msg, field="groups", mend=mend)
        return {name: known[name] for name in given}
    if not isinstance(given, Mapping) or not given:
        msg = f"the groups must be names, or names with who they are, not {shown(given)}"
        mend = "Write for example {children: {ages: [0, 15], weight: 2}}"
        raise ProblemError(msg, field="groups", mend=mend)
    made = {}
    for name, group in given.items():
        usual = GROUPS.get(name) if isinstance(name, str) and group is None else None
        made[name] = usual or (group if isinstance(group, Group) else Group.from_dict(group))
    return made


def absolute_store(store: str | None) -> str | None:
    """Name a store so that it is found from any folder; an address stays as it is."""
    return store if store is None or "://" in store else str(Path(store).expanduser().absolute())


def read_parameters(path: str | Path) -> dict[str, Any]:
    """Read parameters of a report from a file in YAML or JSON, such as the panel shows them.

    Raises
    ------
    MissingFileError
        There is no such file.
    UnreadableFileError
        It is not YAML, a key stands twice, or it has no names with values.
    """
    return dict(read_settings(path, mend="Write for example n_sensors: 20")[1])


def read_parameter(text: str) -> tuple[str, Any]:
    """Read ``NAME=VALUE``, the value in YAML.

    Raises
    ------
    ProblemError
        It is not of that form.
    """
    name, equals, value = text.partition("=")
    mend = "Write for example -p n_sensors=20"
    if not equals or not name.strip():
        msg = f"{shown(text)} is not NAME=VALUE"
        raise ProblemError(msg, field="-p", mend=mend)
    try:
        return name.strip(), read_value(value, mend=mend)
    except UnreadableFileError as error:
        msg = f"the value of {shown(name.strip())} cannot be read: {error.what}"
        raise ProblemError(msg, field="-p", mend=mend) from error

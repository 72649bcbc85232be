"""Tasks that ask about a network: `explain`, `robustness`, `alternatives`."""

from __future__ import annotations

import base64
import importlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spineq.errors import ProblemError, shown
from spineq.jobs.tasks import Asked, Task
from spineq.progress import Report, Watcher

if TYPE_CHECKING:
    from spineq.insight.alternatives import Alternatives
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.progress import Progress

#: Raised when the same question gets another answer.
_VERSION = 1


@dataclass(frozen=True)
class _Question:
    """A function that is asked about a network, and what its answer is.

    Parameters
    ----------
    name
        Of the function, the task, and the module.
    words
        What it may be asked beside city and network: default, and what brings an accepted value
        into the one form that it has among the parameters.
    dump, load
        Bytes of an answer, and back.
    """

    name: str
    words: Mapping[str, tuple[Any, Callable[[Any], Any]]]
    dump: Callable[[Any], bytes]
    load: Callable[[bytes], Any]

    @property
    def function(self) -> Callable[..., Any]:
        """The function."""
        found: Callable[..., Any] = getattr(
            importlib.import_module(f"spineq.insight.{self.name}"), self.name
        )
        return found

    def check(self, city: City | None, parameters: Mapping[str, Any]) -> Asked:
        """Check what is asked; the network may be one, or what `carried` made of it."""
        from spineq.insight.carried import carried, remade
        from spineq.jobs.records import digest
        from spineq.model.network import Network

        assert city is not None  # check_asked saw to it
        known = ("network", *self.words)
        unknown = sorted(set(parameters) - set(known))
        if unknown:
            msg = f"the task {self.name!r} has no parameter {shown(unknown[0])}"
            raise ProblemError(msg, field=unknown[0], mend=f"Use {', '.join(known)}")
        if "network" not in parameters:
            msg = "the network is missing"
            raise ProblemError(msg, field="network", mend="Give it as network=net")
        net = parameters["network"]
        if not isinstance(net, Network):
            net = remade(city, net)
        how = {name: _plain(parameters.get(name, word)) for name, (word, _) in self.words.items()}
        # What is wrong with a value is said before anything is computed: the function looks at
        # them first, and is stopped at once.
        self.function(city, net, **how, progress=_Stop())
        how = {name: form(how[name]) for name, (_, form) in self.words.items()}
        described = carried(city, net)
        # The titles of groups make no other question: the digest is without them.
        rest = json.dumps({**described, **how, "problem": ""}, sort_keys=True)
        question = digest(net.problem.digest, rest)
        return Asked({"network": described} | how, self.version(), question)

    def run(self, city: City, progress: Progress, **parameters: Any) -> Any:
        """Ask it."""
        from spineq.insight.carried import remade

        net = remade(city, parameters.pop("network"))
        return self.function(city, net, **parameters, progress=progress)

    def version(self, parameters: Mapping[str, Any] | None = None) -> str:
        """Versions of the question and of the solver that it asks."""
        from spineq.solvers import method_named

        name, method = method_named("auto")
        return f"{self.name}-{_VERSION},{name}-{method.version}"

    @property
    def task(self) -> Task:
        """The question as a task."""
        return Task(
            name=self.name,
            function=self.run,
            check=self.check,
            version_of=self.version,
            dump=self.dump,
            load=self.load,
            is_partial=_was_stopped,
            needs_city=True,
        )


class _Stop(Watcher):
    """Stops whatever it watches at once."""

    def hear(self, report: Report) -> bool:
        """Ask to stop."""
        return True


def _was_stopped(answer: Any) -> bool:
    return bool(answer.stopped)


def _plain(value: Any) -> Any:
    """Value in JSON's types: numbers of other libraries are plain ones, tuples lists."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        msg = f"refuse must be true or false, not {shown(value)}"
        raise ProblemError(msg, field="refuse", mend="Give refuse=True, or leave it out")
    return value


def _site(value: Any) -> str | None:
    return None if value is None else str(value).strip()


def _chances(value: Any) -> Any:
    if value is None:
        return None
    return [float(each) for each in value] if isinstance(value, list) else float(value)


def _dump(answer: Any) -> bytes:
    # Numbers and flags of numpy are plain ones.
    return json.dumps(answer.to_dict(), allow_nan=False, default=lambda each: each.item()).encode()


def _loads(module: str, name: str) -> Callable[[bytes], Any]:
    """What reads answers of a class that rebuilds itself from a dictionary."""

    def load(data: bytes) -> Any:
        answer = getattr(importlib.import_module(module), name)
        try:
            return answer.from_dict(json.loads(data))
        except (AttributeError, KeyError, TypeError) as error:
            msg = f"this is no {name} ({error})"
            raise ValueError(msg) from error

    return load


#: What a JSON of alternatives has beside networks: of all of them, and of each.
_OF_ALL = ("asked", "min_different", "exhausted", "stopped")
_OF_EACH = ("value", "bound", "proven", "loss", "comes", "goes")


def _dump_alternatives(answer: Alternatives) -> bytes:
    """Write alternatives with their networks, each as the bytes of its file."""

    def plain(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    made = {name: getattr(answer, name) for name in _OF_ALL}
    found = [
        {name: plain(getattr(each, name)) for name in _OF_EACH} | {"network": _text(each.network)}
        for each in answer.found
    ]
    return json.dumps(made | {"network": _text(answer.network), "found": found}).encode()


def _text(network: Network) -> str:
    return base64.b64encode(network.to_bytes()).decode()


def _load_alternatives(data: bytes) -> Alternatives:
    """Read what `_dump_alternatives` wrote."""
    from spineq.insight.alternatives import Alternative, Alternatives
    from spineq.model.network import network_from_bytes

    try:
        made = json.loads(data)
        found = []
        for each in made["found"]:
            words = {name: each[name] for name in _OF_EACH}
            words["bound"] = math.inf if words["bound"] is None else words["bound"]
            words |= {name: tuple(words[name]) for name in ("comes", "goes")}
            found.append(
                Alternative(network_from_bytes(base64.b64decode(each["network"])), **words)
            )
        network = network_from_bytes(base64.b64decode(made["network"]))
        return Alternatives(network, tuple(found), **{name: made[name] for name in _OF_ALL})
    except (AttributeError, KeyError, TypeError) as error:
        msg = f"these are no alternatives ({error})"
        raise ValueError(msg) from error


_QUESTIONS = (
    _Question(
        "explain",
        {"site": (None, _site), "refuse": (True, _flag), "near": (500.0, float)},
        _dump,
        _loads("spineq.insight.explain", "Explanation"),
    ),
    _Question(
        "robustness",
        {"failures": (1, int), "probability": (None, _chances)},
        _dump,
        _loads("spineq.insight.robustness", "Robustness"),
    ),
    _Question(
        "alternatives",
        {"k": (3, int), "min_different": (1, int)},
        _dump_alternatives,
        _load_alternatives,
    ),
)

#: The tasks by name.
TASKS = {question.name: question.task for question in _QUESTIONS}

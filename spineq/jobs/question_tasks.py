"""Tasks that ask about a network: `explain`, `robustness`, `alternatives`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spineq.errors import ProblemError, shown
from spineq.jobs.tasks import Asked, Task

if TYPE_CHECKING:
    from spineq.model.city import City
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
    answer
        Module and name of the class of its answer.
    words
        What it may be asked beside city and network, with defaults.
    """

    name: str
    answer: tuple[str, str]
    words: Mapping[str, Any]

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
        how = {name: _plain(parameters.get(name, word)) for name, word in self.words.items()}
        # What is wrong with a value is said before anything is computed: the function looks at
        # them first, and is stopped at once.
        self.function(city, net, **how, progress=_Stop())
        return Asked({"network": carried(city, net)} | how, str(self.version()))

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

    def dump(self, answer: Any) -> bytes:
        """Write an answer."""
        return json.dumps(answer.to_dict(), allow_nan=False).encode()

    def load(self, data: bytes) -> Any:
        """Read an answer."""
        module, name = self.answer
        return getattr(importlib.import_module(module), name).from_dict(json.loads(data))

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


class _Stop:
    """Stops whatever it watches at once."""

    def report(
        self,
        fraction: float,
        message: str = "",
        value: float | None = None,
        bound: float | None = None,
    ) -> bool:
        """Ask to stop."""
        return True


def _was_stopped(answer: Any) -> bool:
    return bool(answer.stopped)


def _plain(value: Any) -> Any:
    """Value in JSON's types: numbers of other libraries are plain ones, tuples lists."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


_QUESTIONS = (
    _Question(
        "explain",
        ("spineq.insight.explain", "Explanation"),
        {"site": None, "refuse": True, "near": 500.0},
    ),
    _Question(
        "robustness",
        ("spineq.insight.robustness", "Robustness"),
        {"failures": 1, "probability": None},
    ),
    _Question(
        "alternatives",
        ("spineq.insight.alternatives", "Alternatives"),
        {"k": 3, "min_different": 1},
    ),
)

#: The tasks by name.
TASKS = {question.name: question.task for question in _QUESTIONS}

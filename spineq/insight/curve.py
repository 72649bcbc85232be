"""How coverage grows with the number of sensors: the best for each number, and its bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from spineq.constraints import constraints_for, usable_for
from spineq.errors import ProblemError, shown
from spineq.instance import problem_for
from spineq.model._objective_words import counted, percent, stay_words
from spineq.model.groups import real_number
from spineq.progress import Progress, SpanProgress, watcher_of
from spineq.solve import optimise

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.problem import Problem, ProblemWords

#: Numbers of sensors that are looked at unasked, as multiples of the number asked for.
_SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0)

# What so many sensors do, by what was maximised; {} is a share.
_DO = {
    "mean": ("covers {}", "cover {}"),
    "equivalent": (
        "has an equally-distributed equivalent coverage of {}",
        "have an equally-distributed equivalent coverage of {}",
    ),
    "expected": ("is expected to cover {}", "are expected to cover {}"),
    "worst": ("covers the worst-off group {}", "cover the worst-off group {}"),
    "worst_share": (
        "gives every group at least {} of what it could have alone",
        "give every group at least {} of what it could have alone",
    ),
}

#: Most numbers that may be asked for.
MOST_NUMBERS = 1_000


@dataclass(frozen=True, eq=False)
class CoverageCurve:
    """The best coverage by number of sensors.

    Parameters
    ----------
    table
        One row a number of sensors, by ``n_sensors`` (those that stay not counted): ``value``,
        what was maximised; ``bound``, which no network of so many exceeds (NaN where it is not
        known); ``proven``, whether they meet; and the coverage of each group, by name. 0 to 1.
    titles
        Title of each group, by name.
    unit_of_value
        What ``value`` is: ``"mean"``, ``"equivalent"``, ``"expected"``, ``"worst"`` or
        ``"worst_share"``.
    stopped
        Whether the watcher asked to stop: then larger numbers are missing.
    n_kept
        How many sensors stay beside them.
    """

    table: pd.DataFrame
    titles: dict[str, str]
    unit_of_value: str = "mean"
    stopped: bool = False
    n_kept: int = 0

    @property
    def proven(self) -> bool:
        """Whether every point is proven best."""
        return not self.stopped and bool(self.table["proven"].all())

    def fewest(self, coverage: float) -> int | None:
        """Least number in the table whose value reaches a coverage; None where none does.

        Raises
        ------
        ProblemError
            The coverage is no number.
        """
        coverage = real_number(coverage, "coverage", "Give a coverage from 0 to 1, such as 0.45")
        reached = self.table.index[self.table["value"] >= coverage * (1.0 - 1e-12)]
        return int(reached[0]) if len(reached) else None

    def summary(self) -> str:
        """Say in a few sentences how much more sensors bring."""
        table = self.table
        if len(table) == 0:
            return "The search was stopped before it had the first number of sensors."
        first, last = table.iloc[0], table.iloc[-1]
        few, many = int(table.index[0]), int(table.index[-1])
        does = _DO[self.unit_of_value][few != 1].format(percent(first["value"]))
        how = "placed best" if first["proven"] and last["proven"] else "placed as well as was found"
        said = [f"{counted(few, 'sensor')}{stay_words(self.n_kept)}, {how}, {does}"]
        if many > few:
            said[0] += f"; {many:,} {_DO[self.unit_of_value][1].format(percent(last['value']))}"
        said[0] += "."
        half = table.index[table["value"] >= last["value"] / 2]
        if many > few and few < half[0] < many:
            said.append(f"For half of that, {int(half[0]):,} are enough.")
        open_ = int((~table["proven"]).sum())
        if open_ == 0:
            which = "Each" if len(table) > 1 else "That"
            said.append(f"{which} is proven: no network of as many sensors does better.")
        else:
            points = counted(open_, "number")
            said.append(f"For {points} of sensors a better network may exist.")
        if self.stopped:
            said.append("The search was stopped early.")
        return " ".join(said)

    def to_dict(self) -> dict[str, Any]:
        """Describe it in JSON's types."""
        table = self.table.astype(object).where(self.table.notna(), None)
        return {
            "unit_of_value": self.unit_of_value,
            "stopped": self.stopped,
            "titles": dict(self.titles),
            "n_kept": self.n_kept,
            "points": [
                {
                    "n_sensors": int(n),
                    "value": float(row["value"]),
                    "bound": None if row["bound"] is None else float(row["bound"]),
                    "proven": bool(row["proven"]),
                    "group_coverage": {name: float(row[name]) for name in self.titles},
                }
                for n, row in zip(table.index, table.to_dict("records"), strict=True)
            ],
        }

    @classmethod
    def from_dict(cls, made: dict[str, Any]) -> CoverageCurve:
        """Rebuild what `to_dict` described.

        Raises
        ------
        ProblemError
            It is something else.
        """
        try:
            rows = [
                {"value": each["value"]}
                | {"bound": np.nan if each["bound"] is None else each["bound"]}
                | {"proven": each["proven"]}
                | each["group_coverage"]
                for each in made["points"]
            ]
            index = pd.Index([each["n_sensors"] for each in made["points"]], name="n_sensors")
            columns = ["value", "bound", "proven", *made["titles"]]
            table = pd.DataFrame(rows, index=index, columns=columns).astype({"proven": bool})
            titles, n_kept = dict(made["titles"]), int(made.get("n_kept", 0))
            return cls(table, titles, made["unit_of_value"], made["stopped"], n_kept)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            msg = f"this is no curve ({type(error).__name__}: {error})"
            raise ProblemError(msg, mend="Give what CoverageCurve.to_dict made") from error

    def __repr__(self) -> str:
        return f"<CoverageCurve: {counted(len(self.table), 'number')} of sensors>"


def coverage_curve(
    city: City,
    problem: Problem | None = None,
    *,
    numbers: Iterable[int] | None = None,
    progress: Progress | None = None,
    **words: Unpack[ProblemWords],
) -> CoverageCurve:
    """Find the best coverage for each of some numbers of sensors.

    Parameters
    ----------
    city
        Where.
    problem, words
        What is asked, as for `spineq.optimise`; its number of sensors is the middle of the
        curve where ``numbers`` are not given.
    numbers
        Numbers of sensors, 1 up to the number of sites where one may stand; by default some
        from a twentieth of ``n_sensors`` to twice as many, as far as the rules allow so many.
    progress
        Watcher; when it asks to stop, what is found by then is returned, marked.

    Returns
    -------
    CoverageCurve
        Each point is what `spineq.optimise` answers for that number, with its bound.

    Raises
    ------
    ProblemError
        A number out of its range, or a problem whose number of sensors follows from a budget,
        from what is to be reached, from kinds or from today's sensors.
    DataError
        The city lacks the data of a group.

    Examples
    --------
    >>> import spineq as sq
    >>> curve = sq.coverage_curve(sq.demo_city(), numbers=[1, 5, 10], theta=500)
    >>> curve.table["value"].is_monotonic_increasing
    True
    """
    from spineq.model._objective_words import maximised

    watcher = watcher_of(progress)
    if problem is None and numbers is not None and words.get("n_sensors") is None:
        words["n_sensors"] = 1
    asked = problem_for(city, problem, dict(words))
    fixed = ("budget", "reach", "changes_existing", "kinds")
    if any(bool(getattr(asked, name)) for name in fixed):
        msg = "a curve is over numbers of sensors, and here the number follows from something else"
        mend = "Leave out budget, reach, retire, move_at_most and kinds"
        raise ProblemError(msg, field="n_sensors", mend=mend)
    usable = usable_for(city, asked)
    room = city.n_sites if usable is None else int(usable.sum())
    wanted = _numbers(numbers, asked.number, room)
    if asked.region is not None or asked.min_spacing > 0.0:
        # What lies between two numbers that may be may be.
        while numbers is None and wanted[0] < asked.number and not _may_be(city, asked, wanted[0]):
            del wanted[0]
        while (
            numbers is None and wanted[-1] > asked.number and not _may_be(city, asked, wanted[-1])
        ):
            del wanted[-1]
        # What cannot be is refused now, and not after the numbers before it.
        for n in {wanted[0], wanted[-1]}:
            constraints_for(city, replace(asked, n_sensors=n, start=()))
    rows, titles, stopped, n_kept = [], dict[str, str](), False, 0
    for k, n in enumerate(wanted):
        words_now = f"placing {counted(n, 'sensor')}"
        span = SpanProgress(watcher, k / len(wanted), (k + 1) / len(wanted), words_now)
        net = optimise(city, replace(asked, n_sensors=n, start=()), progress=span)
        if net.stopped:
            stopped = True
            break
        groups, n_kept = net.table(), net.n_kept
        titles = {str(name): str(title) for name, title in groups["title"].items()}
        bound = np.nan if net.upper_bound is None else net.upper_bound
        rows.append(
            {"n_sensors": n, "value": net.objective_value, "bound": bound, "proven": net.proven}
            | groups["coverage"].to_dict()
        )
    columns = ["n_sensors", "value", "bound", "proven", *titles]
    table = pd.DataFrame(rows, columns=columns).set_index("n_sensors").astype({"proven": bool})
    if not stopped:
        watcher.report(1.0, "done")
    return CoverageCurve(table, titles, maximised(asked), stopped, n_kept)


def _may_be(city: City, problem: Problem, n: int) -> bool:
    """Whether the rules allow so many sensors, as far as that can be seen."""
    try:
        constraints_for(city, replace(problem, n_sensors=n, start=()))
    except ProblemError:
        return False
    return True


def _numbers(numbers: Iterable[int] | None, asked: int, room: int) -> list[int]:
    """Numbers of sensors to look at, in order, each once."""
    if numbers is None:
        return sorted({min(max(round(share * asked), 1), room) for share in _SHARES})
    mend = f"Give whole numbers from 1 to {room:,}, such as [5, 10, 20]"
    scalar = isinstance(numbers, np.ndarray) and numbers.ndim == 0
    if scalar or isinstance(numbers, str | bytes) or not isinstance(numbers, Iterable):
        msg = f"numbers must be numbers of sensors, not {shown(numbers)}"
        raise ProblemError(msg, field="numbers", mend=mend)
    made = set()
    for number in numbers:
        whole = isinstance(number, Integral) and not isinstance(number, bool)
        if not whole or not 1 <= number <= room:
            msg = f"{shown(number)} is not a number of sensors for {counted(room, 'site')}"
            raise ProblemError(msg, field="numbers", mend=mend)
        made.add(int(number))
        if len(made) > MOST_NUMBERS:
            msg = f"more than {MOST_NUMBERS:,} numbers of sensors are asked for"
            raise ProblemError(msg, field="numbers", mend="Ask for fewer")
    if not made:
        raise ProblemError("no number of sensors is given", field="numbers", mend=mend)
    return sorted(made)

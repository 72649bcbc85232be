"""What a network covers when some of its sensors fail."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, shown
from spineq.insight import _chances, _failures
from spineq.insight._chances import Draws, ranked, ranks_for
from spineq.insight.withstood import Robustness as Robustness
from spineq.insight.withstood import Withstood
from spineq.model._exports import need_same_city, shown_groups
from spineq.model._objective_words import maximised, objective_words
from spineq.progress import Progress, SpanProgress, watcher_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.network import Network

#: Metres within which people are said to have a sensor.
NEAR = 500.0


def robustness(
    city: City,
    net: Network,
    *,
    failures: int = 1,
    probability: float | Any = None,
    progress: Progress | None = None,
) -> Robustness:
    """Measure what a network covers when some of its sensors fail.

    Whoever loses the nearest sensor is covered by the next one, so that the coverage of a point
    is ``max over sensors i at work of decay(d_ij)``; theta, decay and groups are the network's.
    Three questions are answered: what is lost when one sensor fails, each in turn; what remains
    when those k fail that are missed most; and, with a probability, what is to be expected where
    sensors fail independently of each other, ``sum_k (1 - p) p^(k - 1) c_(k)`` for a point whose
    sensors give it c_(1) >= c_(2) >= ... (Snyder and Daskin 2005, Reliability models for facility
    location). The second is exact where a branch and bound over sets of sensors ends within its
    limit of work; else the worst set found comes with a proven bound.

    Figures are of the weighted mean of the problem's groups, and of each reported group, whatever
    was maximised. Sensors that stood already fail like the others.

    Parameters
    ----------
    city, net
        The network and the city that it was made for; its sensors may stand at no site.
    failures
        How many sensors fail at once in the worst case, 1 to their number.
    probability
        Probability with which each sensor fails, 0 to 1; or one for each sensor, in the network's
        order. Deviations and low cases then come from up to 10,000 draws with a fixed seed.
    progress
        Watcher; when it asks to stop, what is known by then is returned, marked.

    Returns
    -------
    Robustness

    Raises
    ------
    ProblemError
        No city or network where there must be one; a network without sensors; ``failures`` or
        ``probability`` out of range.
    DataError
        The network was made for another city.

    Examples
    --------
    >>> import spineq as sq
    >>> city = sq.demo_city()
    >>> net = sq.optimise(city, n_sensors=5)
    >>> found = sq.robustness(city, net, failures=2, probability=0.1)
    >>> found.proven
    True
    """
    need_same_city(net, city)
    watcher = watcher_of(progress)
    n = net.n_sensors
    if n == 0:
        msg = "the network has no sensors that could fail"
        raise ProblemError(msg, field="net", mend="Make one with spineq.optimise")
    k, chances = _checked_failures(failures, n), _checked_probability(probability, n)
    told = None
    if chances is not None:
        # An array of one number is a number for all.
        told = float(chances[0]) if np.ndim(probability) == 0 else tuple(chances.tolist())
    start = _unmeasured(city, net, k, told)
    measuring = _Measuring(city, net, k, chances)
    if not measuring.run(SpanProgress(watcher, 0.0, 0.7)):
        return replace(start, stopped=True)
    found = measuring.singles(start)
    sets = measuring.sets(SpanProgress(watcher, 0.7, 0.75))
    if sets is None:
        return replace(found, stopped=True)
    worst = _failures.most_missed(sets, k, SpanProgress(watcher, 0.75, 0.999))
    found = measuring.worst(found, worst)
    if not found.stopped:
        watcher.report(1.0, "done", found.total.worst)
    return found


def _unmeasured(
    city: City, net: Network, k: int, probability: float | tuple[float, ...] | None
) -> Robustness:
    """What is known before anything is computed."""
    groups = shown_groups(net, city)
    columns = ["title", "weight", "people", "coverage"]
    rows: list[Any] = net.table().loc[list(groups), columns].to_numpy().tolist()
    figures = {
        name: Withstood(str(title), float(weight), float(people), float(coverage))
        for name, (title, weight, people, coverage) in zip(groups, rows, strict=True)
    }
    table = net.sensors[["site", "area", "x", "y"]].assign(
        kept=net.dataset["kept"].to_numpy().astype(np.bool_), lost=np.nan
    )
    for name in groups:
        table[[f"lost {name}", f"beyond {name}"]] = np.nan
    about = {
        "city": str(net.dataset.attrs["city_name"]),
        "groups": objective_words(net),
        "objective": maximised(net.problem),
    }
    title = "The weighted mean" if len(net.problem.groups) > 1 else "The mean"
    total = Withstood(title, 1.0, None, net.total_coverage)
    return Robustness(table, total, figures, k, probability=probability, about=about)


class _Measuring:
    """Passes over the points, and what they add up to."""

    def __init__(
        self, city: City, net: Network, k: int, chances: NDArray[np.float64] | None
    ) -> None:
        from spineq.solvers.decays import DECAYS

        self.city, self.k, self.n, self.chances = city, k, net.n_sensors, chances
        self.decay = DECAYS[net.problem.decay]
        sites = pd.Index(city.dataset["site"].to_numpy())
        self.places = net.sensors[["site", "x", "y"]].reset_index(drop=True)
        self.places["position"] = sites.get_indexer(pd.Index(self.places["site"]))
        # Each kind of sensors has its own.
        self.theta = np.full(self.n, net.problem.theta)
        if "theta" in net.sensors:
            self.theta = net.sensors["theta"].to_numpy(dtype=np.float64)
        self.places["theta"] = self.theta
        groups = shown_groups(net, city)
        self.names = list(groups)
        self.rows = np.empty((1 + len(groups), city.n_points))
        self.rows[0] = city.weights_at_points(net.problem.groups)
        for r, (name, group) in enumerate(groups.items(), start=1):
            self.rows[r] = city.weights_at_points([(name, replace(group, weight=1.0))])
        # One rank more than fail, whose coverage is what remains.
        self.sensor = np.empty((city.n_points, k), dtype=np.int32)
        self.covered = np.zeros((city.n_points, k + 1))
        self.lost = np.zeros((len(self.rows), self.n))
        self.beyond = np.zeros((len(self.rows), self.n))
        self.expected = np.zeros(len(self.rows))
        self.draws = None if chances is None else Draws(chances, city.n_points, len(self.rows))

    def run(self, progress: Progress) -> bool:
        """Go through the points; False where the watcher asked to stop."""
        ranks = max(self.k + 1, 2, 1 if self.chances is None else ranks_for(self.chances))
        reading = SpanProgress(progress, 0.0, 0.2)
        for part in ranked(self.city, self.places, min(ranks, self.n), reading):
            if part is None:
                return False
            low, high, sensor = part.low, part.high, part.sensor
            covered, rows = self._covered(part), self.rows[:, low:high]
            self.sensor[low:high] = sensor[:, : self.k]
            kept = covered[:, : self.k + 1]
            self.covered[low:high, : kept.shape[1]] = kept
            second = covered[:, 1] if covered.shape[1] > 1 else 0.0
            near = part.metres <= NEAR
            alone = near[:, 0] & ~near[:, 1]
            for r, row in enumerate(rows):
                losing = row * (covered[:, 0] - second)
                self.lost[r] += np.bincount(sensor[:, 0], weights=losing, minlength=self.n)
                self.beyond[r] += np.bincount(part.nearest, weights=row * alone, minlength=self.n)
            begins, ends = (0.2 + 0.8 * end / self.city.n_points for end in (low, high))
            span = SpanProgress(progress, begins, ends)
            if self.chances is not None and self.draws is not None:
                self.expected += (rows * _chances.expected(sensor, covered, self.chances)).sum(1)
                if self.draws.add(sensor, covered, rows, span):
                    return False
            elif span.report(1.0, "looking who is covered by which sensor"):
                return False
        return True

    def _covered(self, part: _chances.Ranked) -> NDArray[np.float64]:
        """Coverage by the sensors of each rank, (point, rank), each with its own theta."""
        thetas = np.unique(self.theta)
        covered = self.decay(part.distance, float(thetas[0]))
        for theta in thetas[1:]:
            mine = self.theta[part.sensor] == theta
            covered[mine] = self.decay(part.distance[mine], float(theta))
        return covered

    def singles(self, start: Robustness) -> Robustness:
        """Fill in what single failures, and failures by chance, cost."""
        table = start.table.assign(lost=self.lost[0])
        figures = {"": start.total, **start.groups}
        for r, (name, each) in enumerate(figures.items()):
            lost, whole = self.lost[r], each.coverage
            top = int(np.argmax(lost))
            # Nothing is left without the only sensor: no more than rounding would say so.
            worst = max(0.0, whole - float(lost[top])) if self.n > 1 else 0.0
            mean = max(worst, whole - float(lost.sum()) / self.n) if self.n > 1 else 0.0
            made: dict[str, Any] = {"one_mean": mean, "one_worst": worst, "one_sensor": top + 1}
            if self.draws is not None:
                made |= {"expected": float(self.expected[r]), **self.draws.figures(r)}
            figures[name] = replace(each, **made)
            if r > 0:
                table[f"lost {name}"] = lost
                table[f"beyond {name}"] = self.beyond[r] * (each.people or 0.0)
        total = figures.pop("")
        draws = 0 if self.draws is None else self.draws.number
        return replace(start, table=table, total=total, groups=figures, draws=draws)

    def sets(self, progress: Progress) -> _failures.BackingSets | None:
        """Gather on which sensors coverage hangs together."""
        step = self.rows[0][:, None] * (self.covered[:, :-1] - self.covered[:, 1:])
        return _failures.backing_sets(self.sensor, step, self.n, progress)

    def worst(self, found: Robustness, worst: _failures.Worst) -> Robustness:
        """Fill in what remains when the sensors fail that are missed most."""
        off = np.zeros(self.n, dtype=np.bool_)
        off[list(worst.sensors)] = True
        works = np.ones(self.covered.shape, dtype=np.bool_)
        works[:, :-1] = ~off[self.sensor]
        first = np.argmax(works, axis=1)
        remains = self.covered[np.arange(len(first)), first]
        values = [float(value) for value in (self.rows * remains).sum(axis=1)]
        least = values[0]
        if not worst.proven:
            least = min(least, max(0.0, found.total.coverage - worst.bound - _failures.ROUNDING))
        named = zip(found.groups.items(), values[1:], strict=True)
        return replace(
            found,
            total=replace(found.total, worst=values[0]),
            groups={name: replace(each, worst=value) for (name, each), value in named},
            worst_sensors=tuple(i + 1 for i in worst.sensors),
            floor=least,
            stopped=worst.stopped,
        )


def _checked_failures(failures: object, n: int) -> int:
    whole = isinstance(failures, Integral) and not isinstance(failures, bool)
    if not whole or not 1 <= int(failures) <= n:  # type: ignore[call-overload]
        msg = f"the number of sensors that fail must be whole, 1 to {n:,}, not {shown(failures)}"
        raise ProblemError(msg, field="failures", mend="Say for example failures=1")
    return int(failures)  # type: ignore[call-overload, no-any-return]


def _checked_probability(given: Any, n: int) -> NDArray[np.float64] | None:
    """Probability of each sensor's failing, (sensor,); None where none was given."""
    if given is None:
        return None
    mend = "Say for example probability=0.05, or one for each sensor in the network's order"
    several = isinstance(given, np.ndarray | pd.Series | list | tuple)
    each = list(given) if several and np.ndim(given) == 1 else [given] * n
    for value in each:
        number = isinstance(value, Real) and not isinstance(value, bool)
        # Compared as it is: a whole number may be too large for a float.
        if not number or not 0 <= value <= 1:
            msg = f"a probability is a number from 0 to 1, not {shown(value)}"
            raise ProblemError(msg, field="probability", mend=mend)
    if len(each) != n:
        msg = f"{n:,} sensors need as many probabilities, not {len(each):,}"
        raise ProblemError(msg, field="probability", mend=mend)
    return np.array([float(value) for value in each])

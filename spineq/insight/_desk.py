"""A network on the desk: what each sensor covers, and the solver with other rules or sites."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from spineq.constraints import base_for, constraints_for
from spineq.errors import NetworkNotFoundError, ProblemError
from spineq.instance import coverage_of, group_weights, objective_of
from spineq.model._exports import need_same_city
from spineq.model.network import PROVEN_GAP, PROVEN_GAP_OF_AVERSION
from spineq.progress import SilentProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.progress import Progress
    from spineq.solvers.coverage import Coverage
    from spineq.solvers.rules import Rules


#: Fields of a problem that are understood here; others must be at their default.
_UNDERSTOOD = frozenset(
    {
        "n_sensors", "theta", "groups", "decay", "method", "seed", "budget", "site_cost", "region",
        "max_per_region", "min_per_region", "min_spacing", "keep", "forbid", "start", "aversion",
        "aversion_form", "at_least", "objective", "bound", "effort", "gap_limit",
    }
)  # fmt: skip


class Found(NamedTuple):
    """What a solver found.

    Parameters
    ----------
    sites
        (sensor,) positions of the sites, those that stay left out.
    value, bound
        Objective, in float64 from the places, and what it can be at most; as
        `Network.objective_value`. Minus infinity and infinity where none was found.
    proven
        Whether none is better, but for rounding.
    stopped
        The watcher asked to stop: the rest says nothing.
    """

    sites: NDArray[np.int64]
    value: float
    bound: float
    proven: bool
    stopped: bool = False


class Desk:
    """A network, its city and its problem, ready to be asked.

    Parameters
    ----------
    city, net
        A network of this city.
    progress
        Watcher of the coverage, which may take some seconds in a large city.

    Attributes
    ----------
    stopped
        The watcher asked to stop before there was anything to choose by.

    Raises
    ------
    DataError
        The network is of another city.
    ProblemError
        Something else than a network or a city; or a kind of problem that cannot be asked again.
    """

    def __init__(self, city: City, net: Network, progress: Progress | None = None) -> None:
        from spineq.solvers.welfare import welfare_of

        need_same_city(net, city)
        self.city, self.net = city, net
        for field in fields(net.problem):
            value = getattr(net.problem, field.name)
            if field.name not in _UNDERSTOOD and value != field.default:
                msg = f"a network that was made with {field.name} cannot be asked again here"
                mend = "Measure the sensors with sq.evaluate, and give the network that it returns"
                mend += ", which has one theta for all" * (field.name == "kinds")
                raise ProblemError(msg, field=field.name, mend=mend)
        # The best, from scratch and in full, whoever made the network.
        self.problem = replace(net.problem, start=(), method="auto", bound=None, gap_limit=0.0)
        self.constraints = constraints_for(city, self.problem)
        self.rules: Rules = self.constraints.rules
        self.welfare = welfare_of(self.problem.aversion_form, self.problem.aversion)
        usable = self.constraints.usable
        self.usable = np.ones(city.n_sites, dtype=np.bool_) if usable is None else usable
        self.ids: NDArray[np.object_] = city.dataset["site"].to_numpy()
        self.weight = city.weights_at_points(self.problem.groups)
        index = pd.Index(self.ids)
        self.at = index.get_indexer(pd.Index(net.dataset["site"].to_numpy())).astype(np.int64)
        self.kept = net.dataset["kept"].to_numpy().astype(bool)
        own = {
            str(name): float(best)
            for name, best in zip(
                net.dataset["group"].to_numpy(),
                net.dataset["group_own_best"].to_numpy(),
                strict=True,
            )
            if np.isfinite(best)
        }
        names = [name for name, _ in self.problem.groups]
        share = self.problem.objective == "worst_share"
        self.own_best = {name: own.get(name, 1.0) if share else 1.0 for name in names}
        self._judged = np.array([group_weights(city, group) for _, group in self.problem.groups])
        coverage = coverage_of(city, self.problem, progress or SilentProgress())
        self.stopped = coverage is None
        if coverage is not None:
            self._begin(coverage)

    def _begin(self, coverage: Coverage) -> None:
        self.objective = objective_of(
            self.city, self.problem, coverage, self.own_best, self.constraints
        )

    @property
    def placed(self) -> NDArray[np.int64]:
        """Positions of the sites of the sensors that do not stay, those elsewhere left out."""
        return self.at[~self.kept & (self.at >= 0)]

    def row(self, position: int, x: float, y: float) -> NDArray[np.float64]:
        """Coverage of the points by one sensor, (point,): exact, without any aversion."""
        from spineq.solvers.decays import DECAYS

        decay = DECAYS[self.problem.decay]
        if self.city.travel is not None:
            return decay.apply(self.city.travel_costs_from(position), self.problem.theta)
        return decay.apply(self.metres_to_points(x, y), self.problem.theta)

    def site_row(self, position: int) -> NDArray[np.float64]:
        """Coverage of the points by a sensor at a site, (point,)."""
        x, y = self.city.site_xy[position]
        return self.row(position, float(x), float(y))

    def metres_to_points(self, x: float, y: float) -> NDArray[np.float64]:
        """Straight lines from a place to the points, (point,), metres."""
        off = self.city.point_xy - np.array([x, y])
        made: NDArray[np.float64] = np.sqrt((off**2).sum(axis=1))
        return made

    def worth(self, covered: NDArray[np.float64]) -> float:
        """Objective of a coverage, (point,), as `Network.objective_value` has it."""
        if self.problem.objective != "mean":
            shares = (self._judged * covered).sum(axis=1)
            best = np.array([self.own_best[name] for name, _ in self.problem.groups])
            return float((shares / best).min())
        if self.welfare is not None:
            return self.welfare.equivalent(self.weight, covered)
        return float((self.weight * covered).sum())

    def covered(self, sites: NDArray[np.int64]) -> NDArray[np.float64]:
        """Coverage by sensors at sites and by those that stay, (point,), without any aversion."""
        from scipy.spatial import cKDTree

        from spineq.solvers.decays import DECAYS

        base = base_for(self.city, self.problem, self.constraints.kept)
        made = np.zeros(self.city.n_points) if base is None else base
        if len(sites) == 0:
            return made
        if self.city.travel is None:
            nearest, _ = cKDTree(self.city.site_xy[sites]).query(self.city.point_xy)
            covered = DECAYS[self.problem.decay](nearest, self.problem.theta)
            return np.maximum(made, covered, out=made)
        for position in sites:
            np.maximum(made, self.site_row(int(position)), out=made)
        return made

    def found(self, sites: NDArray[np.int64], bound: float) -> Found:
        """Measure a network and put a solver's bound in the objective's unit."""
        value = self.worth(self.covered(sites))
        if self.welfare is not None:
            bound = self.welfare.inverse(bound)
        elif self.problem.objective == "mean":
            bound = min(bound, 1.0)
        bound = max(bound, value)
        noise = PROVEN_GAP if self.welfare is None else PROVEN_GAP_OF_AVERSION
        return Found(sites, value, bound, bound - value <= noise * bound)

    def solve(
        self,
        rules: Rules,
        progress: Progress,
        usable: NDArray[np.bool_] | None = None,
        fixed: NDArray[np.int64] | None = None,
        *,
        coarse: bool = False,
    ) -> Found | None:
        """Find the best network by other rules, with some sites that have a sensor in any case.

        Parameters
        ----------
        rules
            For the sensors beside the fixed ones.
        progress
            Watcher.
        usable
            (site,) where one may stand; None for the problem's own.
        fixed
            (sensor,) sites that have one, which keep the rules; None for none.
        coarse
            Whether a good network and a tight bound are enough: no search that closes the gap.

        Returns
        -------
        Found or None
            None where there is no allowed network, by proof.
        """
        from spineq.solvers.branch_bound import branch_bound
        from spineq.solvers.lagrangian import lagrangian
        from spineq.solvers.rules import Options

        fixed = np.empty(0, dtype=np.int64) if fixed is None else fixed
        usable = self.usable if usable is None else usable
        room = int(usable.sum())
        rules = rules if rules.n <= room else replace(rules, n=room)
        if rules.n == 0:
            none = np.empty(0, dtype=np.int64)
            if len(fixed) == 0 or rules.broken_by(none):
                return None
            covered = self.objective.covered_by(fixed)
            goals = self.objective.goals
            if goals is not None and goals.shortfall(goals.groups(covered)) > 0.0:
                return None
            return self.found(fixed, 0.0)
        base = self.objective.covered_by(fixed) if len(fixed) else self.objective.base
        objective = replace(self.objective, usable=usable, base=base)
        options = Options(seed=self.problem.seed, effort=self.problem.effort)
        try:
            solution = (lagrangian if coarse else branch_bound)(objective, rules, options, progress)
        except NetworkNotFoundError:
            return Found(fixed, -math.inf, math.inf, proven=False)
        except ProblemError:
            return None
        if solution.stopped:
            return Found(fixed, float("nan"), float("nan"), proven=False, stopped=True)
        return self.found(np.concatenate([fixed, solution.sites]), solution.upper_bound)

    def without(self, position: int, progress: Progress) -> Found | None:
        """Find the best network that has no sensor at a site; None where there is none."""
        usable = self.usable.copy()
        usable[position] = False
        room, n = int(usable.sum()), self.problem.n_sensors
        if room == 0:
            return None
        problem = replace(self.problem, forbid=(*self.problem.forbid, str(self.ids[position])))
        if n is not None and n > room:
            problem = replace(problem, n_sensors=room)
        try:
            # Refuses what cannot be, such as a region that lacks sites.
            rules = constraints_for(self.city, problem).rules
        except ProblemError:
            return None
        return self.solve(rules, progress, usable)

    def insisting(self, position: int, progress: Progress) -> Found | None:
        """Find the best network that has a sensor at a site; None where there is none."""
        rules, fixed = self.rules, np.array([position], dtype=np.int64)
        alone = replace(rules, regions=None)
        if alone.broken_by(fixed):
            return None
        usable = self.usable.copy()
        usable[position] = False
        regions, prices = rules.regions, rules.prices
        if regions is not None:
            here = int(regions.of[position])
            most, least = regions.most.copy(), regions.least.copy()
            if most[here] == 0:
                return None
            most[here] -= 1
            least[here] = max(least[here] - 1, 0)
            regions = regions._replace(most=most, least=least)
        if prices is not None:
            left = max(prices.budget - float(prices.cost[position]), 0.0)
            prices = prices._replace(budget=left)
            usable &= prices.cost <= left * (1.0 + 1e-9)
        if rules.apart is not None:
            start, near = rules.apart
            usable[near[start[position] : start[position + 1]]] = False
        room = min(rules.n - 1, int(usable.sum()))
        if regions is not None and int(np.minimum(regions.most, room).sum()) < room:
            room = int(np.minimum(regions.most, room).sum())
        rest = replace(rules, n=room, regions=regions, prices=prices)
        return self.solve(rest, progress, usable, fixed)

    def in_place(
        self, others: NDArray[np.int64], covered: NDArray[np.float64], progress: Progress
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Objective of a network with one sensor more, at each site where one may stand.

        Parameters
        ----------
        others
            (sensor,) sites of the network, which has room for the sensor.
        covered
            (point,) its coverage, with that of sensors that stand elsewhere, without any
            aversion.
        progress
            Watcher.

        Returns
        -------
        tuple or None
            Positions of the sites, (place,), and the objective, (place,); None where the
            watcher asked to stop.
        """
        objective, goals = self.objective, self.objective.goals
        allowed = self.rules.allowed_beside(others, self.usable)
        reached = covered if self.welfare is None else self.welfare(covered)
        rows = [objective.weight] if goals is None else [objective.weight, *goals.rows]
        values = np.zeros((len(rows), objective.n_sites))
        for k, row in enumerate(rows):
            weighed = replace(objective, weight=row, usable=allowed, goals=None)
            for low, high in weighed.blocks():
                weighed.gains(reached, values[k], low, high)
                if progress.report((k + high / objective.n_sites) / len(rows), "trying places"):
                    return None
            values[k] += weighed.value(reached)
        made = values[0]
        if goals is not None:
            owed = np.isfinite(goals.least)
            floors = goals.least[owed, None] * (1.0 - 1e-9)
            allowed &= (values[1:][owed] >= floors).all(axis=0)
            if goals.worst:
                made = (values[1:] / goals.scale[:, None])[goals.judged].min(axis=0)
        sites = np.flatnonzero(allowed)
        made = made[sites]
        if self.welfare is not None:
            made = np.array([self.welfare.inverse(value) for value in made], dtype=np.float64)
        return sites, made

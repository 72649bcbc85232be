"""From a city and a problem to what solvers take: rules, usable sites, sensors that stay.

Everything here is about places, prices and regions; nothing is about people.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spineq._places import at_sites
from spineq.constraints.feasible import Excluded, need_feasible, need_sites
from spineq.constraints.kinds import placed_kinds, rules_of_kinds, tiled
from spineq.constraints.places import (
    base_for,
    kept_places,
    positions,
    usable_for,
    usable_sites,
)
from spineq.constraints.rules import made_rules, prices_of, regions_of
from spineq.constraints.today import Today, rules_of_today, today_of, usable_today
from spineq.errors import ProblemError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.problem import Problem
    from spineq.solvers.rules import Rules


__all__ = [
    "Constraints",
    "base_for",
    "constraints_for",
    "kept_places",
    "rules_for",
    "spent_on",
    "start_for",
    "usable_for",
]


@dataclass(frozen=True, eq=False)
class Constraints:
    """What a problem allows in a city.

    Parameters
    ----------
    rules
        What a network of new sensors may be.
    usable
        (site,) whether a new sensor may stand there; None for everywhere.
    kept
        The sensors that stay, a table as `spineq.measure.at_sites` makes it; position -1 and
        no site for one that stands elsewhere.
    start
        (sensor,) positions of the network to improve, in order; None for none.
    today
        The sensors of today, where they may be taken away or moved: then rules and usable
        sites are those of ``today.place``. With kinds of sensors they are those of candidates,
        see `spineq.constraints.kinds`.
    """

    rules: Rules
    usable: NDArray[np.bool_] | None
    kept: pd.DataFrame
    start: NDArray[np.int64] | None
    today: Today | None = None

    def place_in(self, city: City) -> City:
        """The city whose sites rules and usable sites are about."""
        return city if self.today is None else self.today.place

    def placed(
        self, city: City, problem: Problem, sites: NDArray[np.int64]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Tables of the sensors that stay and of the new ones, by a solver's sites, in order."""
        if problem.kinds:
            kept = self.kept.assign(kind="", theta=problem.theta)
            return kept, placed_kinds(city, problem, sites)
        if self.today is None:
            return self.kept, at_sites(city, sites)
        stay = self.today.stay(sites)
        return pd.concat([self.kept, stay], ignore_index=True), self.today.new(city, sites)


def constraints_for(city: City, problem: Problem) -> Constraints:
    """Make what solvers take, and refuse what cannot be met as far as that can be seen.

    Parameters
    ----------
    city
        Where.
    problem
        What is asked.

    Raises
    ------
    ProblemError
        A site, column or region that does not exist, a value that is missing or wrong there; a
        network to start from that breaks a rule; or rules that no network can keep together,
        with which of them clash and by how much.
    """
    # By digest, so that a city unpickled for every task is still one.
    key = city.digest, problem.digest
    with _MADE_LOCK:
        if key in _MADE:
            _MADE.move_to_end(key)
            return _MADE[key]
    made = _constraints(city, problem)
    with _MADE_LOCK:
        _MADE[key] = made
        while len(_MADE) > _MADE_MOST:
            _MADE.popitem(last=False)
    return made


# Constraints made last: a problem is checked, solved and measured with the same.
_MADE: OrderedDict[tuple[str, str], Constraints] = OrderedDict()
_MADE_LOCK = threading.Lock()
_MADE_MOST = 2


def _constraints(city: City, problem: Problem) -> Constraints:
    kept = kept_places(city, problem)
    if problem.changes_existing:
        today = today_of(city, problem)
        able = usable_today(city, problem, kept, today)
        rules = rules_of_today(problem, today, able)
        return Constraints(rules, None if able.all() else able, kept, None, today)
    usable = usable_sites(city, problem, kept)
    if problem.kinds:
        able = np.ones(city.n_sites, dtype=np.bool_) if usable is None else usable
        need_sites(problem, able, _excluded(city, problem, kept, usable))
        rules = rules_of_kinds(city, problem, usable)
        return Constraints(rules, tiled(usable, problem), kept, None)
    rules = made_rules(city, problem, usable)
    names = () if problem.region is None else regions_of(city, problem.region)[0]
    excluded = _excluded(city, problem, kept, usable)
    need_feasible(problem, rules, city.site_xy, usable, names, excluded)
    start = None if not problem.start else positions(city, problem.start, "start")
    if start is not None:
        _need_allowed(city, problem, rules, usable, names, start)
    return Constraints(rules, usable, kept, start)


def rules_for(city: City, problem: Problem) -> Rules:
    """Make the rules of a problem; see `spineq.solvers.rules.Rules`.

    With a budget, the number of sensors is that of the sites where one may stand. A region
    that has no limit of its own may get them all. Two sites are too near to each other if they
    are nearer than ``min_spacing`` as the crow flies, whatever travel costs say.

    Raises
    ------
    ProblemError
        As `constraints_for`: also for what clashes.
    """
    return constraints_for(city, problem).rules


def start_for(city: City, problem: Problem) -> NDArray[np.int64] | None:
    """Positions of the sites of the network to improve, (sensor,), in order; None for none.

    Raises
    ------
    ProblemError
        As `constraints_for`: also for a network that breaks a rule.
    """
    return constraints_for(city, problem).start


def spent_on(city: City, problem: Problem, sites: NDArray[np.int64]) -> float:
    """What sensors at positions of sites, (sensor,), cost; NaN without a budget.

    Raises
    ------
    ProblemError
        A site without a price.
    """
    return math.nan if problem.budget is None else float(prices_of(city, problem).cost[sites].sum())


def _excluded(
    city: City, problem: Problem, kept: pd.DataFrame, usable: NDArray[np.bool_] | None
) -> Excluded:
    """Count why sites are not usable, each for its first reason."""
    if usable is None:
        return Excluded(0, 0, 0)
    forbidden = np.zeros(city.n_sites, dtype=np.bool_)
    forbidden[positions(city, problem.forbid, "forbid")] = True
    at = kept["position"].to_numpy(dtype=np.int64)
    taken = np.zeros(city.n_sites, dtype=np.bool_)
    taken[at[at >= 0]] = True
    taken &= ~forbidden
    near = ~usable & ~forbidden & ~taken
    return Excluded(int(forbidden.sum()), int(taken.sum()), int(near.sum()))


def _need_allowed(
    city: City,
    problem: Problem,
    rules: Rules,
    usable: NDArray[np.bool_] | None,
    names: Sequence[str],
    start: NDArray[np.int64],
) -> None:
    """Refuse a network to start from that is not allowed itself."""
    mend = "Start from a network that keeps the rules, or leave start out"
    strange = start[~usable[start]] if usable is not None else start[:0]
    if len(strange):
        # The problem itself saw to sites that are kept by name or forbidden.
        site = city.dataset["site"].to_numpy()[strange[0]]
        near = f", or nearer than {problem.min_spacing:g} m to one" if problem.min_spacing else ""
        msg = f"the network to start from stands at {shown(site)}, where a sensor stays{near}"
        raise ProblemError(msg, field="start", mend=mend)
    broken = rules.broken_by(start)
    if broken and rules.regions is not None:
        counts = np.bincount(rules.regions.of[start], minlength=len(names))
        wrong = (counts > rules.regions.most) | (counts < rules.regions.least)
        if wrong.any() and "region" in broken:
            region = int(np.argmax(wrong))
            many = counts[region] > rules.regions.most[region]
            limit = (rules.regions.most if many else rules.regions.least)[region]
            broken = f"region {shown(names[region])} has {counts[region]:,} sensors, "
            broken += f"{'more' if many else 'fewer'} than {limit:,}"
    if broken:
        msg = f"the network to start from breaks a rule: {broken}"
        raise ProblemError(msg, field="start", mend=mend)

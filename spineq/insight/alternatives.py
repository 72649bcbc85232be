"""Other networks that are nearly as good, each of them proven to be the best of its kind."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import pandas as pd

from spineq._places import at_sites
from spineq.errors import ProblemError, shown
from spineq.insight._branches import Branches
from spineq.insight._desk import Desk, Found
from spineq.insight._explain_words import change, listed, number_word, share_down
from spineq.measure import measured
from spineq.model._objective_words import maximised
from spineq.model._problem_checks import whole
from spineq.model.network import Network
from spineq.progress import Progress, SpanProgress, watcher_of

if TYPE_CHECKING:
    from spineq.model.city import City

#: Alternatives that are looked for at most.
MOST = 100


@dataclass(frozen=True, eq=False)
class Alternative:
    """A network beside the one that was given.

    Parameters
    ----------
    network
        It, measured, without a bound of its own.
    value, bound
        Its objective, as `Network.objective_value`, and what that can be at most, by proof, for
        a network that differs as much from the given one and the alternatives before.
    proven
        Whether no such network is better, but for rounding.
    loss
        The given network's objective less its own; below 0 for a better one.
    comes, goes
        Ids of the sites with a sensor in it and not in the given network, and the reverse.
    """

    network: Network
    value: float
    bound: float
    proven: bool
    loss: float
    comes: tuple[str, ...]
    goes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Networks near the best, the best first.

    Parameters
    ----------
    network
        The one that was given.
    found
        The alternatives.
    asked
        How many were asked for.
    min_different
        In how many sites each gives up what the given network, and each alternative before it,
        has, at least.
    exhausted
        Whether there are no more, by proof.
    stopped
        Whether the watcher asked to stop.
    """

    network: Network
    found: tuple[Alternative, ...]
    asked: int
    min_different: int
    exhausted: bool = False
    stopped: bool = False

    @property
    def proven(self) -> bool:
        """Whether each is proven to be the best of its kind, and all that there are are found."""
        all_there = len(self.found) == self.asked or self.exhausted
        return all_there and not self.stopped and all(each.proven for each in self.found)

    @property
    def table(self) -> pd.DataFrame:
        """One row an alternative, from 1: value, bound, proven, loss, comes, goes (ids)."""
        columns = ("value", "bound", "proven", "loss")
        rows = [
            {name: getattr(each, name) for name in columns}
            | {"comes": ",".join(each.comes), "goes": ",".join(each.goes)}
            for each in self.found
        ]
        index = pd.RangeIndex(1, len(rows) + 1, name="number")
        return pd.DataFrame(rows, index=index, columns=[*columns, "comes", "goes"])

    def sentence(self, number: int) -> str:
        """Describe an alternative by its number, from 1, in a sentence.

        Raises
        ------
        ProblemError
            There is none of that number.
        """
        whole = isinstance(number, Integral) and not isinstance(number, bool)
        if not whole or not 1 <= number <= len(self.found):
            msg = f"there is no alternative {shown(number)}"
            raise ProblemError(msg, field="number", mend=f"Give 1 to {len(self.found):,}")
        each, kind = self.found[number - 1], maximised(self.network.problem)
        before = self.network.objective_value
        said = f"Alternative {number} {change(kind, before, each.value)}"
        if each.proven:
            said += " (proven)"
        if each.comes:
            said += f", with {'a sensor' if len(each.comes) == 1 else 'sensors'} "
            said += f"at {listed(each.comes)}"
        if each.goes:
            joint = " instead of" if each.comes else ", without"
            said += f"{joint} {'the one' if len(each.goes) == 1 else 'those'} at "
            said += listed(each.goes)
        if not each.proven:
            said += "; a better one of its kind may exist"
            least = share_down((before - each.bound) / before) if before > 0.0 else ""
            if least:
                said += f", but each such network loses at least {least}, which is proven"
        return f"{said}."

    def summary(self) -> str:
        """Describe all of them in plain sentences."""
        many = f"at least {number_word(self.min_different)} of the given network's sites"
        number = len(self.found)
        if number == 0:
            head = f"No other allowed network was found that gives up {many}."
        elif number == 1:
            head = f"One other network, which gives up {many}."
        else:
            word = number_word(number)
            head = f"{word[:1].upper()}{word[1:]} other networks; each gives up {many}, and of the "
            head += "others'."
        lines = [head, *(self.sentence(k + 1) for k in range(number))]
        if self.exhausted:
            lines.append("There are no more (proven)." if number else "There is none (proven).")
        if self.stopped:
            lines.append("The search was stopped early.")
        return " ".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Describe them in JSON's types: sites, figures, and what differs."""
        return {
            "value": self.network.objective_value,
            "sensors": self.network.placement_history,
            "asked": self.asked,
            "min_different": self.min_different,
            "exhausted": self.exhausted,
            "stopped": self.stopped,
            "proven": self.proven,
            "found": [
                {
                    "sensors": each.network.placement_history,
                    "value": each.value,
                    "bound": each.bound,
                    "proven": each.proven,
                    "loss": each.loss,
                    "comes": list(each.comes),
                    "goes": list(each.goes),
                }
                for each in self.found
            ],
        }

    def __repr__(self) -> str:
        said = "proven" if self.proven else "not all proven"
        return f"<Alternatives: {len(self.found):,} of {self.asked:,}, {said}>"


def alternatives(
    city: City,
    net: Network,
    k: int = 3,
    *,
    min_different: int = 1,
    progress: Progress | None = None,
) -> Alternatives:
    """Find the k best networks beside a given one, one after the other.

    Each is the best allowed network T in which at least m sites of the given network S, and of each
    alternative found before, have no sensor: ``|T and S| <= |S| - m``. For one network that is a
    limit for a region, which solvers know. For several, sites are in cells by the networks
    that they are of; limits for each cell alone are a relaxation, and the number of sensors in a
    cell is branched on, the best bound first (Land and Doig 1960), until the best is proven.

    Parameters
    ----------
    city, net
        A network of this city.
    k
        How many, 1 to 100.
    min_different
        m, how many sites are given up at least, 1 to the number of sensors that do not stay.
    progress
        Watcher; when it asks to stop, those found by then are returned, marked.

    Returns
    -------
    Alternatives
        Fewer than k where there are no more, which is said.

    Raises
    ------
    DataError
        The network is of another city.
    ProblemError
        Something else than a city and a network, a number out of its range, or a problem with
        limits for regions of its own.
    """
    watcher = watcher_of(progress)
    k = whole(k, "k", 1, MOST)
    desk = Desk(city, net, SpanProgress(watcher, 0.0, 0.1))
    placed = int((~desk.kept).sum())
    if placed == 0:
        msg = "the network has no sensors that could stand elsewhere"
        raise ProblemError(msg, field="net", mend="Give a network with a sensor that was placed")
    m = whole(min_different, "min_different", 1, placed)
    if desk.problem.region is not None:
        msg = "alternatives are not looked for under limits for regions"
        mend = "Measure the sensors with sq.evaluate, and give the network that it returns"
        raise ProblemError(msg, field="region", mend=mend)
    made = Alternatives(net, (), k, m)
    if desk.stopped or watcher.report(0.1, "looking for alternatives"):
        return replace(made, stopped=True)
    # Sites, and how many of them a network may have at most.
    apart = [(desk.placed, placed - m)]
    for number in range(k):
        words = f"looking for alternative {number + 1}"
        span = SpanProgress(watcher, 0.1 + 0.89 * number / k, 0.1 + 0.89 * (number + 1) / k, words)
        began = time.perf_counter()
        best = Branches(desk, apart).best(span)
        if best is None:
            return replace(made, exhausted=True)
        if best.stopped:
            return replace(made, stopped=True)
        if math.isinf(best.value):
            break
        made = replace(made, found=(*made.found, _measured(desk, best, began)))
        apart.append((best.sites, len(best.sites) - m))
    watcher.report(1.0, "done")
    return made


def _measured(desk: Desk, found: Found, began: float) -> Alternative:
    """Put an alternative together."""
    from spineq.progress import SilentProgress
    from spineq.solvers.solution import Solution

    net, problem = desk.net, replace(desk.problem, bound="none")
    kept, prices = desk.constraints.kept, desk.rules.prices
    places = at_sites(desk.city, found.sites)
    if len(kept):
        places = pd.concat([kept, places], ignore_index=True)
    network = measured(
        desk.city,
        problem,
        places,
        "branch_bound",
        Solution(found.sites, math.nan, math.nan, stopped=False),
        began,
        SilentProgress(),
        kept=len(kept),
        own_best=desk.own_best if problem.objective == "worst_share" else None,
        spent=math.nan if prices is None else float(prices.cost[found.sites].sum()),
    )
    before, after = set(desk.placed.tolist()), set(found.sites.tolist())

    def named(sites: set[int]) -> tuple[str, ...]:
        return tuple(str(desk.ids[site]) for site in sorted(sites))

    return Alternative(
        network,
        found.value,
        found.bound,
        found.proven,
        net.objective_value - found.value,
        named(after - before),
        named(before - after),
    )

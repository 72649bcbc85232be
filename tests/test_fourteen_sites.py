"""Exact answers and bounds against all 16,384 networks of fourteen sites, rule by objective."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from solvers.instances import city_of

import spineq as sq
from spineq.errors import ProblemError
from spineq.solvers.welfare import Welfare

pytestmark = pytest.mark.slow

N, THETA = 14, 500.0
GROUPS = {
    "young": sq.Group(ages=(0, 15), weight=2),
    "jobs": sq.Group(column="workers"),
    "all": sq.Group(ages=(0, 90)),
}
RULES = ["nothing", "keep", "forbid", "spacing", "budget", "regions", "all"]
AVERSIONS = {
    "kolm_pollak": {"aversion": 4.0, "aversion_form": "kolm_pollak"},
    "atkinson": {"aversion": 0.8, "aversion_form": "atkinson"},
}
OBJECTIVES = ["mean", *AVERSIONS, "at_least", "worst", "worst_share"]


class Everything:
    """A random city of fourteen areas and sites, and the coverage of every network there is.

    Networks are numbered by the sites in them, one bit each.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.rng = rng
        # Hundreds of metres, in two clumps, so that places and distances tie.
        xy = 100.0 * (rng.integers(0, 12, (N, 2)) + 10 * rng.integers(0, 2, (N, 1)))
        city = city_of(
            xy, rng.integers(1, 60, (N, 3)).astype(float), rng.integers(1, 90, N).astype(float)
        )
        table = city.sites.reset_index(names="site_id")
        table["ward"] = rng.choice(["east", "mid", "west"], N)
        table["price"] = rng.choice([1.0, 1.5, 2.0, 3.7], N)
        self.city = city.with_sites(table[["site_id", "x", "y", "ward", "price"]])
        self.sites = self.city.sites
        self.apart = np.hypot(*(city.point_xy[:, None, :] - city.point_xy[None, :, :]).T)
        self.of = np.arange(2**N)[:, None] >> np.arange(N) & 1 == 1
        self.covered = np.zeros((2**N, N))
        for site, row in enumerate(np.exp(-self.apart / THETA)):
            self.covered[2**site : 2 ** (site + 1)] = np.maximum(self.covered[: 2**site], row)
        self.weight = city.weights(GROUPS.items())
        people = {name: city.people(group).values for name, group in GROUPS.items()}
        self.rows = np.array([each / each.sum() for each in people.values()])

    def ask(self, rule: str) -> tuple[dict[str, Any], np.ndarray]:
        """Words of a question with this rule, and whether each network keeps it, (network,)."""
        rng, sites = self.rng, self.sites
        size, words = self.of.sum(axis=1), dict[str, Any](n_sensors=int(rng.integers(2, 7)))
        order = rng.permutation(N)
        kept = 0
        holds = np.ones(2**N, dtype=bool)
        if rule in ("keep", "all"):
            words["keep"] = tuple(sites.index[order[:2]])
            holds &= self.of[:, order[:2]].all(axis=1)
            kept = 2
        if rule in ("forbid", "all"):
            words["forbid"] = tuple(sites.index[order[2:5]])
            holds &= ~self.of[:, order[2:5]].any(axis=1)
        new = self.of.copy()
        new[:, order[:kept]] = False
        if rule in ("spacing", "all"):
            words["min_spacing"] = 450.0
            near = np.triu(self.apart < 450.0, 1)
            for one, other in zip(*np.nonzero(near), strict=True):
                both = self.of[:, one] & self.of[:, other]
                holds &= ~both | ~(new[:, one] | new[:, other])
        if rule in ("regions", "all"):
            words |= {"region": "ward", "max_per_region": 2}
            if rule == "regions":
                words["min_per_region"] = 1
            for ward in sites["ward"].unique():
                count = new[:, (sites["ward"] == ward).to_numpy()].sum(axis=1)
                holds &= (count <= 2) & (count >= words.get("min_per_region", 0))
        if rule in ("budget", "all"):
            words |= {"budget": float(rng.choice([4.2, 6.0, 7.7])), "site_cost": "price"}
            del words["n_sensors"]
            holds &= new @ sites["price"].to_numpy() <= words["budget"] * (1 + 1e-12)
        elif rule == "spacing":
            holds &= size <= words["n_sensors"]
        else:
            holds &= size - kept == words["n_sensors"]
        return words, holds & (size > kept)

    def number(self, net: sq.Network) -> int:
        """The number of a network."""
        at = {site: k for k, site in enumerate(self.sites.index)}
        return sum(2 ** at[site] for site in net.sensors["site"])


def asked(
    everything: Everything, objective: str, holds: np.ndarray
) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Words of the objective, the value of each network, and whether it keeps rule and floors."""
    groups = everything.covered @ everything.rows.T
    mean = everything.covered @ everything.weight
    if objective in AVERSIONS:
        words: dict[str, Any] = AVERSIONS[objective]
        welfare = Welfare(words["aversion_form"], words["aversion"])
        return words, equivalents(welfare, everything), holds
    if objective == "at_least" and holds.any():
        # What some network that keeps the rule reaches, so that it is hard and can be met.
        floors = groups[everything.rng.choice(np.flatnonzero(holds))]
        least = {name: float(floor) for name, floor in zip(GROUPS, floors, strict=True)}
        return {"at_least": least}, mean, holds & (groups >= floors * (1 - 1e-11)).all(axis=1)
    if objective == "worst":
        return {"objective": "worst"}, groups.min(axis=1), holds
    if objective == "worst_share" and holds.any():
        own = groups[holds].max(axis=0)
        return {"objective": "worst_share"}, (groups / own).min(axis=1), holds
    return {}, mean, holds


def equivalents(welfare: Welfare, everything: Everything) -> np.ndarray:
    """Coverage that is worth as much to all, by the forms' definitions, (network,)."""
    weight, covered, kappa = everything.weight, everything.covered, welfare.aversion
    total = weight.sum()
    with np.errstate(divide="ignore"):
        if welfare.form == "kolm_pollak":
            return np.asarray(-np.log(np.exp(-kappa * covered) @ weight / total) / kappa)
        return np.asarray((covered ** (1 - kappa) @ weight / total) ** (1 / (1 - kappa)))


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(2))
def test_the_answer_is_the_best_of_all_networks(seed: int, rule: str, objective: str) -> None:
    """Exact equals the best of all networks, and no bound of any method is below it."""
    everything = Everything(100 * seed + 10 * RULES.index(rule) + OBJECTIVES.index(objective))
    rules, holds = everything.ask(rule)
    words, value, holds = asked(everything, objective, holds)
    question: dict[str, Any] = {"theta": THETA, "groups": GROUPS} | rules | words
    if not holds.any():
        with pytest.raises(ProblemError):
            sq.optimise(everything.city, **question)
        return
    best = float(value[holds].max())
    net = sq.optimise(everything.city, **question)
    assert holds[everything.number(net)]
    assert net.proven
    assert net.upper_bound is not None
    assert net.objective_value == pytest.approx(best, abs=1e-9)
    assert net.upper_bound >= best - 1e-12
    for method in ("greedy", "exchange", "lagrangian"):
        try:
            other = sq.optimise(everything.city, method=method, bound="quick", **question)
        except ProblemError:
            continue  # it does not honour the rule, or found no network that keeps it
        assert holds[everything.number(other)]
        if objective == "worst_share":
            # Its shares are of the best that it found for each group, which may not be the best.
            own = other.dataset["group_own_best"].sel(group=list(GROUPS)).to_numpy()
            best = float((everything.covered[holds] @ everything.rows.T / own).min(axis=1).max())
        assert other.objective_value <= best + 1e-12
        assert other.upper_bound is not None
        assert other.upper_bound >= best - 1e-12

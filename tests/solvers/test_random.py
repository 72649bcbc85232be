"""Random networks."""

from __future__ import annotations

import numpy as np
import pytest

from spineq.errors import ProblemError
from spineq.progress import RecordingProgress, SilentProgress
from spineq.solvers.coverage import Coverage
from spineq.solvers.objective import Objective
from spineq.solvers.random import random
from spineq.solvers.rules import Options, Rules


def an_objective(usable: np.ndarray | None = None) -> Objective:
    generator = np.random.default_rng(0)
    return Objective(Coverage.from_matrix(generator.random((30, 20))), np.ones(20), usable)


def test_seed_decides() -> None:
    """The same seed draws the same sites, another one others."""
    one, two, other = (
        random(an_objective(), Rules(9), Options(seed=seed), SilentProgress()) for seed in (1, 1, 2)
    )
    assert one.sites.tolist() == two.sites.tolist()
    assert set(one.sites) != set(other.sites)


def test_sites_are_different_and_usable() -> None:
    """No site is drawn twice, and none that may not be used."""
    usable = np.arange(30) % 2 == 0
    for seed in range(20):
        solution = random(an_objective(usable), Rules(12), Options(seed=seed), SilentProgress())
        assert len(set(solution.sites)) == 12
        assert (solution.sites % 2 == 0).all()
        assert 0 < solution.value <= solution.upper_bound


def test_every_site_has_its_turn() -> None:
    """Over many seeds each site is drawn about as often as any other."""
    drawn = np.zeros(30)
    for seed in range(600):
        drawn[random(an_objective(), Rules(5), Options(seed=seed), SilentProgress()).sites] += 1
    # 100 expected, standard deviation 9.
    assert drawn.min() > 60
    assert drawn.max() < 140


def test_too_many_sensors() -> None:
    """More sensors than usable sites is an error."""
    with pytest.raises(ProblemError, match="31 sensors are more than the 30 sites"):
        random(an_objective(), Rules(31), Options(), SilentProgress())


def test_stop_leaves_a_network_and_says_so() -> None:
    """Asked to stop before the bound is ready, the draw is kept and marked."""
    whole = random(an_objective(), Rules(5), Options(seed=3), SilentProgress())
    stopped = random(an_objective(), Rules(5), Options(seed=3), RecordingProgress(stop_after=1))
    assert sorted(stopped.sites) == sorted(whole.sites)
    assert stopped.stopped
    assert not whole.stopped
    assert stopped.upper_bound >= whole.value

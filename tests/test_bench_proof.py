"""Proofs as a table: published optima, HiGHS on the same problems, p-medians."""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from spineq.bench_proof import (
    COUNTS,
    THETAS,
    plain_programme,
    prove,
    prove_beside_highs,
    prove_medians,
)
from spineq.bench_reference import read_front_reference, read_median_reference, read_reference
from spineq.data.demo import demo_city
from spineq.data.files import read_city
from spineq.data.orlib import read_pmedian
from spineq.errors import MissingFileError, ProblemError, SpineqWarning, UnreadableFileError
from spineq.model.groups import GROUPS
from spineq.progress import RecordingProgress
from spineq.solvers.coverage import Coverage
from spineq.solvers.objective import Objective

#: The published instances that are here.
PMEDIANS = ["pmed1", "pmed2", "pmed3", "pmed4", "pmed5", "pmed6", "pmed11", "pmed16"]


@pytest.mark.slow
def test_every_optimum_of_newcastle_is_proven(shared: Path) -> None:
    """24 of 24, equal to what was proven in three other ways, with bounds not below it."""
    with warnings.catch_warnings():
        # Two polygons are not valid, which is said of them and changes no sum.
        warnings.simplefilter("ignore", SpineqWarning)
        city = read_city(shared / "data" / "cities" / "E08000021")
    proofs = prove(city, reference=read_reference(shared / "reference.json"))
    assert len(proofs) == 24
    for proof in proofs:
        assert proof.proven
        assert proof.equal
        assert proof.greedy <= proof.value <= proof.bound
        assert proof.value <= (proof.reference or 0.0) + 1e-9
        # On one core 5 s at most are promised; the cores may be busy with other tests.
        assert proof.seconds < 20.0


def test_published_medians_are_reached_and_proven(shared: Path) -> None:
    """All eight, the bound rounded to a whole number."""
    files = [shared / "data" / "orlib" / f"{name}.txt" for name in PMEDIANS]
    proofs = prove_medians(files, reference=read_median_reference(shared / "reference.json"))
    assert [proof.name for proof in proofs] == PMEDIANS
    for proof in proofs:
        assert proof.proven
        assert proof.equal
        assert proof.bound == proof.value
        assert proof.gap == 0.0


def test_a_city_has_24_problems() -> None:
    """Each group, distance and number once; other methods may leave a gap, never a wrong bound."""
    city = demo_city("synthetic", n_areas=70)
    best, plain = prove(city), prove(city, method="greedy")
    asked = [(p.theta, p.group, p.n_sensors) for p in best]
    assert asked == list(itertools.product(THETAS, GROUPS, COUNTS))
    for exact, greedy in zip(best, plain, strict=True):
        assert exact.proven
        assert greedy.value == pytest.approx(greedy.greedy, rel=1e-12)
        assert greedy.value <= exact.value * (1 + 1e-12)
        assert greedy.bound >= exact.value
        assert exact.greedy == greedy.greedy
        assert exact.equal is None


def test_a_published_value_that_differs_is_seen() -> None:
    """Equal means equal to nine decimals."""
    city = demo_city("synthetic", n_areas=60)
    value = prove(city)[0].value
    first = ("pop_total", 500.0, 10)
    assert prove(city, reference={first: value + 4e-10})[0].equal is True
    assert prove(city, reference={first: value + 2e-9})[0].equal is False


def test_a_stop_returns_what_is_solved() -> None:
    """The watcher is asked before each problem."""
    city = demo_city("synthetic", n_areas=60)
    assert len(prove(city, progress=RecordingProgress(stop_after=3))) == 2


def test_too_small_a_city_is_refused() -> None:
    """55 sensors need as many sites."""
    with pytest.raises(ProblemError, match="55 sensors are more than the city's 40 sites"):
        prove(demo_city("synthetic", n_areas=40))


def test_highs_agrees_where_it_ends(needs: Callable[[str], ModuleType]) -> None:
    """The plain programme has the same optimum; at the limit there is no proof but a bound."""
    needs("highspy")
    rng = np.random.default_rng(3)
    where = rng.random((30, 2))
    far = np.hypot(*(where[:, None] - where[None]).T)
    matrix, weight = np.exp(-far / 0.1), rng.random(30)
    objective = Objective(Coverage.from_matrix(matrix), weight)
    plain = plain_programme(objective, 3)
    best = max(
        float(weight @ matrix[list(sites)].max(axis=0))
        for sites in itertools.combinations(range(30), 3)
    )
    assert plain.proven
    assert plain.value == pytest.approx(best, rel=1e-12)
    assert plain.bound == pytest.approx(best, rel=1e-9)
    cut = plain_programme(objective, 3, limit=1e-9)
    assert (cut.proven, cut.seconds) == (False, 1e-9)


@pytest.mark.slow
def test_highs_beside_us(needs: Callable[[str], ModuleType]) -> None:
    """Problem by problem; what both prove is the same."""
    needs("highspy")
    pairs = prove_beside_highs(demo_city("synthetic", n_areas=60), limit=5.0)
    assert len(pairs) == 24
    assert all(ours.proven for ours, _ in pairs)
    both = [(ours, plain) for ours, plain in pairs if plain.proven]
    assert both
    for ours, plain in both:
        assert plain.value == pytest.approx(ours.value, rel=1e-9)


def test_medians_of_one_place_and_of_all(tmp_path: Path) -> None:
    """Where every place is a median, the sum is 0, and that is proven."""
    path = tmp_path / "tiny.txt"
    path.write_text("3 2 3\n1 2 4\n2 3 5\n")
    (proof,) = prove_medians([path])
    assert (proof.value, proof.bound, proof.proven, proof.gap) == (0, 0, True, 0.0)
    assert read_pmedian(path).n_medians == 3


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"optimum": 3}', '{"optimum": {"theta_x": {"a": {"1": 1}}}}',
     '{"optimum": {"theta_5": {"a": {"1": "x"}}}, "orlib_pmedian": {"optimum": {"a": "x"}}}',
     '{"hypervolume": {"a": NaN}}'],
)  # fmt: skip
@pytest.mark.parametrize("read", [read_reference, read_median_reference, read_front_reference])
def test_a_reference_that_is_none(tmp_path: Path, text: str, read: Any) -> None:
    """A file of something else is refused by name."""
    path = tmp_path / "reference.json"
    path.write_text(text)
    with pytest.raises(UnreadableFileError, match="published values"):
        read(path)
    with pytest.raises(MissingFileError):
        read(tmp_path / "nowhere.json")


def test_references_are_read(shared: Path, tmp_path: Path) -> None:
    """Values by group, theta and number, and by name."""
    made = read_reference(shared / "reference.json")
    assert len(made) == 24
    given = json.loads((shared / "reference.json").read_text())
    assert made["workplace", 500.0, 55] == given["optimum"]["theta_500"]["workplace"]["55"]
    assert read_median_reference(shared / "reference.json")["pmed1"] == 5819.0
    path = tmp_path / "fronts.json"
    path.write_text('{"hypervolume": {"NSGA-II, 1,000 generations": 0.09}}')
    assert read_front_reference(path) == {"NSGA-II, 1,000 generations": 0.09}

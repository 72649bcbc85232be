"""Front: what can be asked of it, and how it is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from solvers.instances import city_of

import spineq as sq
from spineq.errors import DataError, NetworkFileError, ProblemError, StoreError
from spineq.model._front_words import proof
from spineq.model.front import Front, front_from_bytes, hypervolume, read_front

GROUPS = {
    "older": sq.Group(ages=(66, 90), title="Older people"),
    "jobs": sq.Group(column="workers"),
}


def smallville(seed: int = 0, n: int = 25) -> Any:
    """City of areas strewn over 3 km, old people here and jobs there."""
    rng = np.random.default_rng(seed)
    residents = rng.integers(0, 100, (n, 3)) * rng.integers(0, 3, (n, 3)) + 1
    return city_of(rng.random((n, 2)) * 3000, residents, rng.integers(0, 400, n) + 1)


@pytest.fixture(scope="module")
def city() -> Any:
    return smallville()


@pytest.fixture(scope="module")
def front(city: Any) -> Front:
    return sq.trade_off(city, 4, 500, GROUPS, effort=0.05, size=12)


def made_of(front: Front, coverage: list[list[float]]) -> Front:
    """The front with some coverage in place of its first networks'."""
    data = front.dataset.isel(network=slice(len(coverage)))
    return Front(data.assign(group_coverage=(("network", "group"), np.array(coverage))))


def test_filter_keeps_what_reaches(front: Front) -> None:
    """Of front and archive those are kept that reach the level, in their order."""
    level = float(front.group_coverage.sel(group="older").median())
    kept = front.filter(at_least={"older": level})
    mine = front.group_coverage.to_numpy()
    where = np.flatnonzero(mine[:, front.groups.index("older")] >= level)
    assert 0 < kept.n_networks < front.n_networks
    assert np.array_equal(kept.group_coverage, mine[where])
    assert [kept.network(k) for k in range(kept.n_networks)] == [front.network(k) for k in where]
    assert (kept.archive["coverage"].sel(group="older") >= level - 1e-12).all()
    assert kept.archived(0)
    assert kept.filter(at_least={"older": level}) == kept


def test_an_empty_front_says_so(front: Front) -> None:
    """Nothing reaches everything: the front is empty, and asking it for one is refused."""
    empty = front.filter(at_least={"older": 1.0, "jobs": 1.0})
    assert empty.n_networks == 0
    assert empty.hypervolume == 0.0
    assert empty.to_dict()["knee"] is None
    assert empty.summary()
    assert "0 networks" in empty._repr_html_()
    for ask in (empty.knee, empty.worst_best, lambda: empty.nearest({"older": 0.5})):
        with pytest.raises(ProblemError, match="empty"):
            ask()
    assert front_from_bytes(empty.to_bytes()) == empty


def test_an_emptied_front_says_why(front: Front) -> None:
    """Nothing that was found reaches it; or only networks of the archive do, and how far."""
    text = front.filter(at_least={"older": 1.0}).summary()
    opening = "No network of the front, of 4 sensors in Smallville (theta 500 m), reaches what was"
    assert text.startswith(f"{opening} asked, nor does any other that was found. Ask less of it.\n")
    assert "none better" not in text
    assert "0 networks" not in text
    some = Front(front.dataset.isel(network=[]))
    n = front.dataset.sizes["found"]
    older = float(front.archive["coverage"].sel(group="older").max())
    said = some.summary().splitlines()[0]
    assert said.startswith(f"{opening} asked, but {n} of the archive do; the most that they cover:")
    assert f"older people {100 * older:.1f} %" in said
    none = Front(front.dataset.isel(network=[], found=[], base=[]).assign_attrs(stopped=1))
    assert none.summary().startswith(
        "No network of 4 sensors in Smallville (theta 500 m) was found"
    )
    assert "No network of 4 sensors" in none._repr_html_()


def test_a_proof_says_what_was_asked_where_it_fell_short(front: Front) -> None:
    """What is proven is rounded up; a wish that was met needs no words."""
    proven = Front(front.dataset.assign_attrs(tolerance=0.00601))
    short = "0.1 percentage points were asked; more effort may prove it."
    assert "is at most 0.61 percentage points below it" in proof(proven)
    assert proof(proven, 0.001).endswith(f"in each group. {short}")
    assert short not in proof(proven, 0.00601)
    assert short not in proof(proven)
    assert proof(front, 0.001).endswith(f"is not proven. {short}")
    wished = Front(proven.dataset.assign_attrs(tolerance_asked=0.001))
    assert short in wished.summary()
    for share, said in [(0.5, "50"), (0.0, "0"), (0.001, "0.1"), (0.0010001, "0.11"), (1.0, "100")]:
        made = Front(front.dataset.assign_attrs(tolerance=share))
        assert f"at most {said} percentage points" in proof(made)


def test_knee_worst_and_nearest_by_hand(front: Front) -> None:
    """On a front of four networks that one can draw."""
    # Groups in order: jobs, older.
    four = made_of(front, [[0.9, 0.1], [0.8, 0.45], [0.5, 0.5], [0.1, 0.55]])
    assert four.knee() == 1
    assert four.worst_best() == 2
    assert four.nearest({"jobs": 0.2, "older": 0.9}) == 3
    assert four.nearest({"jobs": 0.79}) == 1
    assert four.hypervolume == pytest.approx(0.9 * 0.1 + 0.8 * 0.35 + 0.5 * 0.05 + 0.1 * 0.05)
    assert hypervolume(four.group_coverage.to_numpy()) == four.hypervolume


def test_compare_by_hand(city: Any, front: Front) -> None:
    """A network that greedy makes for one group, against a front that contains better ones."""
    net = sq.evaluate(city, front.network(0)[:3], theta=500, groups=GROUPS)
    own = net.group_coverage.sel(group=list(front.groups)).to_numpy()
    said = front.compare(net)
    assert said.coverage.to_numpy() == pytest.approx(own)
    others = front.group_coverage.to_numpy()
    better = [k for k, row in enumerate(others) if (row >= own).all() and (row > own).any()]
    assert said.dominated
    assert list(said.dominating) == better
    near = min(better, key=lambda k: ((others[k] - own) ** 2).sum())
    assert said.nearest == near
    assert said.change.to_numpy() == pytest.approx(others[near] - own)
    assert f"network {near}" in said.summary()

    mine = sq.evaluate(city, front.network(3), theta=500, groups=GROUPS)
    assert not front.compare(mine).dominated
    assert front.compare(mine).nearest == 3
    assert front.compare(mine).change.to_numpy() == pytest.approx([0, 0], abs=1e-12)


def test_compare_finds_groups_by_who_they_are(city: Any, front: Front) -> None:
    """A network reports the original's groups, whatever the front calls them."""
    net = sq.optimise(city, n_sensors=4, theta=500)
    said = front.compare(net)
    assert float(said.coverage.sel(group="older")) == pytest.approx(
        float(net.group_coverage.sel(group="pop_elderly"))
    )


def test_compare_refuses_what_is_not_comparable(city: Any, front: Front) -> None:
    """Another city, another theta, another decay, or a group that is not reported."""
    with pytest.raises(DataError, match="another city"):
        front.compare(sq.optimise(smallville(1), n_sensors=4, theta=500))
    for words in ({"theta": 400}, {"theta": 500, "decay": "gaussian"}):
        with pytest.raises(ProblemError, match="not"):
            front.compare(sq.optimise(city, n_sensors=4, **words))
    odd = {**GROUPS, "forty": sq.Group(ages=(16, 65))}
    other = sq.trade_off(city, 2, 500, odd, effort=0.01, size=3)
    with pytest.raises(ProblemError, match="forty"):
        other.compare(sq.optimise(city, n_sensors=4, theta=500))


@pytest.mark.parametrize("given", [5, None, "net.nc", sq.Network], ids=repr)
def test_compare_refuses_what_is_no_network(front: Front, given: Any) -> None:
    """A front neither, nor the class of networks."""
    for one in (given, front):
        with pytest.raises(ProblemError, match="a network is needed, not") as caught:
            front.compare(one)
        assert caught.value.field == "network"


@pytest.mark.parametrize(
    "given", [{}, None, {"nobody": 0.5}, {"older": 2}, {"older": "much"}, {"older": float("nan")}]
)
def test_levels_are_checked(front: Front, given: Any) -> None:
    """A level is that of a group of the front, 0 to 1."""
    for ask in (front.filter, front.nearest):
        with pytest.raises(ProblemError):
            ask(given)


@pytest.mark.parametrize("number", [-1, 12, 1.5, "1", True])
def test_numbers_are_checked(front: Front, number: Any) -> None:
    """A network is known by its number."""
    with pytest.raises(ProblemError):
        front.network(number)
    with pytest.raises(ProblemError):
        front.archived(number if number != 12 else 10**6)


def test_round_trip(front: Front, tmp_path: Path) -> None:
    """NetCDF and bytes bring everything back, bit for bit; xarray reads the file too."""
    path = front.to_netcdf(tmp_path / "front.nc")
    again = read_front(path)
    assert again == front
    assert again.digest == front.digest
    assert again.problem == front.problem
    assert front_from_bytes(front.to_bytes()) == front
    with xr.open_dataset(path) as data:
        assert np.array_equal(data["group_coverage"], front.group_coverage)
    slower = Front(front.dataset.assign_attrs(seconds=1e9))
    assert slower == front
    assert slower.digest == front.digest


def test_damage_is_noticed(front: Front, tmp_path: Path, city: Any) -> None:
    """A file that was changed, another file, none at all."""
    changed = front.dataset.copy(deep=True)
    content = bytearray(front.to_bytes())
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(NetworkFileError):
        front_from_bytes(bytes(content))
    with pytest.raises(NetworkFileError, match="no such file"):
        read_front(tmp_path / "none.nc")
    with pytest.raises(NetworkFileError, match="not a front"):
        front_from_bytes(sq.optimise(city, n_sensors=1).to_bytes())
    with pytest.raises(NetworkFileError, match="Update"):
        front_from_bytes(Front(changed.assign_attrs(spineq_front_schema=99)).to_bytes())
    (tmp_path / "text.nc").write_text("no")
    with pytest.raises(NetworkFileError, match="NetCDF"):
        read_front(tmp_path / "text.nc")


@pytest.mark.parametrize("path", [None, 5, [], b"front.nc"], ids=repr)
def test_what_names_no_file_is_refused(front: Front, path: Any) -> None:
    """To read as well as to write."""
    with pytest.raises(NetworkFileError, match="does not name a file"):
        read_front(path)
    for write in (front.to_netcdf, front.to_json):
        with pytest.raises(StoreError, match="does not name a file"):
            write(path)


def test_words(front: Front, tmp_path: Path) -> None:
    """The summary names groups and numbers, the notebook's view is HTML, JSON is JSON."""
    text = front.summary()
    assert "12 networks of 4 sensors in Smallville (theta 500 m)" in text
    assert f"Network {front.knee()} is where the front bends most" in text
    assert "not proven" in text
    html = front._repr_html_()
    assert html.count("<polyline") == 13
    assert "Older people" in html
    assert "Invented" in html
    assert "12 networks in Smallville for jobs, older" in repr(front)
    made = json.loads(front.to_json(tmp_path / "front.json").read_text())
    assert made == json.loads(json.dumps(front.to_dict()))
    assert len(made["networks"]) == 12
    assert made["networks"][3]["sites"] == front.network(3)
    assert made["knee"] == front.knee()
    assert made["hypervolume"] == front.hypervolume
    assert made["tolerance"] is None
    table = front.table()
    assert list(table.columns) == list(front.groups)
    assert table.loc[2, "jobs"] == float(front.group_coverage.sel(group="jobs")[2])

"""A sweep from its configuration to its table, on a cluster of two threads."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import queue_tasks
import xarray as xr
from distributed import Client, LocalCluster

import spineq as sq
from spineq.errors import (
    ClusterError,
    MissingFileError,
    NetworkFileError,
    ProblemError,
    StoreError,
    UnreadableFileError,
)
from spineq.jobs import tasks
from spineq.progress import Report, Watcher
from spineq.sweeps import files

pytestmark = pytest.mark.cluster

JOBS = {"jobs": {"column": "workers"}}
CONFIG: dict[str, Any] = {
    "cities": [{"name": "Little town", "path": "synthetic:60"}],
    "grid": {
        "theta": [300, 500],
        "n_sensors": [3, 5, 500],
        "groups": {"jobs": JOBS, "mixed": {"young": {"ages": [0, 12], "weight": 2}, **JOBS}},
    },
    "points": [
        {"task": "trade_off", "theta": 500, "n_sensors": 3, "effort": 0.02, "size": 9},
        {"task": "random", "theta": 500, "n_sensors": 3, "n_networks": 40},
        {"task": "trade_off", "theta": 500, "n_sensors": 3, "groups": "jobs"},
    ],
}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Client of two workers in this process."""
    sq.apply_dask_config()
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def queue(client: Client, tmp_path: Path) -> Iterator[sq.JobQueue]:
    """Queue on the two workers."""
    with sq.JobQueue(client, store=tmp_path / "store") as queue:
        yield queue


@pytest.fixture(scope="module")
def made(client: Client, tmp_path_factory: pytest.TempPathFactory) -> tuple[sq.SweepResult, Path]:
    """Make the sweep of `CONFIG`; and its store."""
    folder = tmp_path_factory.mktemp("sweep")
    with sq.JobQueue(client, store=folder / "store") as queue:
        return sq.sweep(CONFIG, folder / "made", queue), folder / "store"


@pytest.fixture
def _steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_TASKS", dict(tasks._TASKS))
    types = {"number": int, "seconds": float, "diary": str}
    sq.register_task("steps", queue_tasks.steps, parameters=types)
    sq.register_task("odd", queue_tasks.odd, parameters={"kind": str})


def _steps_config(diary: Path, n: int = 6, seconds: float = 0.05) -> dict[str, Any]:
    return {
        "cities": "synthetic:20",
        "task": "steps",
        "grid": {"number": list(range(n))},
        "fixed": {"seconds": seconds, "diary": str(diary)},
    }


class _Stop(Watcher):
    """Asks for a stop once some have ended, and keeps the words."""

    def __init__(self, after: int) -> None:
        self.after, self.words = after, list[str]()

    def hear(self, report: Report) -> bool:
        self.words.append(report.message)
        done = report.message.partition(" of ")[0]
        return done.isdecimal() and int(done) >= self.after


def _cell(table: pd.DataFrame, number: int, column: str) -> Any:
    return table.at[number, column]


def test_answers_are_those_of_single_calls(made: tuple[sq.SweepResult, Path]) -> None:
    """Networks, front and baseline equal what the library gives, and rows what these say."""
    result, _ = made
    city = sq.demo_city("synthetic", n_areas=60).labelled(name="Little town")
    young = {"young": sq.Group(ages=(0, 12), weight=2), "jobs": sq.Group(column="workers")}
    alone = sq.optimise(city, n_sensors=5, theta=300, groups=young)
    row = result.table[
        (result.table["groups"] == "mixed")
        & (result.table["theta"] == 300)
        & (result.table["n_sensors"] == 5)
    ].iloc[0]
    assert result.answer(int(str(row.name))) == alone
    assert row["sensors"] == alone.placement_history
    assert (row["value"], row["bound"]) == (alone.objective_value, alone.upper_bound)
    assert (row["gap"], row["proven"]) == (alone.gap, alone.proven)
    for name in alone.group_coverage["group"].to_numpy():
        assert row[f"coverage_{name}"] == float(alone.group_coverage.sel(group=name))
    front = sq.trade_off(city, 3, 500, effort=0.02, size=9)
    assert result.answer(13) == front
    assert _cell(result.table, 13, "sensors") == front.network(front.knee())
    assert _cell(result.table, 13, "networks") == front.n_networks
    assert _cell(result.table, 13, "hypervolume") == front.hypervolume
    assert np.isnan(_cell(result.table, 13, "value"))
    baseline = sq.random_networks(city, 3, 500, n_networks=40)
    assert result.answer(14) == baseline
    assert _cell(result.table, 14, "value") == float(baseline.total_coverage.mean())


def test_a_point_that_cannot_be_stops_no_other(made: tuple[sq.SweepResult, Path]) -> None:
    """It is a row with its sentence; what it lacks is NaN in the grid."""
    result, _ = made
    states = Counter(result.table["state"])
    assert states == {"finished": 10, "failed": 5}
    failed = result.failed
    assert all("60 sites" in why for why in failed["error"].iloc[:4])
    assert "between groups" in failed["error"].iloc[4]
    assert result.dataset is not None
    many = result.dataset.sel(n_sensors=500)
    assert many["value"].isnull().all()
    assert many["coverage"].isnull().all()
    assert (many["point"] > 0).all()
    assert "10 finished" in result.summary()
    assert "60 sites" in result.summary()
    with pytest.raises(ProblemError, match="has no network"):
        result.answer(int(failed.index[0]))
    with pytest.raises(ProblemError, match="no point 99"):
        result.answer(99)


def test_every_group_is_measured_in_every_network(made: tuple[sq.SweepResult, Path]) -> None:
    """Also those that only other networks were made for, to rounding what evaluate says."""
    result, _ = made
    city = sq.demo_city("synthetic", n_areas=60)
    row = result.table[(result.table["groups"] == "jobs") & (result.table["of"] == "network")]
    first = row.iloc[0]
    young = {"young": sq.Group(ages=(0, 12))}
    alone = sq.evaluate(city, first["sensors"], theta=first["theta"], groups=young, bound="none")
    assert first["coverage_young"] == pytest.approx(alone.total_coverage, abs=1e-12)


def test_the_grid_holds_the_rows(made: tuple[sq.SweepResult, Path]) -> None:
    """Each point at its place, by labels; xarray alone reads the file."""
    result, _ = made
    with xr.open_dataset(result.folder / "grid.nc") as grid:
        assert dict(grid.sizes) == {
            "city": 1, "groups": 2, "theta": 2, "n_sensors": 3, "group": 6,
        }  # fmt: skip
        for number, row in result.table.iloc[:12].iterrows():
            at = {name: row[name] for name in ("city", "groups", "theta", "n_sensors")}
            here = grid.sel(at)
            assert int(here["point"]) == number
            for name in ("value", "bound", "gap", "seconds"):
                assert float(here[name]) == pytest.approx(row[name], nan_ok=True)
            covered = float(here["coverage"].sel(group="young"))
            assert covered == pytest.approx(row["coverage_young"], nan_ok=True)
        assert grid.attrs["sweep_digest"]


def test_the_folder_brings_the_result_back(made: tuple[sq.SweepResult, Path]) -> None:
    """Parquet exactly, CSV with ids joined; no half-written file is left."""
    result, _ = made
    again = sq.read_sweep(result.folder)
    pd.testing.assert_frame_equal(again.table, result.table)
    assert again.facts == result.facts
    assert again.dataset is not None
    assert result.dataset is not None
    assert again.dataset.identical(result.dataset)
    table = pd.read_csv(result.folder / "points.csv", index_col="number", dtype={"sensors": str})
    assert list(table.columns) == list(result.table.columns)
    joined = [";".join(ids) for ids in result.table["sensors"]]
    assert list(table["sensors"].fillna("")) == joined
    assert not [path for path in result.folder.rglob("*") if path.name.startswith(".tmp")]
    text = (result.folder / "sweep.yml").read_text()
    assert f"# digest: {result.dataset.attrs['sweep_digest']}" in text
    assert f"spineq {sq.__version__}" in text
    assert "Little town" in text


def test_the_same_call_computes_nothing_twice(
    made: tuple[sq.SweepResult, Path], client: Client, tmp_path: Path
) -> None:
    """Jobs in the ledger are taken up, not submitted again; in another folder too."""
    result, store = made
    shutil.copytree(result.folder, tmp_path / "made")
    with sq.JobQueue(client, store=store) as queue:
        before = {job.id: job.ended for job in queue.jobs()}
        again = sq.sweep(CONFIG, tmp_path / "made", queue)
        assert {job.id: job.ended for job in queue.jobs()} == before
        pd.testing.assert_frame_equal(again.table, result.table)
        other = sq.sweep(CONFIG, tmp_path / "other", queue)
        assert len(queue.ids()) == len(before)
    pd.testing.assert_frame_equal(other.table, result.table)
    networks = {path.name: path.read_bytes() for path in (tmp_path / "other/networks").iterdir()}
    assert networks == {
        path.name: path.read_bytes() for path in (result.folder / "networks").iterdir()
    }


def test_another_sweep_is_answered_from_the_store(
    made: tuple[sq.SweepResult, Path], client: Client, tmp_path: Path
) -> None:
    """Where it asks the same, and its rows say so."""
    _, store = made
    config = CONFIG | {"grid": {"theta": [300], "n_sensors": [3, 4], "groups": {"jobs": JOBS}}}
    config.pop("points")
    with sq.JobQueue(client, store=store) as queue:
        other = sq.sweep(config, tmp_path / "other", queue)
    assert list(other.table["reused"]) == [True, False]
    assert other.failed.empty


@pytest.mark.usefixtures("_steps")
def test_anew_computes_again(queue: sq.JobQueue, tmp_path: Path) -> None:
    """And takes the place of another sweep, which is refused otherwise, file for file."""
    diary = tmp_path / "diary"
    config = _steps_config(diary, 2)
    network = {"cities": "synthetic:20", "points": [{"n_sensors": 2}]}
    sq.sweep(network, tmp_path / "out", queue)
    assert (tmp_path / "out/networks/0001.nc").exists()
    with pytest.raises(ProblemError, match="another sweep") as refusal:
        sq.sweep(config, tmp_path / "out", queue)
    assert "anew" in str(refusal.value)
    (tmp_path / "out/networks/mine.nc").touch()
    sq.sweep(config, tmp_path / "out", queue, anew=True)
    sq.sweep(config, tmp_path / "out", queue)
    assert sorted(diary.read_text().split()) == ["0", "1"]
    sq.sweep(config, tmp_path / "out", queue, anew=True)
    assert sorted(diary.read_text().split()) == ["0", "0", "1", "1"]
    assert [path.name for path in (tmp_path / "out/networks").iterdir()] == ["mine.nc"]


@pytest.mark.usefixtures("_steps")
def test_a_stop_can_be_gone_on_with(queue: sq.JobQueue, tmp_path: Path) -> None:
    """What has ended is returned and not done again; progress says how far it is."""
    diary, watcher = tmp_path / "diary", _Stop(3)
    config = _steps_config(diary, 8, 0.3)
    result = sq.sweep(config, tmp_path / "out", queue, progress=watcher)
    assert result.stopped
    done = result.table["state"] == "finished"
    assert 3 <= done.sum() < 8
    assert set(result.table["state"]) <= {"finished", "running", "queued"}
    assert any("done" in words and "left" in words for words in watcher.words)
    assert not (tmp_path / "out/points.csv").exists()
    again = sq.sweep(config, tmp_path / "out", queue)
    assert not again.stopped
    assert again.failed.empty
    assert sorted(diary.read_text().split()) == [str(k) for k in range(8)]
    assert len(queue.ids()) == 8


@pytest.mark.usefixtures("_steps")
def test_what_failed_is_tried_again(queue: sq.JobQueue, tmp_path: Path) -> None:
    """Failed and cancelled jobs get a new attempt; one bad job stops no other."""
    diary = tmp_path / "diary"
    config = _steps_config(diary, 3) | {
        "points": [{"task": "odd", "kind": "a set"}], "fixed": {}, "grid": {
            "number": [0, 1, 2], "seconds": 0.02, "diary": str(diary)}}  # fmt: skip
    result = sq.sweep(config, tmp_path / "out", queue)
    assert Counter(result.table["state"]) == {"finished": 3, "failed": 1}
    assert "JSON" in _cell(result.table, 4, "error")
    cancelled = _cell(result.table, 2, "job")
    queue.delete(cancelled)
    again = sq.sweep(config, tmp_path / "out", queue)
    assert Counter(again.table["state"]) == {"finished": 3, "failed": 1}
    assert queue.get(_cell(again.table, 4, "job")).snapshot().turn == 1
    # Its answer was in the store still.
    assert _cell(again.table, 2, "reused")
    assert _cell(again.table, 2, "job") != cancelled


def test_an_answer_that_is_gone_is_computed_again(queue: sq.JobQueue, tmp_path: Path) -> None:
    """Once, by a job of its own."""
    config = {"cities": "synthetic:20", "points": [{"n_sensors": 2}, {"n_sensors": 3}]}
    first = sq.sweep(config, tmp_path / "out", queue)
    run = queue.get(_cell(first.table, 1, "job")).snapshot().run
    (answer,) = (tmp_path / "store").rglob(f"*answers/{run}")
    answer.write_bytes(b"damaged")
    again = sq.sweep(config, tmp_path / "out", queue)
    assert again.failed.empty
    assert again.answer(1) == first.answer(1)
    assert _cell(again.table, 1, "job") != _cell(first.table, 1, "job")
    assert _cell(again.table, 2, "job") == _cell(first.table, 2, "job")


@pytest.mark.slow
@pytest.mark.usefixtures("_steps")
def test_a_cluster_is_kept_busy(tmp_path: Path) -> None:
    """Jobs of half a second on two processes take at most 1.3 times the least that they can."""
    n, seconds = 60, 0.5
    config = _steps_config(tmp_path / "diary", n, seconds)
    with sq.JobQueue(n_workers=2, store=tmp_path / "store") as queue:
        # Workers have started once they have done something.
        sq.sweep(_steps_config(tmp_path / "diary", 4, 0.01), tmp_path / "warm", queue)
        began = time.monotonic()
        result = sq.sweep(config, tmp_path / "out", queue)
        took = time.monotonic() - began
    assert result.failed.empty
    ratio = took / (n * seconds / 2)
    print(f"{n} jobs of {seconds:g} s: {took:.1f} s on 2 workers, {ratio:.2f} of the least")
    assert ratio < 1.3


class _Pages:
    """A report as the sweep sees it."""

    def __init__(self, words: Any) -> None:
        self.words = words

    def write(self, folder: Path) -> None:
        if self.words["n_sensors"] == 4:
            raise OSError(28, "No space left on device")
        folder.mkdir()
        (folder / "report.html").write_text(f"{self.words}")


def test_reports_are_jobs_and_folders(
    queue: sq.JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the points that want one, and of the task itself."""
    monkeypatch.setattr(tasks, "_TASKS", dict(tasks._TASKS))
    config: dict[str, Any] = {
        "cities": "synthetic:20",
        "report": True,
        "grid": {"n_sensors": [2, 3]},
        "points": [{"n_sensors": 5, "task": "report"}, {"n_sensors": 6, "report": False}],
    }
    types: dict[str, Any] = {"n_sensors": int, "groups": (dict, {}), "store": str}
    task = sq.register_task("report", _report, parameters=types, needs_city=True)

    def asked(city: Any, words: Any) -> Any:
        return task.check(city, {**words, "groups": {}})

    tasks.add_task(replace(task, check=asked, load=lambda data: _Pages(json.loads(data))))
    result = sq.sweep(config, tmp_path / "out", queue)
    assert list(result.table["report"]) == ["reports/0001", "reports/0002", "reports/0003", ""]
    assert list(result.table["state"]) == ["finished"] * 4
    assert (tmp_path / "out/reports/0003/report.html").read_text() == "{'n_sensors': 5}"
    assert len(queue.jobs(task="report")) == 3
    with pytest.raises(StoreError, match="point 1"):
        sq.sweep(config | {"grid": {"n_sensors": [4]}}, tmp_path / "full", queue)
    assert {path.name for path in (tmp_path / "full/reports").iterdir()} <= {"0002"}


def _report(
    city: sq.City, progress: Any, *, n_sensors: int, groups: Any, store: str
) -> dict[str, int]:
    assert Path(store).is_dir()
    return {"n_sensors": n_sensors}


def test_a_city_is_given_beside_the_configuration(queue: sq.JobQueue, tmp_path: Path) -> None:
    """By name where there are several that have no data; and called by its name."""
    config = {"cities": ["York", "Leeds"], "grid": {"n_sensors": 2}}
    with pytest.raises(MissingFileError, match="'York'"):
        sq.sweep(config, tmp_path / "out", queue)
    with pytest.raises(ProblemError, match="could be any"):
        sq.sweep(config, tmp_path / "out", queue, city="synthetic:20")
    with pytest.raises(ProblemError, match="no city 'Hull'"):
        sq.sweep(config, tmp_path / "out", queue, city={"Hull": "synthetic:20"})
    with pytest.raises(MissingFileError, match="nowhere"):
        sq.sweep(config, tmp_path / "out", queue, city={"York": "nowhere", "Leeds": "demo"})
    assert not (tmp_path / "out").exists()
    where = {"York": "synthetic:23", "Leeds": "synthetic:30"}
    result = sq.sweep(config, tmp_path / "out", queue, city=where)
    assert list(result.table["city"]) == ["York", "Leeds"]
    assert result.answer(1).dataset.attrs["city_name"] == "York"


@pytest.mark.usefixtures("_steps")
def test_jobs_that_others_take_away_are_rows(
    queue: sq.JobQueue, client: Client, tmp_path: Path
) -> None:
    """Deleted and cancelled ones; and a queue that is closed ends the sweep with a sentence."""
    config = _steps_config(tmp_path / "diary", 4, 0.6)

    class Meddler(_Stop):
        def hear(self, report: Report) -> bool:
            jobs = {job.parameters["number"]: job.id for job in queue.jobs()}
            if len(jobs) == 4 and not self.words:
                self.words.append("done")
                queue.delete(jobs[3])
                queue.cancel(jobs[2])
            return False

    result = sq.sweep(config, tmp_path / "out", queue, progress=Meddler(9))
    assert list(result.table["state"]) == ["finished", "finished", "cancelled", "deleted"]
    assert "cancelled" in _cell(result.table, 3, "error")
    assert "deleted" in _cell(result.table, 4, "error")

    class Closer(_Stop):
        def hear(self, report: Report) -> bool:
            if "running" in report.message:
                short.close()
            return False

    short = sq.JobQueue(client, store=tmp_path / "short")
    with pytest.raises(ClusterError, match="closed"):
        sq.sweep(config, tmp_path / "out2", short, progress=Closer(9))


def test_a_folder_that_cannot_be_written_is_named(queue: sq.JobQueue, tmp_path: Path) -> None:
    """Before a job is submitted."""
    (tmp_path / "file").touch()
    config = {"cities": "synthetic:20", "points": [{"n_sensors": 2}]}
    for folder in (tmp_path / "file", tmp_path / "file" / "more"):
        with pytest.raises(StoreError, match="written"):
            sq.sweep(config, folder, queue)
    assert queue.ids() == []


def test_a_folder_without_a_sweep_is_told(
    made: tuple[sq.SweepResult, Path], tmp_path: Path
) -> None:
    """So is a damaged one."""
    with pytest.raises(MissingFileError, match="no table of a sweep"):
        sq.read_sweep(tmp_path)
    shutil.copytree(made[0].folder, tmp_path / "copy")
    (tmp_path / "copy" / files.GRID).write_bytes(b"damaged")
    with pytest.raises(NetworkFileError):
        sq.read_sweep(tmp_path / "copy")
    (tmp_path / "copy" / files.TABLE).write_bytes(b"damaged")
    with pytest.raises(UnreadableFileError):
        sq.read_sweep(tmp_path / "copy")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "copy" / files.TABLE)
    with pytest.raises(UnreadableFileError, match="no table of a sweep"):
        sq.read_sweep(tmp_path / "copy")

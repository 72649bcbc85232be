"""``spineq sweep``: tables for people and machines, refusals, kill and resume, the original."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from command_line import PATIENCE, is_there, run, start, until

import spineq as sq

CONFIG = """
cities: [synthetic:60]
grid:
  theta: [300, 500]
  n_sensors: [3, 500]
points:
  - {task: random, n_sensors: 3, n_networks: 50}
"""

ORIGINAL = """
la: York
objectives: {workplace: {weight: 1}}
optimisation: {theta: {default: 100}, n_sensors: {default: 5}, random: {n: 10}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Write a configuration."""

    def write(content: Any = CONFIG) -> Path:
        file = tmp_path / "sweep.yml"
        file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return file

    return write


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start processes whose groups end with the test."""
    all_of_them = []

    def begin(*words: object) -> subprocess.Popen[str]:
        all_of_them.append(start(*words))
        return all_of_them[-1]

    yield begin
    for process in all_of_them:
        if is_there(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _jobs(store: Path) -> dict[str, tuple[str, float | None, float | None]]:
    """State, beginning and end of each job of a store, by id."""
    with sq.JobQueue(store=store, connect=False) as queue:
        return {job.id: (job.state, job.started, job.ended) for job in queue.jobs()}


@pytest.mark.cluster
def test_a_sweep_for_people_and_for_machines(config: Callable[..., Path], tmp_path: Path) -> None:
    """Exit status 1 where points failed, each with its sentence; JSON is the same table."""
    out = tmp_path / "out"
    made = run("sweep", config(), "--output", out, "--workers", 1)
    assert made.exit_code == 1, made.output
    lines = made.stdout.splitlines()
    assert lines[0].split()[:4] == ["point", "task", "groups", "theta"]
    assert "5 points: 3 finished, 2 failed." in made.stdout
    assert "2 of 2 networks are proven best." in made.stdout
    assert "60 sites" in made.stdout
    assert f"Written to {out}: points.csv, points.parquet, grid.nc" in made.stdout
    assert max(map(len, lines[:-1])) <= 100
    before = _jobs(out / "store")
    again = run("sweep", config(), "--output", out, "--workers", 1, "--json")
    assert again.exit_code == 1
    assert _jobs(out / "store") == before
    described = json.loads(again.stdout)
    # Of a point that names no theta it is the usual.
    assert [row["theta"] for row in described["points"]] == [300, 300, 500, 500, 500]
    assert described["failed"] == [2, 4]
    table = pd.read_parquet(out / "points.parquet")
    assert [row["value"] for row in described["points"]] == [
        None if pd.isna(value) else value for value in table["value"]
    ]
    assert described["points"][0]["sensors"] == list(table["sensors"].iloc[0])


@pytest.mark.parametrize(
    ("content", "words", "said"),
    [
        (CONFIG + "grad: 1\n", [], "no key 'grad'"),
        (CONFIG.replace("300", "far"), [], "grid.theta[0]"),
        (CONFIG.replace("[300, 500]", "[]"), [], "no points"),
        ("cities: [a\n", [], "line 2"),
        (CONFIG.replace("synthetic:60", "York"), [], "no city or file 'York'"),
        (ORIGINAL, [], "--city"),
        (CONFIG, ["--city", "nowhere"], "nowhere"),
        (CONFIG, ["--city", "a=b", "--city", "c"], "which city"),
        (CONFIG, ["--workers", 0], "workers"),
        (CONFIG, ["--workers", 2, "--scheduler", "tcp://127.0.0.1:1"], "--workers"),
        (CONFIG, ["--store", " "], "--store"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(
    config: Callable[..., Path], tmp_path: Path, content: str, words: list[object], said: str
) -> None:
    """Exit status 2, and nothing is written."""
    made = run("sweep", config(content), "--output", tmp_path / "out", *words)
    assert made.exit_code == 2, made.output
    assert said in made.stderr
    assert len([line for line in made.stderr.splitlines() if "note:" not in line]) == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_had_is_one_sentence(
    config: Callable[..., Path], tmp_path: Path
) -> None:
    """One that is a file; one of another sweep; and a configuration that is not there."""
    file = config()
    made = run("sweep", file, "--output", file)
    assert made.exit_code == 2
    assert "written" in made.stderr
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "sweep.yml").write_text("# digest: 0123456789abcdef\n")
    made = run("sweep", file, "--output", tmp_path / "other")
    assert made.exit_code == 2
    assert "--anew" in made.stderr
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["sweep.yml"]
    made = run("sweep", tmp_path / "none.yml", "--output", tmp_path / "out")
    assert made.exit_code == 2
    assert "none.yml" in made.stderr


#: Points of a second or so each.
_SLOW = {
    "cities": ["synthetic:600"],
    "grid": {"theta": [300, 400, 500, 600], "n_sensors": [30, 60]},
    "fixed": {"bound": "tight"},
}


def _finished(out: Path) -> int:
    return len(list((out / "networks").glob("*.nc")))


@pytest.mark.slow
@pytest.mark.cluster
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_is_ended_half_way_is_gone_on_with(
    config: Callable[..., Path],
    tmp_path: Path,
    started: Callable[..., subprocess.Popen[str]],
    how: signal.Signals,
) -> None:
    """Killed with all of its processes, or by Ctrl-C: no point that had finished is computed again,
    no job submitted twice, and the answers are those of single calls.
    """
    file, out = config(_SLOW), tmp_path / "out"
    first = started("sweep", file, "--output", out, "--workers", 2)
    until(lambda: _finished(out) >= 2 or first.poll() is not None)
    assert first.poll() is None, first.communicate()
    if how == signal.SIGKILL:
        os.killpg(first.pid, how)
        first.communicate(timeout=PATIENCE)
    else:
        os.kill(first.pid, how)
        _, said = first.communicate(timeout=PATIENCE)
        assert first.returncode == 130, said
        assert "run the same command again" in said
    until(lambda: not is_there(first.pid))
    assert not (out / "points.csv").exists()
    before = {job: at for job, at in _jobs(out / "store").items() if at[0] == "finished"}
    assert 2 <= len(before) < 8
    second = started("sweep", file, "--output", out, "--workers", 2)
    said, wrong = second.communicate(timeout=PATIENCE)
    assert second.returncode == 0, wrong
    after = _jobs(out / "store")
    assert len(after) == 8
    assert {job: after[job] for job in before} == before
    result = sq.read_sweep(out)
    assert list(result.table["state"]) == ["finished"] * 8
    city = sq.demo_city("synthetic", n_areas=600)
    for number in (1, 8):
        net = result.answer(number)
        assert isinstance(net, sq.Network)
        assert net == sq.optimise(city, net.problem)
    assert "8 points: 8 finished." in said


@pytest.mark.slow
@pytest.mark.cluster
@pytest.mark.filterwarnings("ignore:.*polygons are not valid:spineq.SpineqWarning")
def test_the_original_configuration_end_to_end(
    shared: Path, tmp_path: Path, started: Callable[..., subprocess.Popen[str]]
) -> None:
    """Killed half-way and gone on with: 28 points, the published optima, single runs' networks."""
    out, config = tmp_path / "out", shared / "data" / "original" / "config.yml"
    city = shared / "data" / "cities" / "E08000021"
    words = ["sweep", config, "--output", out, "--city", city]
    began = time.monotonic()
    first = started(*words)
    until(lambda: _finished(out) >= 10 or first.poll() is not None)
    assert first.poll() is None, first.communicate()
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate(timeout=PATIENCE)
    before = {job: at for job, at in _jobs(out / "store").items() if at[0] == "finished"}
    second = started(*words)
    _, said = second.communicate(timeout=5 * PATIENCE)
    assert second.returncode == 0, said
    assert time.monotonic() - began < 5 * PATIENCE
    assert said.count("have no meaning here") == 1
    after = _jobs(out / "store")
    assert len(after) == 28
    assert {job: after[job] for job in before} == before
    result = sq.read_sweep(out)
    assert set(result.table["state"]) == {"finished"}
    newcastle = sq.read_city(city)
    networks = result.table[result.table["of"] == "network"]
    assert networks["proven"].all()
    assert len(networks) == 16
    for number, row in networks.iloc[::4].iterrows():
        net = result.answer(int(str(number)))
        assert isinstance(net, sq.Network)
        again = sq.optimise(newcastle, net.problem)
        assert row["sensors"] == again.placement_history
        assert row["value"] == again.objective_value
    baselines = result.table[result.table["task"] == "random"]
    assert list(baselines["networks"]) == [10_000] * 4
    few = result.table[(result.table["task"] == "trade_off")].iloc[4]
    front = result.answer(int(str(few.name)))
    assert isinstance(front, sq.Front)
    groups = dict(front.problem.groups)
    single = sq.trade_off(newcastle, int(few["n_sensors"]), float(few["theta"]), groups)
    assert front.table().equals(single.table())

"""The command line, in processes of its own: output, exit status, plain sentences."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import spineq as sq

OUTPUTS = ["network.geojson", "network.gpkg", "network.nc", "network.png"]


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run spineq as a user does."""
    return subprocess.run(
        [sys.executable, "-c", "from spineq.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
    )


def test_optimise_prints_json_and_nothing_else() -> None:
    """With --json, standard output is one JSON document, equal to the library's answer."""
    made = run("optimise", "san-francisco", "-n", "5", "--theta", "400", "--json",
               "--group", "children:0-15:2", "--group", "jobs:workers:0.5")  # fmt: skip
    assert made.returncode == 0, made.stderr
    found = json.loads(made.stdout)
    groups = {
        "children": sq.Group(ages=(0, 15), weight=2),
        "jobs": sq.Group(column="workers", weight=0.5),
    }
    expected = sq.optimise(sq.demo_city(), n_sensors=5, theta=400, groups=groups)
    assert found["total_coverage"] == pytest.approx(expected.total_coverage, abs=1e-12)
    assert found["placement_history"] == expected.placement_history
    assert found["estimated_groups"] == ["pop_children", "pop_elderly", "children"]


def test_optimise_for_people_names_the_certificate_and_the_files(tmp_path: Path) -> None:
    """Without --json there is a table, the certificate, and where the files are."""
    made = run("optimise", "san-francisco", "-n", "5", "--output", "made", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert sq.optimise(sq.demo_city(), n_sensors=5).certificate() in made.stdout
    assert "Older people (66+) (estimated)" in made.stdout
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == OUTPUTS
    assert sq.read_network(tmp_path / "made" / "network.nc") == sq.optimise(
        sq.demo_city(), n_sensors=5
    )


def test_evaluate_takes_ids_and_files_of_points(tmp_path: Path) -> None:
    """A network by ids and the same places as a file of points give the same coverage."""
    city = sq.demo_city()
    ids = ["001", "064", "120"]
    by_id = json.loads(
        run("evaluate", "san-francisco", "--sensors", ",".join(ids), "--json").stdout
    )
    city.sites.loc[ids, ["x", "y"]].to_csv(tmp_path / "mine.csv", index=False)
    by_point = json.loads(
        run("evaluate", "san-francisco", "--sensors", tmp_path / "mine.csv", "--json").stdout
    )
    assert by_id["total_coverage"] == pytest.approx(by_point["total_coverage"], abs=1e-12)
    assert by_id["upper_bound"] >= by_id["total_coverage"]
    assert by_point["upper_bound"] is None


def test_the_reference_figure_comes_out_of_the_command_line(shared: Path) -> None:
    """Newcastle, 20 sensors, theta 500, greedy: the published coverage to 1e-12."""
    made = run("optimise", shared / "data" / "cities" / "E08000021", "-n", "20", "--theta", "500",
               "--method", "greedy", "--json")  # fmt: skip
    assert json.loads(made.stdout)["total_coverage"] == pytest.approx(
        0.34755221997045344, abs=1e-12
    )
    assert "2 of 910 polygons are not valid" in made.stderr


def test_data_info_says_what_is_in_a_city() -> None:
    """Figures, estimates and source are printed, and as JSON too."""
    text = run("data", "info", "san-francisco").stdout
    assert "908,578" in text
    assert "Children (0-15) (estimated)" in text
    assert "Metropolitan Transportation Commission" in text
    facts = json.loads(run("data", "info", "synthetic:50:2:3", "--json").stdout)
    assert facts["areas"] == 50
    assert facts["digest"] == sq.demo_city("synthetic", n_areas=50, towns=2, seed=3).digest


def test_bench_prints_ratios_of_one_run() -> None:
    """Ours is ratio 1, the others are measured, and all of them choose the same sensors."""
    made = run("bench", "synthetic:60", "-n", "6", "--json")
    assert made.returncode == 0, made.stderr
    timings = {timing["name"]: timing for timing in json.loads(made.stdout)}
    assert timings["spineq greedy"]["ratio"] == 1.0
    assert {"original, re-stated", "Python loop over sites", "vectorised naive greedy"} <= set(
        timings
    )
    assert timings["Python loop over sites"]["remark"] == "same sensors"
    assert "extrapolated" in timings["original, re-stated"]["remark"]
    assert all(timing["seconds"] > 0 for timing in timings.values())


def test_bench_of_a_large_city_compares_with_one_pass_over_its_pairs() -> None:
    """Where nobody could hold the matrix, the yardstick is a pass; the cut-off's error is said."""
    made = run("bench", "synthetic:2100", "-n", "20", "--json")
    assert made.returncode == 0, made.stderr
    first, greedy, listing, _ = json.loads(made.stdout)
    assert first["ratio"] == 1.0
    assert "MB above the imports" in greedy["remark"]
    error = float(listing["remark"].rsplit(" ", 1)[1])
    assert error < 1e-5


@pytest.mark.cluster
def test_demo_writes_its_files_and_leaves_no_process(tmp_path: Path) -> None:
    """The demo ends well, names its folder, and the cluster is closed behind it."""
    made = run("demo", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "Written to spineq-demo: network.nc, network.gpkg, network.geojson, network.png" in (
        made.stdout
    )
    assert "San Francisco: 190 zones" in made.stdout
    assert sorted(path.name for path in (tmp_path / "spineq-demo").iterdir()) == OUTPUTS
    # Python's own warnings and Dask's goodbyes do not belong on a user's screen.
    assert made.stderr == ""


BAD = {
    "no such city": (["optimise", "nowhere", "-n", "3"], "nowhere: there is no such file"),
    "no number": (["optimise", "san-francisco"], "Missing option"),
    "too many": (["optimise", "san-francisco", "-n", "191"], "more than the city's 190 sites"),
    "none": (["optimise", "san-francisco", "-n", "0"], "n_sensors must be 1 or more"),
    "theta": (["optimise", "san-francisco", "-n", "3", "--theta", "-5"], "theta must be above 0"),
    "theta nan": (["optimise", "san-francisco", "-n", "3", "--theta", "nan"], "theta must be"),
    "group": (["optimise", "san-francisco", "-n", "3", "--group", "x"], "is not a group"),
    "group weight": (
        ["optimise", "san-francisco", "-n", "3", "--group", "x:0-15:many"], "is not a number",
    ),
    "column": (
        ["optimise", "san-francisco", "-n", "3", "--group", "x:cars"], "has no column 'cars'",
    ),
    "both": (
        ["optimise", "san-francisco", "-n", "3", "--group", "x:0-5", "--min-age", "3"],
        "say the same thing twice",
    ),
    "ages": (["optimise", "san-francisco", "-n", "3", "--min-age", "50", "--max-age", "5"],
             "ages 50 to 5 are not a range"),
    "sensor": (["evaluate", "san-francisco", "--sensors", "nope"], "neither a site nor an area"),
    "existing": (["evaluate", "san-francisco", "--sensors", "existing"], "no existing sensors"),
    "method": (["optimise", "san-francisco", "-n", "3", "--method", "magic"], "magic"),
    "synthetic": (["data", "info", "synthetic:0"], "0"),
    "command": (["optimize"], "No such command"),
    "bench": (["bench", "san-francisco", "-n", "500"], "more than the city's 190 sites"),
    "demo": (["demo", "-n", "1000"], "more than the city's 190 sites"),
    "option": (["demo", "--nope"], "No such option"),
    "no folder": (["optimise", "san-francisco", "-n", "3", "--output", ""], "has no name"),
    "empty city": (["data", "info", ""], "the text is empty"),
    "empty sites": (["optimise", "x.csv", "-n", "3", "--sites", ""], "the text is empty"),
    "many digits": (["data", "info", "synthetic:" + "1" * 200], "there is no such file"),
    "many ages": (["optimise", "demo", "-n", "3", "--group", "a:0-" + "1" * 500], "column"),
    "long path": (["optimise", "x" * 5000, "-n", "3"], "ame too long"),
    "no sensors": (["evaluate", "san-francisco", "--sensors", "001, nope"], "'nope' is neither"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_plain_sentence(name: str, tmp_path: Path) -> None:
    """Exit status 2, one line on standard error, nothing printed, nothing written."""
    arguments, words = BAD[name]
    made = run(*arguments, cwd=tmp_path)
    assert made.returncode == 2, made.stdout + made.stderr
    assert words in made.stderr
    assert made.stderr.count("\n") == 1
    assert made.stderr.startswith("spineq: ")
    assert made.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    """A file where the folder should be: one sentence, and the file stays."""
    (tmp_path / "taken").write_text("mine")
    made = run("optimise", "san-francisco", "-n", "3", "--output", "taken/inner", cwd=tmp_path)
    assert made.returncode == 2
    assert "cannot be written" in made.stderr
    assert "Traceback" not in made.stderr
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.parametrize(
    "command",
    [["demo"], ["optimise"], ["evaluate"], ["bench"], ["data", "info"], ["panel"]],
    ids=lambda command: " ".join(command),
)
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    """--help ends well and shows an example that names the command."""
    made = run(*command, "--help")
    assert made.returncode == 0
    assert f"Example: spineq {' '.join(command)}" in made.stdout


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.parametrize("after", [1.5, 2.5, 3.5])
def test_control_c_ends_the_demo_quietly(tmp_path: Path, after: float) -> None:
    """Ctrl-C reaches all processes of a terminal; one answers, in one line, and none is left."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from spineq.cli import main; main()", "demo", "-n", "100"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    time.sleep(after)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.fail("the demo ended before it could be stopped: stop it sooner")
    assert process.returncode == 130
    assert err.strip() == "spineq: stopped; nothing was left half-written."
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    deadline = time.monotonic() + 10
    while _is_there(process.pid):
        assert time.monotonic() < deadline, "a process was left behind"
        time.sleep(0.05)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_control_c_keeps_the_network_so_far(tmp_path: Path) -> None:
    """The first Ctrl-C stops the search; what was found is written, whole and marked."""
    process = subprocess.Popen(
        [
            sys.executable, "-c", "from spineq.cli import main; main()",
            "optimise", "synthetic:25000", "-n", "2000", "--output", "made", "--json",
        ],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    # The city takes some seconds to make; the search takes longer than what is left.
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(6)
        process.send_signal(signal.SIGINT)
        break
    out, err = process.communicate(timeout=120)
    if process.returncode == 130:
        # It was stopped before the search began: then nothing is there at all.
        assert list(tmp_path.iterdir()) == []
        return
    assert process.returncode == 0, err
    found = json.loads(out)
    assert found["stopped"] is True
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == OUTPUTS

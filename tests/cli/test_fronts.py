"""``spineq trade-off``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import good, run

import spineq as sq

GROUPS = ["--group", "older:66-90", "--group", "jobs:workers"]
CITY = "synthetic:60"
QUICK = ["--effort", 0.02, "--size", 9]


def _front(**words: object) -> sq.Front:
    groups = {"older": sq.Group(ages=(66, 90)), "jobs": sq.Group(column="workers")}
    city = sq.demo_city("synthetic", n_areas=60, towns=1, seed=0)
    return sq.trade_off(city, 4, 500, groups, effort=0.02, size=9, **words)


def test_json_is_the_library_s_answer() -> None:
    """With --json there is one JSON document, equal to the library's but for the time."""
    found = json.loads(good("trade-off", CITY, "-n", 4, *GROUPS, *QUICK, "--json"))
    assert found | {"seconds": 0} == _front().to_dict() | {"seconds": 0}


def test_for_people(tmp_path: Path) -> None:
    """Without --json there are a table, the proof, and where the files are."""
    text = good("trade-off", CITY, "-n", 4, *GROUPS, *QUICK, "--output", tmp_path / "made")
    assert "networks of 4 sensors in Synthetic city" in text
    front = _front()
    knee, worst = front.knee(), front.worst_best()
    assert f"network {knee}" in text.splitlines()[2]
    assert f"network {worst}" in text.splitlines()[2]
    assert f"Network {knee} is where the front bends most" in text
    assert "not proven" in text
    names = ["front.nc", "maps.png", "pairs.png", "parallel.png"]
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == names
    assert sq.read_front(tmp_path / "made" / "front.nc") == _front()


def test_a_tolerance_is_passed_on() -> None:
    """What is proven is said."""
    words = ["--tolerance", 0.05, *QUICK]
    assert "Proven" in good("trade-off", CITY, "-n", 4, *GROUPS, *words)


def test_a_tolerance_that_was_missed_is_said() -> None:
    """What was asked stands beside what is proven, in lines that fit; help says what limits it."""
    words = ["--tolerance", 0.0001, *QUICK]
    text = good("trade-off", CITY, "-n", 4, *GROUPS, *words)
    assert "0.01 percentage points were asked; more effort may prove it." in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100
    assert "limited by --effort" in " ".join(good("trade-off", "--help").split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-n", 4, "--group", "older:66-90"], "trade-off is between groups"),
        (["-n", 4, "--tolerance", 0.1], "two groups"),
        (["-n", 4, *GROUPS, "--group", "jobs:0-15"], "names the group 'jobs' a second time"),
        (["-n", 99, *GROUPS], "99 sensors"),
        (["-n", 4, *GROUPS, "--effort", 0], "effort"),
        ([], "n-sensors"),
    ],
)
def test_bad_input_is_one_sentence(words: list[object], said: str) -> None:
    """Exit status 2, and the reason."""
    made = run("trade-off", CITY, *words)
    assert made.exit_code == 2
    assert said in made.stderr
    assert "Traceback" not in made.output

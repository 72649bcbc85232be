"""``spineq bench`` and its commands: tables, JSON, Markdown, and plain sentences."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from command_line import good, run

CITY = "synthetic:60"


def test_without_a_command_ratios_are_meant() -> None:
    """`spineq bench CITY` is `spineq bench ratios CITY`, options included."""
    names = [
        [timing["name"] for timing in json.loads(good(*words, CITY, "-n", "6", "--json"))]
        for words in (["bench"], ["bench", "ratios"])
    ]
    assert names[0] == names[1]
    assert names[0][0] == "spineq greedy"


def test_proofs_as_a_table_as_json_and_in_markdown() -> None:
    """The same 24 problems in each form, dated and with the number of cores."""
    text = good("bench", "proof", CITY)
    assert len(re.findall(r"^(pop_|workplace)", text, flags=re.MULTILINE)) == 24
    assert re.search(r"24 of 24 proven, [\d.]+ s in all, the slowest [\d.]+ s\. Measured "
                     r"\d{4}-\d\d-\d\d on one of \d+ cores\.", text)  # fmt: skip
    (found,) = json.loads(good("bench", "proof", CITY, "--json"))
    assert len(found["problems"]) == 24
    assert found["cores"] >= 1
    assert found["method"] == "auto"
    assert all(problem["proven"] for problem in found["problems"])
    table = good("bench", "proof", CITY, "--markdown").splitlines()
    assert table[2].startswith("| group | theta | n | greedy | value | bound | gap | nodes |")
    assert sum(line.startswith("| ") for line in table) == 26
    cells = {line.count("|") for line in table if line.startswith("|")}
    assert len(cells) == 1


def test_several_cities_and_a_reference(tmp_path: Path) -> None:
    """A table for each; values are held against the file."""
    (one, two) = json.loads(good("bench", "proof", CITY, "synthetic:70", "--json"))
    assert one["city"] != two["city"]
    first = one["problems"][0]
    reference = tmp_path / "mine.json"
    optimum = {"theta_500": {"pop_total": {"10": first["value"], "20": 0.5}}}
    reference.write_text(json.dumps({"optimum": optimum}))
    made = json.loads(good("bench", "proof", CITY, "--reference", reference, "--json"))
    assert [p["equal"] for p in made[0]["problems"]][:3] == [True, False, None]
    text = good("bench", "proof", CITY, "--reference", reference)
    assert "equal" in text
    assert "differs" in text


@pytest.mark.slow
def test_highs_beside_us(needs: Callable[[str], ModuleType]) -> None:
    """A ratio for each problem, and what both prove."""
    needs("highspy")
    made = json.loads(good("bench", "highs", CITY, "--limit", "2", "--json"))
    assert len(made["problems"]) == 24
    assert made["median_ratio"] > 0
    text = good("bench", "highs", CITY, "--limit", "0.1", "--markdown")
    assert "Ours proves 24 of 24, HiGHS" in text
    assert "median ratio at least" in text


def test_medians(tmp_path: Path) -> None:
    """One line for each file, and the same as JSON."""
    for name, length in (("one", 4), ("two", 6)):
        (tmp_path / f"{name}.txt").write_text(f"3 2 1\n1 2 {length}\n2 3 5\n")
    files = tmp_path / "one.txt", tmp_path / "two.txt"
    lines = good("bench", "pmed", *files).splitlines()
    assert lines[0].split() == [
        "name", "sites", "n", "value", "bound", "gap", "proven", "nodes", "seconds",
    ]  # fmt: skip
    assert lines[2].split()[:7] == ["one", "3", "1", "9", "9", "0.0000%", "yes"]
    made = json.loads(good("bench", "pmed", *files, "--json"))
    assert [(m["name"], m["value"], m["bound"], m["proven"]) for m in made] == [
        ("one", 9, 9, True), ("two", 11, 11, True),
    ]  # fmt: skip
    reference = tmp_path / "known.json"
    reference.write_text(json.dumps({"orlib_pmedian": {"optimum": {"one": 9, "two": 10}}}))
    lines = good("bench", "pmed", *files, "--reference", reference).splitlines()
    assert [line.split()[-1] for line in lines[2:]] == ["equal", "differs"]


def test_fronts_beside_pymoo(needs: Callable[[str], ModuleType], tmp_path: Path) -> None:
    """A row a run and a published value, the same as JSON, and a picture."""
    needs("pymoo")
    groups = ["--group", "older:66-90", "--group", "jobs:workers"]
    words = ["bench", "front", CITY, "-n", "4", "--effort", "0.01", *groups]
    reference = tmp_path / "known.json"
    reference.write_text(json.dumps({"hypervolume": {"somebody's": 0.125}}))
    picture = tmp_path / "race.png"
    text = good(*words, "--reference", reference, "--output", picture)
    rows = text.splitlines()
    assert rows[2].split() == ["source", "effort", "seconds", "networks", "hypervolume"]
    assert rows[4].startswith("ours  ")
    assert re.search(r"^published: somebody's +0\.125000$", text, flags=re.MULTILINE)
    assert f"Drawn in {picture}" in text
    assert picture.read_bytes().startswith(b"\x89PNG")
    made = json.loads(good(*words, "--json"))
    assert len(made["runs"]) == len(re.findall(r"^(?:ours|NSGA)", text, flags=re.MULTILINE))
    assert (made["n_sensors"], made["theta"], made["published"]) == (4, 500, {})
    assert {"source", "seconds", "networks", "hypervolume"} <= set(made["runs"][0])


def test_fronts_without_pymoo(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is said before anything runs."""
    monkeypatch.setitem(sys.modules, "pymoo.core.problem", None)
    made = run("bench", "front", CITY, "-n", "4")
    assert (made.exit_code, made.stdout) == (2, "")
    assert made.stderr == (
        "spineq: genetic fronts need the package pymoo. "
        'Install it: pip install "spineq[compare]".\n'
    )


BAD = {
    "no city": (["proof"], "Missing argument"),
    "small city": (["proof", "synthetic:40"], "55 sensors are more than the city's 40 sites"),
    "no file": (["pmed", "nowhere.txt"], "nowhere.txt"),
    "no median": (["pmed", "pyproject.toml"], "row 1"),
    "reference": (["proof", CITY, "--reference", "nowhere.json"], "nowhere.json"),
    "limit": (["highs", CITY, "--limit", "0"], "limit"),
    "picture": (["front", CITY, "--output", "race.gif"], "'race.gif' does not end in .png"),
    "one group": (["front", CITY, "--group", "old"], "'old' is not a group"),
    "no hypervolumes": (["front", CITY, "--reference", "pyproject.toml"], "published values"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_plain_sentence(name: str) -> None:
    """Exit status 2 and one line."""
    words, said = BAD[name]
    made = run("bench", *words)
    assert made.exit_code == 2
    assert said in made.stderr
    assert made.stderr.count("\n") == 1
    assert made.stdout == ""


@pytest.mark.parametrize("name", ["ratios", "proof", "highs", "front", "pmed", "scale"])
def test_help_has_an_example(name: str) -> None:
    """Each command shows how it is used, and the group lists it."""
    assert f"Example: spineq bench {name}" in good("bench", name, "--help")
    assert name in good("bench", "--help")

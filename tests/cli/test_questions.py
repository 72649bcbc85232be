"""``spineq explain``, ``robustness``, ``stability``, ``alternatives`` and ``curve``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from command_line import good, listed, run

import spineq as sq

CITY = "synthetic:40"
MADE = sq.demo_city("synthetic", n_areas=40, towns=1, seed=0)
NET = sq.optimise(MADE, n_sensors=3)
FREE = next(site for site in MADE.sites.index if site not in NET.placement_history)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network as a file."""
    return NET.to_netcdf(tmp_path_factory.mktemp("net") / "network.nc")


#: Each command with its own options, what the library says, and the files that it writes.
ASKED: dict[str, tuple[list[object], Callable[[], Any], set[str]]] = {
    "explain": (
        ["--site", FREE, "--near", 400],
        lambda: sq.explain(MADE, NET, site=FREE, near=400),
        {"explanation.json", "explanation.txt", "sensors.csv"},
    ),
    "robustness": (
        ["--failures", 2, "--probability", 0.1],
        lambda: sq.robustness(MADE, NET, failures=2, probability=0.1),
        {"robustness.json", "sensors.csv", "groups.csv"},
    ),
    "alternatives": (
        ["-k", 2, "--min-different", 2],
        lambda: sq.alternatives(MADE, NET, 2, min_different=2),
        {"alternatives.json", "alternatives.csv", "alternative-1.nc", "alternative-2.nc"},
    ),
    "stability": (
        ["--scenarios", 4, "--theta-range", "400:600", "--people-error", 0.2, "--seed", 7],
        lambda: sq.stability(
            MADE, NET, n_scenarios=4, theta=(400, 600), people_error=0.2, seed=7
        ),
        {"stability.json", "sensors.csv", "sites.csv", "scenarios.csv", "stability.png"},
    ),
}  # fmt: skip


def plain(made: dict[str, Any]) -> dict[str, Any]:
    """A description without the time that it took."""
    return {name: value for name, value in made.items() if name != "seconds"}


@pytest.mark.parametrize("name", ASKED)
def test_json_is_the_library_s_answer(name: str, file: Path) -> None:
    """About a network that is placed first, or read, one JSON document and nothing else."""
    options, expected, _ = ASKED[name]
    described = plain(json.loads(json.dumps(expected().to_dict())))
    assert plain(json.loads(good(name, CITY, "-n", 3, *options, "--json"))) == described
    assert plain(json.loads(good(name, CITY, "--network", file, *options, "--json"))) == described


@pytest.mark.parametrize("name", ASKED)
def test_for_people_there_are_sentences_a_table_and_files(name: str, tmp_path: Path) -> None:
    """The summary, in lines that fit, what the files are; and these, whole."""
    options, expected, files = ASKED[name]
    folder = tmp_path / "made"
    text = good(name, CITY, "-n", 3, *options, "--output", folder)
    found = expected()
    words = " ".join(text.split())
    assert " ".join(found.summary().split()) in words
    assert max(map(len, text.splitlines()[:-1])) <= 100
    assert text.splitlines()[-1].startswith(f"Written to {folder}: ")
    assert {path.name for path in folder.iterdir()} == files
    assert all(path.stat().st_size for path in folder.iterdir())
    (described,) = (path for path in folder.iterdir() if path.suffix == ".json")
    made = json.loads(described.read_text(encoding="utf-8"))
    assert plain(made) == plain(json.loads(json.dumps(found.to_dict())))
    assert "Write all figures with --output FOLDER." in good(name, CITY, "-n", 3, *options)


def test_files_are_read_again(tmp_path: Path) -> None:
    """Tables by other programs, networks by ours; sentences of every sensor are text."""
    good("alternatives", CITY, "-n", 3, "--output", tmp_path)
    good("explain", CITY, "-n", 3, "--no-refuse", "--output", tmp_path)
    expected = sq.alternatives(MADE, NET)
    first = sq.read_network(tmp_path / "alternative-1.nc")
    assert first.placement_history == expected.found[0].network.placement_history
    table = pd.read_csv(tmp_path / "alternatives.csv", index_col="number")
    assert table["loss"].to_numpy() == pytest.approx(expected.table["loss"].to_numpy())
    explained = sq.explain(MADE, NET, refuse=False)
    text = (tmp_path / "explanation.txt").read_text(encoding="utf-8")
    assert text.split("\n\n")[0] == explained.summary()
    assert all(explained.sentence(number) in text for number in (1, 2, 3))


def test_sensors_of_one_s_own_are_asked_about(tmp_path: Path) -> None:
    """By id, with who matters beside them, and as a file of points that are no sites."""
    ids = list(MADE.sites.index[[4, 9, 20]])
    words = ["--network", ",".join(ids), "--theta", 300, "--group", "older:66-90"]
    net = sq.evaluate(MADE, ids, theta=300, groups={"older": sq.Group(ages=(66, 90))})
    made = json.loads(good("explain", CITY, *words, "--no-refuse", "--json"))
    assert made == json.loads(json.dumps(sq.explain(MADE, net, refuse=False).to_dict()))
    points = pd.DataFrame(MADE.site_xy[:2] + 77.0, columns=["x", "y"])
    points.to_csv(tmp_path / "mine.csv", index=False)
    made = json.loads(good("robustness", CITY, "--network", tmp_path / "mine.csv", "--json"))
    assert [sensor["site"] for sensor in made["sensors"]] == ["", ""]


def test_what_the_network_is_to_be_is_said_as_for_optimise() -> None:
    """All options of a problem come before the question."""
    words = ["-n", 2, "--keep", FREE, "--decay", "gaussian", "--method", "greedy"]
    made = json.loads(good("robustness", CITY, *words, "--json"))
    net = sq.optimise(MADE, n_sensors=2, keep=[FREE], decay="gaussian", method="greedy")
    assert made == json.loads(json.dumps(sq.robustness(MADE, net).to_dict()))


def test_each_sensor_has_a_probability_of_its_own() -> None:
    """As many as there are sensors, with commas between."""
    made = json.loads(good("robustness", CITY, "-n", 3, "--probability", "0,0.5,1", "--json"))
    assert made["probability"] == [0.0, 0.5, 1.0]


def test_the_curve(tmp_path: Path) -> None:
    """As JSON the library's; for people a table and a picture; numbers from -n where none are
    given.
    """
    words = ["curve", CITY, "--numbers", "5,1,2", "--group", "older:66-90"]
    expected = sq.coverage_curve(MADE, numbers=[1, 2, 5], groups={"older": sq.Group(ages=(66, 90))})
    assert json.loads(good(*words, "--json")) == json.loads(json.dumps(expected.to_dict()))
    text = good(*words, "--output", tmp_path / "made")
    assert expected.summary() in " ".join(text.split())
    assert [line.split()[0] for line in text.splitlines() if "yes" in line] == ["1", "2", "5"]
    names = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert names == ["curve.csv", "curve.json", "curve.png"]
    made = json.loads(good("curve", CITY, "-n", 2, "--method", "greedy", "--json"))
    assert [point["n_sensors"] for point in made["points"]] == [1, 2, 3, 4]


BAD: dict[str, tuple[list[object], str]] = {
    "no network": (["explain", CITY], "Missing option '-n'"),
    "no such site": (["explain", CITY, "-n", 3, "--site", "zzz"], "'zzz' is no site of Synthetic"),
    "near": (["explain", CITY, "-n", 3, "--near", "nan"], "near must be above 0"),
    "taken": (["explain", CITY, "--network", FREE, "--site", FREE], "chosen already"),
    "both": (["explain", CITY, "--network", FREE, "-n", 3], "-n is for a network that is to be"),
    "rules": (["explain", CITY, "--network", FREE, "--retire", 1], "--retire is for a network"),
    "no sensor": (["explain", CITY, "--network", "zzz"], "neither a site nor an area"),
    "nothing": (["explain", CITY, "--network", " , "], "names no file and no sensors"),
    "no file": (["explain", CITY, "--network", "no.nc"], "no.nc: there is no such file"),
    "none fail": (["robustness", CITY, "-n", 3, "--failures", 0], "--failures"),
    "more fail": (["robustness", CITY, "-n", 3, "--failures", 4], "1 to 3, not 4"),
    "chance": (["robustness", CITY, "-n", 3, "--probability", "1.5"], "out of range, 0 to 1"),
    "words": (["robustness", CITY, "-n", 3, "--probability", "often"], "'often' is not a prob"),
    "chances": (["robustness", CITY, "-n", 3, "--probability", "0,1"], "3 sensors need as many"),
    "jobs": (["robustness", CITY, "-n", 3, "--tag", "x"], "--tag is for jobs: add --queue"),
    "k": (["alternatives", CITY, "-n", 3, "-k", 101], "-k"),
    "different": (["alternatives", CITY, "-n", 3, "--min-different", 4], "min_different"),
    "turned": (["stability", CITY, "-n", 3, "--theta-range", "6:4"], "smaller end first"),
    "one end": (["stability", CITY, "-n", 3, "--theta-range", "6"], "'6' is not a range LOW:HIGH"),
    "from none": (["stability", CITY, "-n", 3, "--theta-range", "0:4"], "theta must be above 0"),
    "error": (["stability", CITY, "-n", 3, "--people-error", "much"], "no column 'much'"),
    "workers": (["stability", CITY, "-n", 3, "--store", "x"], "--store is for a queue"),
    "no numbers": (["curve", CITY], "'--numbers'"),
    "a word": (["curve", CITY, "--numbers", "1,x"], "'1,x' is not a list of whole numbers"),
    "none": (["curve", CITY, "--numbers", "0"], "'0' is out of range, 1 to 100,000"),
    "too many": (["curve", CITY, "--numbers", "1,41"], "41 is not a number of sensors"),
    "follows": (["curve", CITY, "-n", 3, "--retire", 1], "follows from something else"),
    "no waiting": (
        ["explain", CITY, "-n", 3, "--queue", "--no-wait", "--output", "x"],
        "--no-wait has no answer to write",
    ),
}


@pytest.mark.parametrize(("words", "said"), BAD.values(), ids=BAD)
def test_bad_input_is_one_sentence(
    words: list[object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit status 2, the reason on one line, and nothing printed or written."""
    monkeypatch.chdir(tmp_path)
    made = run(*words)
    assert made.exit_code == 2, made.output
    assert said in made.stderr
    assert made.stderr.count("\n") == 1
    assert made.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_a_network_says_what_was_asked(file: Path) -> None:
    """Options that would say it again are refused; and so is the file in another city."""
    made = run("explain", CITY, "--network", file, "--theta", 300)
    assert made.exit_code == 2
    assert "--theta is for a network that is to be placed" in made.stderr
    made = run("explain", "synthetic:41", "--network", file)
    assert made.exit_code == 2
    assert "the network was made for" in made.stderr


@pytest.mark.parametrize("name", [*ASKED, "curve"])
def test_help_has_an_example(name: str) -> None:
    """That names the command, its options and what is written."""
    text = good(name, "--help")
    assert f"Example: spineq {name} " in " ".join(text.split())
    assert f"{'curve' if name == 'curve' else '.json'}" in text


@pytest.mark.cluster
def test_a_question_is_a_job(tmp_path: Path, file: Path) -> None:
    """It prints and writes what it does without a queue, and stays in the store; a second question
    of that kind is answered from it, without a cluster.
    """
    store = tmp_path / "store"
    options = ASKED["alternatives"][0]
    alone = good("alternatives", CITY, "--network", file, *options)
    words = ["alternatives", CITY, "--network", file, *options, "--queue", "--store", store]
    with sq.JobQueue(store=store, n_workers=1):
        assert good(*words) == alone
    (job,) = listed(store)
    assert job["task"] == "alternatives"
    assert good("jobs", "result", job["id"], "--store", store) == alone
    good("jobs", "result", job["id"], "--store", store, "--output", tmp_path / "made")
    assert {path.name for path in (tmp_path / "made").iterdir()} == ASKED["alternatives"][2]
    text = good("jobs", "list", "--store", store)
    assert "alternatives, 3 sensors, 2 networks, 2 different at least" in text
    again = run(*words, "--no-wait")
    assert "the store has the answer already" in again.stderr

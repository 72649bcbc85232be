"""``spineq jobs``: words and JSON, for stores that no cluster serves."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import FAILED, good, listed, put, run

import spineq as sq
from spineq.data.packed import pack_city
from spineq.jobs.evaluate_task import TASK as EVALUATE
from spineq.jobs.front_task import TASK
from spineq.jobs.ledger import Ledger
from spineq.jobs.records import Outcome
from spineq.jobs.tasks import check_asked


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Folder for a store that is not there yet."""
    return tmp_path / "store"


def test_a_store_without_jobs_says_so_and_is_not_made(store: Path) -> None:
    """An empty store says how to submit; looking into a folder leaves nothing there."""
    text = good("jobs", "list", "--store", store)
    assert text.startswith(f"No jobs in {store} yet. Submit one with: spineq optimise")
    made = json.loads(good("jobs", "list", "--store", store, "--json"))
    assert made == {"store": str(store), "counts": {}, "more": False, "jobs": []}
    assert good("jobs", "clear", "--all", "--store", store) == "0 jobs deleted.\n"
    assert good("jobs", "reconcile", "--store", store) == "Nothing waits.\n"
    assert not store.exists()


def test_the_store_is_that_of_the_environment(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --store it is what SPINEQ_STORE names."""
    name = put(store)
    monkeypatch.setenv("SPINEQ_STORE", str(store))
    assert name in good("jobs", "list")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
def test_the_table_fits_the_terminal(store: Path, width: int) -> None:
    """No line is wider than the terminal, however long names and notes are."""
    put(store, 1, note="a long note " * 30, tags=["north", "draft"], user="ann")
    put(store, 2, city_name="東京都 " * 20, parameters={"n_sensors": 1})
    put(store, 3, task="sweep", parameters={"over": list(range(50))}, city_name="")
    lines = good("jobs", "list", "--store", store, width=width).splitlines()
    table = lines[: lines.index("")]
    assert len(table) == 5
    wide = sum(ord(letter) > 0x2E80 for letter in "".join(table))
    assert all(len(line) <= width for line in table)
    assert max(map(len, table)) + wide >= len(table[1])
    assert lines[-1] == "3 jobs: 3 queued."


def test_the_list_says_what_each_job_is_about(store: Path) -> None:
    """Task in words, city, user, age, note and tags; control characters move no cursor."""
    first = put(store, 1, note="night\x1b[2J\nrun", tags=["draft", "north"])
    put(store, 2, outcome=FAILED, created=time.time() - 7200, user="bob")
    text = good("jobs", "list", "--store", store)
    assert "optimise, 20 sensors  San Francisco" in text
    assert "night [2J run [draft, north]" in text
    assert "2 h" in text
    assert first in text
    assert text.endswith("2 jobs: 1 queued, 1 failed.\n")


def test_the_list_takes_filters_and_pages(store: Path) -> None:
    """States, user and tag choose; limit and offset turn pages, and the list says so."""
    for number in range(5):
        put(store, number, user="ann" if number % 2 else "bob", tags=["even"] * (number % 2 == 0))
    put(store, 9, outcome=FAILED)
    assert len(listed(store)) == 6
    assert len(listed(store, "--user", "bob")) == 3
    assert len(listed(store, "--tag", "even")) == 3
    assert len(listed(store, "--state", "failed")) == 1
    assert len(listed(store, "--state", "failed", "--state", "queued")) == 6
    ids = [job["id"] for job in listed(store)]
    assert ids == sorted(ids, reverse=True)
    assert [job["id"] for job in listed(store, "--limit", 2, "--offset", 1)] == ids[1:3]
    text = good("jobs", "list", "--store", store, "--limit", 2, "--offset", 1)
    assert "6 jobs: 5 queued, 1 failed.\nOlder ones: --offset 3\n" in text
    assert "No jobs like that." in good("jobs", "list", "--store", store, "--user", "eve")


def test_a_job_is_named_by_its_beginning_or_ending(store: Path) -> None:
    """Four characters do, if they are of one job; otherwise one sentence says why not."""
    put(store, 1, id="1m86qyn9fs40cwaa")
    put(store, 2, id="1m86qyn9zjykcwaa")
    shown = good("jobs", "show", "40CWAA", "--store", store)
    assert shown.startswith("Job 1m86qyn9fs40cwaa: queued\n")
    assert "zjyk" in good("jobs", "show", "1m86qyn9z", "--store", store)
    for text, why in (
        ("cwaa", "'cwaa' fits 2 jobs (1m86qyn9fs40cwaa, 1m86qyn9zjykcwaa)"),
        ("waa", "too short"),
        ("zzzz", "there is no job 'zzzz'"),
    ):
        made = run("jobs", "show", text, "--store", store)
        assert made.exit_code == 2
        assert why in made.stderr
        assert made.stderr.count("\n") == 1


def test_show_says_everything_in_words(store: Path) -> None:
    """What was asked, by whom, when, and why it failed; the traceback only when asked for."""
    groups = {"kids": {"ages": [0, 15], "weight": 2.0}, "jobs": {"column": "workers"}}
    name = put(
        store, 1, outcome=FAILED, priority=5, time_limit=90.0, note="hello", tags=["a", "b"],
        parameters={"n_sensors": 1200, "groups": groups, "method": "greedy"},
    )  # fmt: skip
    text = good("jobs", "show", name, "--store", store)
    for words in (
        f"Job {name}: failed",
        "optimise, 1,200 sensors, theta 500, exponential decay, method greedy",
        "jobs (column workers); kids (ages 0 to 15, weight 2)",
        "ann, priority 5, at most 1 min 30 s of computing",
        "took 3.0 s",
        "why         it is broken\n",
    ):
        assert words in text
    assert "line 3" not in text
    assert "Traceback: line 3" in good("jobs", "show", name, "--store", store, "--traceback")
    made = json.loads(good("jobs", "show", name, "--store", store, "--json"))
    assert made["error"]["traceback"] == "Traceback: line 3"


def test_jobs_are_cancelled_retried_deleted_and_cleared(store: Path) -> None:
    """Each says what became of each job; a job that has ended stays as it ended."""
    first, second = put(store, 1), put(store, 2)
    third = put(store, 3, outcome=FAILED)
    text = good("jobs", "cancel", first[-7:], third, "--store", store)
    assert text == f"Job {first}: cancelled\nJob {third}: failed already\n"
    made = run("jobs", "retry", first, third, "--store", store)
    assert made.stdout == f"Job {first}: queued\nJob {third}: queued\n"
    assert "spineq jobs reconcile" in made.stderr
    made = run("jobs", "retry", first, "--store", store)
    assert made.exit_code == 2
    assert f"job {first} is queued" in made.stderr
    assert good("jobs", "delete", first, "--store", store) == f"Job {first}: deleted\n"
    assert {job["id"] for job in listed(store)} == {second, third}
    assert good("jobs", "clear", "--waiting", "--store", store) == "2 jobs deleted.\n"
    assert listed(store) == []


def test_a_list_of_ids_with_one_unknown_changes_nothing(store: Path) -> None:
    """Either all of them or none."""
    name = put(store)
    for verb in ("cancel", "delete", "retry"):
        assert run("jobs", verb, name, "zzzz", "--store", store).exit_code == 2
    assert [job["state"] for job in listed(store)] == ["queued"]


def test_clear_all_asks_on_a_terminal_and_else_wants_yes(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No is no; off a terminal nobody can be asked."""
    put(store)
    made = run("jobs", "clear", "--all", "--store", store)
    assert made.exit_code == 2
    assert "say --yes too" in made.stderr
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    made = run("jobs", "clear", "--all", "--store", store, said="n\n")
    assert made.exit_code == 1
    assert "Delete them all, of all users?" in made.stderr
    assert len(listed(store)) == 1
    assert good("jobs", "clear", "--all", "--store", store, said="y\n") == "1 job deleted.\n"


def test_figures_that_json_does_not_have_become_null(store: Path) -> None:
    """A bound of infinity, which a task of somebody's own may say, breaks no reader."""
    outcome = Outcome(event="failed", ended=1.0, value=float("nan"), bound=float("inf"))
    name = put(store, task="sweep", parameters={}, outcome=outcome)
    text = good("jobs", "show", name, "--store", store, "--json")
    assert json.loads(text, parse_constant=pytest.fail)["progress"]["bound"] is None
    assert name in good("jobs", "list", "--store", store)
    assert name in good("jobs", "show", name, "--store", store)


def test_an_answer_that_is_not_there_is_a_sentence(store: Path) -> None:
    """Of a job that waits, failed, or was cancelled; and one whose answer is gone."""
    waits, failed = put(store, 1), put(store, 2, outcome=FAILED)
    gone = put(store, 3, outcome=Outcome(event="finished", ended=1.0, answer="answers/none"))
    for name, why in (
        (waits, f"job {waits} is queued and has no answer yet"),
        (failed, f"job {failed} failed: it is broken. See its traceback with"),
        (gone, f"the answer of job {gone} is damaged or gone"),
    ):
        made = run("jobs", "result", name, "--store", store)
        assert (made.exit_code, made.stdout) == (2, "")
        assert why in made.stderr
        assert made.stderr.count("\n") == 1
    made = run("jobs", "watch", failed, "--store", store)
    assert made.exit_code == 2
    assert "failed: it is broken" in made.stderr


def test_the_answer_of_a_task_of_somebodys_own_is_json(store: Path) -> None:
    """Its program is not here, but what it returned is JSON."""
    name = put(
        store, 1, task="count", city="", city_name="", parameters={"up_to": 3},
        outcome=Outcome(event="finished", ended=1.0, answer="answers/x"),
    )  # fmt: skip
    Ledger.open(str(store)).put_answer("answers/x", b'{"n": 3}')
    assert json.loads(good("jobs", "result", name, "--store", store)) == {"n": 3}
    assert "count, up_to 3" in good("jobs", "list", "--store", store)
    made = run("jobs", "result", name, "--store", store, "--output", store.parent / "made")
    assert made.exit_code == 2
    assert "is no network" in made.stderr


@pytest.mark.parametrize(
    "verb",
    ["list", "show", "watch", "result", "cancel", "retry", "delete", "clear", "reconcile"],
)
def test_every_command_has_help_with_an_example(verb: str) -> None:
    """--help shows an example that names the command."""
    assert f"Example: spineq jobs {verb}" in good("jobs", verb, "--help")
    assert "Example: spineq jobs list" in good("jobs", "--help")


def _put_front(store: Path, **words: object) -> tuple[str, sq.Front]:
    """Write a finished job of the task `trade_off`, its city and its answer."""
    groups = {"older": sq.Group(ages=(66, 90)), "jobs": sq.Group(column="workers")}
    city = sq.demo_city("synthetic", n_areas=40)
    asked = {"n_sensors": 4, "groups": groups, "effort": 0.02, "size": 5} | words
    front = sq.trade_off(city, **asked)
    now, ledger = time.time(), Ledger.open(str(store))
    ledger.put_city(city.digest, pack_city(city))
    ledger.put_answer("answers/front", TASK.dump(front))
    name = put(
        store, 3, task="trade_off", version="weighted-1", city=city.digest, city_name=city.name,
        parameters=check_asked(TASK, city, asked).parameters,
        outcome=Outcome(event="finished", ended=now, began=now, lease=1, answer="answers/front"),
    )  # fmt: skip
    return name, front


def test_the_answer_of_a_trade_off_is_a_front(store: Path) -> None:
    """It is printed and written as ``trade-off`` does, also the tolerance that was missed."""
    name, front = _put_front(store, tolerance=0.0001)
    text = good("jobs", "result", name, "--store", store, "--output", store / "made")
    assert text.startswith(f"{front.n_networks} networks of 4 sensors in Synthetic city")
    assert f"network {front.knee()}" in text
    assert "0.01 percentage points were asked" in " ".join(text.split())
    assert max(map(len, text.splitlines()[:-1])) <= 100
    files = ["front.nc", "maps.png", "pairs.png", "parallel.png"]
    assert sorted(path.name for path in (store / "made").iterdir()) == files
    assert sq.read_front(store / "made" / "front.nc") == front
    made = json.loads(good("jobs", "result", name, "--store", store, "--json"))
    assert made == json.loads(json.dumps(front.to_dict()))
    assert "See the answer with: spineq jobs result" in good(
        "jobs", "watch", name, "--store", store
    )


def test_a_trade_off_is_described_as_an_optimisation_is(store: Path) -> None:
    """Sensors and groups in the list; the rest in words, but for what is usual; lines that fit."""
    groups = {
        "older": {"ages": [66, 90], "title": "Old"}, "kids": {"ages": [0, 15]},
        "jobs": {"column": "workers"}, "schools": {"column": "places_in_secondary_schools"},
    }  # fmt: skip
    usual = {"effort": 1.0, "size": 200, "method": "weighted", "start": "cold", "seed": 0}
    asked = {"n_sensors": 5, "groups": groups, "tolerance": None} | usual
    name = put(store, 1, task="trade_off", parameters=asked)
    assert "trade_off, 5 sensors, 4 groups  San Francisco" in good("jobs", "list", "--store", store)
    text = good("jobs", "show", name, "--store", store)
    assert max(map(len, text.splitlines())) <= 100
    said = " ".join(text.split())
    assert (
        "asked trade_off, 5 sensors, 4 groups, theta 500, exponential decay, method weighted "
        "groups jobs (column workers); kids (ages 0 to 15); older (ages 66 "
        "to 90); schools (column places_in_secondary_schools)"
    ) in said
    more = {"keep": ["a"], "forbid": ["b", "c"], "tolerance": 0.01, "effort": 0.2, "size": 30}
    name = put(store, 2, task="trade_off", parameters=asked | more)
    said = " ".join(good("jobs", "show", name, "--store", store).split())
    assert (
        "1 sensor stays, 2 forbidden sites, tolerance 0.01, 30 networks at most, effort 0.2"
    ) in said


def test_a_network_that_is_given_is_described(store: Path) -> None:
    """How many sensors, and no method; its coverage is in the list, and its answer is a network."""
    city = sq.demo_city("synthetic", n_areas=40)
    ids = [str(site) for site in city.dataset["site"].to_numpy()[:3]]
    network, now, ledger = sq.evaluate(city, ids, theta=400), time.time(), Ledger.open(str(store))
    ledger.put_city(city.digest, pack_city(city))
    ledger.put_answer("answers/given", network.to_bytes())
    outcome = Outcome(
        event="finished", ended=now, began=now, lease=1, answer="answers/given",
        value=network.objective_value, bound=network.upper_bound,
    )  # fmt: skip
    name = put(
        store, 4, task="evaluate", city=city.digest, city_name=city.name, note="My network",
        parameters=check_asked(EVALUATE, city, {"sensors": ids, "theta": 400}).parameters,
        outcome=outcome,
    )  # fmt: skip
    text = good("jobs", "list", "--store", store)
    assert "evaluate, 3 sensors" in text
    assert f"{100 * network.total_coverage:.1f} %" in text
    assert "My network" in text
    said = " ".join(good("jobs", "show", name, "--store", store).split())
    assert "asked evaluate, 3 sensors, theta 400, exponential decay groups all residents" in said
    assert f"coverage {100 * network.total_coverage:.1f} %, at most" in said
    made = json.loads(good("jobs", "result", name, "--store", store, "--json"))
    assert made == json.loads(json.dumps(network.to_dict()))
    put(store, 5, task="evaluate", parameters={"sensors": "existing"})
    assert "evaluate, existing sensors" in good("jobs", "list", "--store", store)


def test_looking_at_jobs_imports_nothing_heavy(store: Path) -> None:
    """Neither Dask nor the science is needed for a list."""
    put(store)
    heavy = ["distributed", "numba", "geopandas", "xarray", "matplotlib", "pandas", "numpy", "rich"]
    code = (
        "import sys; from spineq.cli import cli\n"
        f"cli(['jobs', 'list', '--store', {str(store)!r}])\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stderr.strip() == "[]"


#: Parameters of questions about a network, what is asked in words, and what of its network.
QUESTIONS: dict[str, tuple[str, dict[str, object], str]] = {
    "explain": ("explain", {"site": None, "refuse": True}, "explain, 2 sensors"),
    "a place": (
        "explain", {"site": "064", "refuse": False},
        "explain, 2 sensors, why none at 064, without what each is worth",
    ),
    "one fails": (
        "robustness", {"failures": 1, "probability": 0.05},
        "robustness, 2 sensors, 1 fails, probability 0.05",
    ),
    "two fail": (
        "robustness", {"failures": 2, "probability": [0.1, 0.2]},
        "robustness, 2 sensors, 2 fail, probabilities of their own",
    ),
    "others": (
        "alternatives", {"k": 1, "min_different": 2},
        "alternatives, 2 sensors, 1 network, 2 different at least",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
def test_questions_about_a_network_are_told_in_words(store: Path, name: str) -> None:
    """Not by the network's description, which is long; its theta and groups are said."""
    task, words, said = QUESTIONS[name]
    groups = {"kids": {"ages": [0, 15]}}
    network = {
        "problem": {"n_sensors": 2, "theta": 350.0, "decay": "linear", "groups": groups},
        "places": [["001", "001", 1.0, 2.0], ["002", "002", 3.0, 4.0]],
    }
    job = put(store, 1, task=task, parameters={"network": network, **words})
    text = good("jobs", "show", job, "--store", store)
    assert f"asked       {said}\n" in text
    assert "network     theta 350, linear decay\n" in text
    assert "groups      kids (ages 0 to 15)" in text
    assert said in good("jobs", "list", "--store", store)
    assert listed(store)[0]["task"] == task


def test_scenarios_are_told_in_words(store: Path) -> None:
    """And what somebody else's program wrote under such a name is shown as it is."""
    put(
        store, 1, task="scenario",
        parameters={
            "problem": {"n_sensors": 3}, "sensors": ["001", "002", "003"],
            "scenarios": [{"number": 0}, {"number": 1}],
        },
    )  # fmt: skip
    put(store, 2, task="explain", parameters={"network": "mine"})
    put(store, 3, task="robustness", parameters={"network": {"problem": 3, "places": 4}})
    text = good("jobs", "list", "--store", store)
    assert "scenario, 3 sensors, 2 scenarios" in text
    assert "explain, network mine" in text
    for job in listed(store):
        assert good("jobs", "show", job["id"], "--store", store)

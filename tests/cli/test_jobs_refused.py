"""``spineq jobs`` and ``optimise --queue``: bad input ends in one sentence and exit status 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from command_line import good, run

BAD = {
    "state": (["jobs", "list", "--state", "done"], "done"),
    "limit": (["jobs", "list", "--limit", "-1"], "-1 is not in the range"),
    "limit word": (["jobs", "list", "--limit", "many"], "'many' is not a valid integer"),
    "offset": (["jobs", "list", "--offset", "-1"], "-1 is not in the range"),
    "store": (["jobs", "list", "--store", " "], "the store has no name"),
    "protocol": (["jobs", "list", "--store", "nope://x"], "nope"),
    "no id": (["jobs", "show"], "Missing argument"),
    "no ids": (["jobs", "cancel"], "Missing argument"),
    "unknown": (["jobs", "watch", "zzzz", "--store", "none"], "there is no job 'zzzz'"),
    "unknown result": (["jobs", "result", "zzzz", "--store", "none"], "there is no job 'zzzz'"),
    "no output": (["jobs", "result", "zzzz", "--output", ""], "the folder has no name"),
    "unknown cancel": (["jobs", "cancel", "zzzz", "--store", "none"], "there is no job 'zzzz'"),
    "unknown retry": (["jobs", "retry", "zzzz", "--store", "none"], "there is no job 'zzzz'"),
    "unknown delete": (["jobs", "delete", "", "--store", "none"], "too short"),
    "clear what": (["jobs", "clear", "--store", "none"], "--waiting or --all"),
    "clear both": (["jobs", "clear", "--all", "--waiting"], "--waiting or --all"),
    "no workers": (["jobs", "reconcile", "--n-workers", "0"], "0 is not in the range"),
    "workers elsewhere": (
        ["jobs", "reconcile", "--n-workers", "2", "--scheduler", "tcp://127.0.0.1:1"],
        "--n-workers is for a cluster that is started here",
    ),
    "empty scheduler": (["jobs", "reconcile", "--scheduler", ""], "the scheduler has no name"),
    "verb": (["jobs", "prune"], "No such command"),
}
QUEUED = {
    "priority": (["--priority", "2000"], "beyond 1000"),
    "priority word": (["--priority", "high"], "'high' is not a valid integer"),
    "tag": (["--tag", ""], "is no tag"),
    "note": (["--note", "x" * 3000], "the note must be text of up to 2000 characters"),
    "time limit": (["--time-limit", "-3"], "must be a number of seconds above 0"),
    "endless": (["--time-limit", "nan"], "must be a number of seconds above 0"),
    "store": (["--store", ""], "the store has no name"),
    "nobody": (["--scheduler", "tcp://127.0.0.1:1"], "no Dask scheduler answers"),
    "open door": (["--scheduler", "tcp://10.1.2.3:8786"], "neither encrypted nor on this machine"),
    "written": (["--no-wait", "--output", "made"], "--no-wait has no answer to write"),
    "sensors": (["-n", "191"], "more than the city's 190 sites"),
}
WITHOUT = [
    ["--store", "x"], ["--scheduler", "x"], ["--priority", "0"], ["--tag", "x"], ["--note", ""],
    ["--time-limit", "3"], ["--no-wait"], ["--anew"], ["--allow-remote"],
]  # fmt: skip


def _is_one_sentence(made: Result, words: str) -> None:
    assert made.exit_code == 2, made.output
    assert made.stdout == ""
    assert words in made.stderr
    assert made.stderr.startswith("spineq: ")
    assert made.stderr.count("\n") == 1
    assert "Traceback" not in made.stderr


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_plain_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit status 2, one line on standard error, nothing printed, nothing made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPINEQ_STORE", "none")
    words, why = BAD[name]
    _is_one_sentence(run(*words), why)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", QUEUED)
def test_bad_input_of_a_job_starts_no_cluster(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, and no job."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPINEQ_STORE", "store")
    monkeypatch.setattr("spineq.jobs.cluster._started", pytest.fail)
    words, why = QUEUED[name]
    _is_one_sentence(run("optimise", "san-francisco", "-n", "3", "--queue", *words), why)
    assert "No jobs" in good("jobs", "list") or not (tmp_path / "store" / "jobs").exists()


@pytest.mark.parametrize("words", WITHOUT, ids=" ".join)
def test_options_of_jobs_need_the_queue(words: list[str]) -> None:
    """Without --queue they would mean nothing."""
    made = run("optimise", "san-francisco", "-n", "3", *words)
    _is_one_sentence(made, f"{words[0]} is for jobs: add --queue.")


LOOKS = [
    ["list"], ["show", "zzzz"], ["watch", "zzzz"], ["result", "zzzz"], ["cancel", "zzzz"],
    ["retry", "zzzz"], ["delete", "zzzz"], ["clear", "--all", "--yes"], ["reconcile"],
]  # fmt: skip


@pytest.mark.parametrize("words", LOOKS, ids=lambda words: words[0])
def test_a_store_that_cannot_be_read_is_a_sentence(words: list[str], tmp_path: Path) -> None:
    """A file where the folder should be; a store of a later spineq; one that is torn."""
    (tmp_path / "file").write_text("mine")
    made = run("jobs", *words, "--store", tmp_path / "file")
    if made.exit_code == 2:
        _is_one_sentence(made, "")
    else:
        assert "No jobs" in made.stdout or made.stdout.startswith(("0 jobs", "Nothing"))
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "format").write_text('{"spineq-ledger": 99}')
    made = run("jobs", *words, "--store", tmp_path / "later")
    _is_one_sentence(made, "keeps jobs in format 99, known up to")
    (tmp_path / "later" / "format").write_text("{")
    _is_one_sentence(run("jobs", *words, "--store", tmp_path / "later"), "Update spineq")

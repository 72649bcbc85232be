"""The command line, in this process or in one of its own, and jobs in stores that nobody opened.

::

    from command_line import good, listed, put, run, start

    name = put(store, 1, note="hello")              # a job, written as another process would
    text = good("jobs", "show", name, "--store", store)
    made = run("jobs", "show", "zzzz", "--store", store, width=80)      # made.exit_code, .stderr
    process = start("jobs", "watch", name, "--store", store)            # a process group
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from spineq.cli import cli
from spineq.jobs.ledger import Ledger
from spineq.jobs.records import JobRecord, Outcome, attempt_name, new_job_id

#: Longest time for anything, seconds: two cores may be busy with other tests.
PATIENCE = 120.0


def run(*words: object, width: int | None = None, said: str | None = None) -> Result:
    """Run a command in this process, on a terminal of so many columns."""
    env = {"COLUMNS": str(width) if width else "0"}
    return CliRunner().invoke(cli, [str(word) for word in words], input=said, env=env)


def good(*words: object, **more: Any) -> str:
    """Run a command that must end well; what it prints on standard output."""
    made = run(*words, **more)
    assert made.exit_code == 0, made.output
    return made.stdout


def command(*words: object) -> list[str]:
    """Words that start spineq as a process of its own."""
    return [sys.executable, "-c", "from spineq.cli import main; main()", *map(str, words)]


def start(*words: object) -> subprocess.Popen[str]:
    """Start spineq as a process of its own, with its process group."""
    return subprocess.Popen(
        command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def until(what: Callable[[], Any]) -> Any:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)
    return found


def listed(store: Path, *words: object) -> list[dict[str, Any]]:
    """List the jobs of a store."""
    jobs: list[dict[str, Any]] = json.loads(
        good("jobs", "list", "--store", store, "--json", *words)
    )["jobs"]
    return jobs


def put(store: Path, number: int = 0, **words: Any) -> str:
    """Write a job into a store that nobody has opened; returns its id."""
    ledger = Ledger.open(str(store))
    run_name = words.pop("run", f"{number:032x}")
    outcome: Outcome | None = words.pop("outcome", None)
    job = JobRecord(
        id=words.pop("id", None) or new_job_id(),
        run=run_name,
        attempt=attempt_name(run_name, 1, None),
        **{
            "task": "optimise", "version": "exchange-1", "created": time.time(), "clock": "here",
            "city": "c" * 64, "city_name": "San Francisco", "user": "ann",
            "parameters": {"n_sensors": 20},
        } | words,
    )  # fmt: skip
    assert ledger.put_job(job)
    if outcome is not None:
        ledger.publish(job.attempt, outcome)
    return job.id


FAILED = Outcome(
    event="failed",
    ended=time.time(),
    began=time.time() - 3,
    lease=1,
    error={"type": "ValueError", "message": "it is\nbroken", "traceback": "Traceback: line 3"},
)


def is_there(group: int) -> bool:
    """Whether a process of a group lives."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True

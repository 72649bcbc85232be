"""Jobs written by hand, as the tests of the ledger want them."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from pretended_s3 import S3

from spineq.jobs.ledger import Ledger
from spineq.jobs.records import JobRecord, Outcome, attempt_name, digest, new_job_id

KINDS = ("folder", "file", "memory", "s3")


def place(kind: str, request: pytest.FixtureRequest) -> str:
    """Place of a store of a kind that nobody has used."""
    if kind == "s3":
        s3: S3 = request.getfixturevalue("s3")
        return s3.url()
    if kind == "memory":
        return f"memory://spineq-{secrets.token_hex(8)}"
    folder = request.getfixturevalue("tmp_path") / "store"
    return f"file://{folder}" if kind == "file" else str(folder)


def job_of(run: str = "", **fields: Any) -> JobRecord:
    """Record of a job that waits for the first attempt at a run."""
    run = run or digest(secrets.token_hex(8))
    made: dict[str, Any] = {
        "id": new_job_id(),
        "run": run,
        "task": "count",
        "version": "1",
        "created": 1.7e9,
        "clock": "test/1",
        "user": "ann",
        "attempt": attempt_name(run, 1, None),
    }
    return JobRecord(**made | fields)


def finished(run: str = "", **fields: Any) -> Outcome:
    """Outcome of a run that a worker finished with its first lease."""
    made: dict[str, Any] = {"ended": 1.7e9 + 60, "answer": f"answers/{run}", "began": 1.7e9 + 1}
    return Outcome(event="finished", **made | {"lease": 1, "value": 0.5, "bound": 0.75} | fields)


def submitted(ledger: Ledger, **fields: Any) -> JobRecord:
    """Write a job to the ledger."""
    job = job_of(**fields)
    assert ledger.put_job(job)
    return job

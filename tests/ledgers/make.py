"""Make a ledger as this version of spineq writes it, for later versions to read.

``python tests/ledgers/make.py v2`` writes ``v2`` beside this file, and ``v2.json``: what every
job is, and what the answers are. Once committed, they stay as they are.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

import spineq as sq
from spineq.data.packed import pack_city
from spineq.jobs import worker
from spineq.jobs.index import Index
from spineq.jobs.ledger import Ledger
from spineq.jobs.records import (
    Beat,
    JobRecord,
    Lease,
    Outcome,
    Stop,
    Turn,
    Withdrawal,
    attempt_name,
    digest,
)
from spineq.jobs.tasks import check_asked, family_digest, run_digest, task_named

#: An owner of leases of whom nobody can say that it is dead.
ELSEWHERE = "elsewhere/boot/pid:[1]#1@1"


class _Maker:
    """Writes jobs whose ids and times are the same each time."""

    def __init__(self, where: Path) -> None:
        self.ledger, self.number = Ledger.open(str(where)), 0
        rows = {
            "area_id": list("abcdef"),
            "x": [430_000.0, 430_400, 430_900, 430_000, 430_500, 431_300],
            "y": [560_000.0, 560_100, 560_000, 560_700, 560_800, 561_000],
            "population": [100.0, 250, 50, 400, 120, 80],
        }
        self.city = sq.City.from_frame(pd.DataFrame(rows), crs="EPSG:27700", name="Six areas")
        self.ledger.put_city(self.city.digest, pack_city(self.city))

    def job(self, *, cached: bool = False, city: bool = False, **fields: Any) -> JobRecord:
        """Write a job: ``optimise`` for the city, or another task that only its version knows."""
        self.number += 1
        made: dict[str, Any] = {"task": "count", "version": "1", "run": digest("run", self.number)}
        if city:
            task = task_named("optimise")
            asked = check_asked(task, self.city, fields.pop("parameters"))
            made = {
                "task": task.name,
                "version": asked.version,
                "run": run_digest(task, asked, self.city.digest),
                "city": self.city.digest,
                "city_name": self.city.name,
                "parameters": asked.parameters,
                "family": family_digest(task, asked, self.city.digest),
                "size": asked.size,
            }
        job = JobRecord(
            id=f"1hf7yat01vbt2m{self.number:02}",
            created=1.7e9 + self.number,
            clock="a machine/1",
            user="ann" if self.number % 2 else "björn",
            tags=["old"],
            order=float(self.number),
            **made | fields,
        )
        attempt = "" if cached else self.ledger.open_attempt(job.run, job.time_limit)
        job = replace(job, attempt=attempt)
        assert self.ledger.put_job(job)
        return job

    def run(self, job: JobRecord) -> None:
        """Run a job of ``optimise`` here."""
        order = worker.Order(
            store=self.ledger.store.where,
            cluster="",
            topic="",
            task=task_named(job.task),
            **{name: getattr(job, name) for name in ("attempt", "run", "city", "parameters")},
            **{name: getattr(job, name) for name in ("time_limit", "earlier", "fresh")},
        )
        assert worker.run_attempt(order) == "ended"

    def lease(self, job: JobRecord) -> None:
        """Let a worker elsewhere take a job up."""
        lease = Lease(
            attempt=job.attempt, number=1, worker="tcp://w:1", process=ELSEWHERE, at=1.7e9 + 50
        )
        assert self.ledger.take_lease(lease)
        self.ledger.beat(lease, Beat(count=3, number=7, fraction=0.25, message="half", value=0.5))

    def withdraw(self, job: JobRecord, event: str) -> None:
        """Withdraw a job."""
        self.ledger.withdraw(job.id, 0, Withdrawal(event=event, at=1.7e9 + 70, by="ann"))
        self.ledger.stop(job.attempt, Stop(at=1.7e9 + 70, by="ann"))

    def end(self, attempt: str, event: str, **fields: Any) -> None:
        """Publish an outcome."""
        self.ledger.publish(attempt, Outcome(event=event, ended=1.7e9 + 90, **fields))


def make(where: Path) -> None:
    """Write a ledger with jobs in every state."""
    maker = _Maker(where)
    ledger = maker.ledger
    greedy = {"n_sensors": 2, "method": "greedy"}
    whole = maker.job(city=True, parameters=greedy, note="a note\nof two lines")
    maker.run(whole)
    cut = maker.job(city=True, parameters={"n_sensors": 3}, time_limit=1e-9)
    maker.run(cut)
    maker.job(city=True, parameters=greedy, cached=True, reused="answer", value=0.5, bound=0.5)
    failed = maker.job(parameters={"up_to": 5})
    error = {"type": "ValueError", "message": "no", "traceback": "Traceback: no"}
    maker.end(failed.attempt, "failed", began=1.7e9 + 80, lease=1, error=error)
    cancelled = maker.job()
    maker.withdraw(cancelled, "withdrawn")
    partial = f"partial/{cancelled.attempt}"
    ledger.put_answer(partial, b"[1,2]")
    maker.end(cancelled.attempt, "stopped", lease=1, answer=partial, cut_short="cancelled")
    expired = maker.job(expires_in=5.0)
    maker.withdraw(expired, "overdue")
    maker.end(expired.attempt, "stopped")
    retried = maker.job()
    maker.end(retried.attempt, "failed", lease=3)
    second = attempt_name(retried.run, 2, None)
    ledger.put_turn(retried.id, 1, Turn(attempt=second, at=1.7e9 + 95))
    ledger.put_answer(f"answers/{retried.run}", b'{"sum":10}')
    maker.end(second, "finished", lease=1, answer=f"answers/{retried.run}")
    torn = maker.job()
    ledger.store.put(f"outcomes/{torn.attempt}", b'{"event":"fin')

    index = Index(ledger)
    index.refresh()
    index.compact(least=2)
    # What comes now stands in files of its own.
    maker.job(priority=7, parameters={"up_to": 9})
    maker.lease(maker.job())
    cancelling = maker.job()
    maker.lease(cancelling)
    maker.withdraw(cancelling, "withdrawn")
    late = maker.job()
    maker.withdraw(late, "left")
    maker.end(late.attempt, "stopped")
    again = maker.job()
    maker.end(again.attempt, "failed")
    ledger.put_turn(again.id, 1, Turn(attempt=attempt_name(again.run, 2, None), at=1.7e9))

    index = Index(ledger)
    index.refresh()
    task = task_named("optimise")
    known = {
        "jobs": {job: index.snapshot(entry).to_dict() for job, entry in index.entries.items()},
        "networks": {
            job.id: task.load(ledger.answer(index.snapshot(index.entries[job.id]).answer)).to_dict()
            for job in (whole, cut)
        },
    }
    text = json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False)
    where.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(Path(__file__).with_name(sys.argv[1]))

"""Removing what nobody needs any more."""

from __future__ import annotations

import time

from spineq.jobs.index import Index
from spineq.jobs.ledger import Ledger
from spineq.jobs.records import run_of


def prune(index: Index, ledger: Ledger, retention_days: float) -> int:
    """Remove jobs that ended long ago, and answers that no job refers to and are as old.

    Days are counted by the clocks of whoever submitted, computed and prunes: an hour between
    them does not matter here. Cities stay.

    Parameters
    ----------
    index, ledger
        The jobs; the index is up to date.
    retention_days
        Days to keep.

    Returns
    -------
    int
        Number of jobs removed.
    """
    before = time.time() - retention_days * 86_400
    old = []
    for entry in index.entries.values():
        # What was created since cannot have ended before.
        if entry.line and entry.created < before:
            snapshot = index.snapshot(entry)
            if (snapshot.ended or snapshot.created) < before:
                old.append(entry)
    for entry in old:
        ledger.delete_job(entry.id, entry.turn, index.record(entry).key)
        index.remove(entry.id)
    _prune_attempts(index, ledger, before)
    ledger.store.tidy()
    return len(old)


def _prune_attempts(index: Index, ledger: Ledger, before: float) -> None:
    attempts = {entry.attempt for entry in index.entries.values()}
    runs = {
        run_of(entry.attempt) if entry.attempt else index.record(entry).run
        for entry in index.entries.values()
    }
    ended = set(ledger.ended_attempts())
    for attempt, number in ledger.leases().items():
        if attempt in ended:
            # Its worker died between the outcome and the release.
            ledger.release(attempt, number)
    unneeded = sorted(ended - attempts)
    outcomes = ledger.outcomes(unneeded)
    young = {name for name in unneeded if name not in outcomes or outcomes[name].ended >= before}
    # Perhaps the answer will be asked for again.
    runs |= {run_of(attempt) for attempt in young}
    for attempt in unneeded:
        # The outcome stays as long as the answer, which is found by it.
        if run_of(attempt) not in runs:
            ledger.delete_attempt(attempt, outcomes[attempt].lease)
    for run in {run_of(attempt) for attempt in unneeded} - runs:
        ledger.delete_answer(run)

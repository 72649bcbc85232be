"""Names in the ledger, listed in an order in which what comes later explains what came before."""

from __future__ import annotations

from dataclasses import dataclass

from spineq.jobs.ledger import Ledger

#: Attempts whose outcomes are looked for one by one; for more, the names are listed.
_FEW = 8


@dataclass(frozen=True)
class Known:
    """What an index knew before the ledger was listed; what came since is not in the listing."""

    jobs: frozenset[str]
    turns: frozenset[tuple[str, int]]
    leases: dict[str, int]


@dataclass(frozen=True)
class Listing:
    """Names in the ledger. A name that follows from another one is listed after it.

    A lease is removed because there is an outcome, and an attempt is stopped because a job was
    withdrawn: so what is read later explains what was read before.

    Parameters
    ----------
    known
        What the index knew before.
    jobs
        Ids of all jobs.
    turns, withdrawn
        As in `Ledger.turn_names` and ``withdrawn_names``.
    leases
        Latest lease by attempt.
    ended
        Attempts that have an outcome; where few are open, of those only.
    """

    known: Known
    jobs: frozenset[str]
    turns: list[tuple[str, int]]
    leases: dict[str, int]
    ended: frozenset[str]
    withdrawn: list[tuple[str, int]]


def list_names(ledger: Ledger, known: Known) -> Listing:
    """List what a refresh of the index goes by; it takes its time where the store is far away."""
    jobs = frozenset(ledger.job_ids())
    turns, leases = ledger.turn_names(), ledger.leases()
    few = len(known.leases) <= _FEW and jobs <= known.jobs and known.turns.issuperset(turns)
    ended = ledger.outcomes(known.leases) if few else ledger.ended_attempts()
    return Listing(known, jobs, turns, leases, frozenset(ended), ledger.withdrawn_names())

"""What the ledger keeps, one small JSON file each, and the names of the files.

=====================  ===================  ====================================================
file                   record               written
=====================  ===================  ====================================================
``format``             number and id        once, by whoever opens a new store first
``jobs/J``             `JobRecord`          once, by submit; gone when the job is deleted
``keys/Y``             `KeyRecord`          once, before a job that was submitted under a name of
                                            the caller's own; gone when the job is deleted
``turns/J-N``          `Turn`               once, by retry, or when others stopped the attempt
``withdrawn/J-N``      `Withdrawal`         once, by cancel or delete, or after too long a wait
``leases/A-K``         `Lease`              once, by the worker that takes the attempt; removed
                                            after the outcome
``beats/A-K``          `Beat`               again and again, by the owner of the lease alone
``stops/A``            `Stop`               once, when nobody wants the attempt any more
``answers/R``          bytes                once, by the first worker that completes the run;
                                            again where a job was not to reuse it
``partial/A``          bytes                once, by a worker that was stopped or out of time
``outcomes/A``         `Outcome`            once, after the answer: the end of the attempt
``index/L-X``          lines                many ended jobs in one file; L counts how often such
                                            files were merged, X is drawn at random
``cities/D``           bytes                once, by submit
``scheduler.json``     address              by whoever has a cluster that others may join
=====================  ===================  ====================================================

J is a job's id, Y a digest of user and key, N its turn (0, 1, ...), R a run's digest, A an
attempt (run and number), K the number of a lease (1, 2, ...), D a city's digest.

A file that was torn (by a broken disk or another program) reads as None and is passed over;
but a torn outcome is a failure, a torn withdrawal counts, and a torn lease is nobody's.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Self

#: Version of the files' format.
FORMAT = 1

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no i, l, o, u


class Record:
    """Base of the records: a frozen dataclass that is a JSON object in the ledger.

    Fields at their default are left out, fields that are not known are passed over: so a later
    version may add fields with a default, and both read what the other wrote.
    """

    def to_dict(self) -> dict[str, Any]:
        """Describe the record in JSON's types."""
        made = {}
        for entry in fields(self):  # type: ignore[arg-type]  # subclasses are dataclasses
            value = getattr(self, entry.name)
            if value != entry.default:
                made[entry.name] = value
        return made

    def to_bytes(self) -> bytes:
        """Write the record."""
        return dumps(self.to_dict())

    @classmethod
    def from_dict(cls, made: Any) -> Self | None:
        """Read what `to_dict` described; None where it is something else."""
        if not isinstance(made, dict):
            return None
        known = {}
        for entry in fields(cls):  # type: ignore[arg-type]
            if entry.name in made:
                value = known[entry.name] = made[entry.name]
                if not _FITS[str(entry.type)](value):
                    return None
        try:
            return cls(**known)
        except (TypeError, ValueError):
            return None

    @classmethod
    def from_bytes(cls, data: bytes | None) -> Self | None:
        """Read what `to_bytes` wrote; None where it is torn or not there."""
        return None if data is None else cls.from_dict(loads(data))


def dumps(made: Any) -> bytes:
    """Write JSON, the same bytes for the same content."""
    text = json.dumps(made, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # Names of files that are no Unicode get into the messages of exceptions.
    return text.encode(errors="surrogatepass")


def loads(data: bytes) -> Any:
    """Read JSON; None where it is torn."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not math.isnan(value)
    except OverflowError:
        return False


#: What numbers in files stay below: times and start tags, and what is counted to.
_MOST_NUMBER, _MOST_COUNT = 1e12, 10**6

#: What names of runs, attempts and cities are made of.
_NAME = re.compile(r"[0-9A-Za-z][-+.0-9A-Za-z]{0,127}")


def _check_names(*names: str) -> None:
    for name in names:
        if name and not _NAME.fullmatch(name):
            msg = f"{name!r} names nothing in a ledger"
            raise ValueError(msg)


#: Whether a value may stand in a field, by the field's type: files may hold anything.
_FITS: dict[str, Callable[[Any], bool]] = {
    "str": _is_text,
    "int": lambda value: isinstance(value, int) and abs(value) < _MOST_COUNT,
    "float": lambda value: _is_number(value) and abs(value) < _MOST_NUMBER,
    "float | None": lambda value: value is None or _is_number(value),
    "bool": lambda value: isinstance(value, bool),
    "list[str]": lambda value: isinstance(value, list) and all(map(_is_text, value)),
    "dict[str, str]": lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
    "dict[str, Any]": lambda value: isinstance(value, dict),
}


@dataclass(frozen=True, kw_only=True)
class JobRecord(Record):
    """A person's request for a run.

    Parameters
    ----------
    id
        Name of the job; sorts by time.
    run
        Digest of what is computed: task, version, city and parameters.
    task, version
        Name of the task, and what its answers depend on beside the parameters.
    created, clock
        Seconds since 1970, and the clock that said so.
    city, city_name
        Digest of the city, and its name for people; empty for a task without one.
    parameters
        Of the task, JSON.
    family
        Digest of what a longer or shorter answer shares with this one; empty for none.
    size
        Place of the answer in its family (for greedy the number of sensors).
    attempt
        Attempt that the job waits for; empty if it was answered from the store at once.
    reused
        ``"answer"`` (the same run's), ``"longer"`` or ``"shorter"`` (of the same family).
    earlier
        Run whose answer the worker may start from.
    value, bound
        Of the answer, where the job was answered at once.
    user, tags, note
        Of the person.
    priority
        Higher goes first.
    order
        Start tag within the priority: the user's virtual time.
    time_limit, expires_in
        Seconds of computing and of waiting; None for as long as it takes.
    fresh
        Compute, even if there is an answer.
    key
        Digest of user and key, where the caller named the submission.
    """

    id: str
    run: str
    task: str
    version: str
    created: float
    clock: str
    city: str = ""
    city_name: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    family: str = ""
    size: int = 0
    attempt: str = ""
    reused: str = ""
    earlier: str = ""
    value: float | None = None
    bound: float | None = None
    user: str = ""
    tags: list[str] = field(default_factory=list)
    note: str = ""
    priority: int = 0
    order: float = 0.0
    time_limit: float | None = None
    expires_in: float | None = None
    fresh: bool = False
    key: str = ""

    def __post_init__(self) -> None:
        """Refuse names that would lead elsewhere in the store."""
        _check_names(self.run, self.city, self.family, self.attempt, self.earlier, self.key)


@dataclass(frozen=True, kw_only=True)
class KeyRecord(Record):
    """Which job a caller's own name for a submission stands for.

    Parameters
    ----------
    job
        Its id.
    asked
        Digest of everything that was asked, so that a name is not used for two things.
    """

    job: str
    asked: str

    def __post_init__(self) -> None:
        """Refuse names that would lead elsewhere in the store."""
        _check_names(self.job, self.asked)


@dataclass(frozen=True, kw_only=True)
class Turn(Record):
    """A new attempt for a job: after a retry, or because the attempt was stopped for others.

    ``order`` is the start tag from now on: who retries waits like everybody else.
    """

    attempt: str
    at: float
    order: float = 0.0
    retried: bool = True

    def __post_init__(self) -> None:
        """Refuse a name that would lead elsewhere in the store."""
        _check_names(self.attempt)


@dataclass(frozen=True, kw_only=True)
class Withdrawal(Record):
    """The end of a job's interest; ``event`` is one of those of `spineq.jobs.states`."""

    event: str
    at: float
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class Lease(Record):
    """A worker's claim on an attempt.

    Parameters
    ----------
    attempt, number
        Which attempt, and the how-manieth worker on it.
    worker
        Address of the worker.
    cluster
        Id of its scheduler.
    process
        Its `spineq.jobs._host.process_name`.
    at
        Seconds since 1970 by the worker's clock.
    period
        Seconds from one heartbeat to the next.
    token
        Drawn at random, so that no two leases are the same.
    """

    attempt: str
    number: int
    worker: str = ""
    cluster: str = ""
    process: str = ""
    at: float = 0.0
    period: float = 2.0
    token: str = ""


@dataclass(frozen=True, kw_only=True)
class Beat(Record):
    """A heartbeat, with the progress by then; see `spineq.progress.Progress.report`.

    ``count`` grows with every heartbeat, ``number`` with every event about the progress, so
    that a reader of both knows which is newer.
    """

    count: int = 0
    number: int = 0
    fraction: float = 0.0
    message: str = ""
    value: float | None = None
    bound: float | None = None


@dataclass(frozen=True, kw_only=True)
class Stop(Record):
    """Word to the worker that nobody wants the attempt any more."""

    at: float
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome(Record):
    """The end of an attempt.

    Parameters
    ----------
    event
        ``"finished"``, ``"failed"`` or ``"stopped"``.
    ended
        Seconds since 1970 by the clock of whoever published it.
    answer
        Name of the blob with the answer; empty for none.
    cut_short
        ``"time limit"`` or ``"cancelled"`` where the answer is the best so far only.
    began
        Start of the computation by the same clock; None if it never started.
    lease
        Number of the lease, 0 where there was none.
    worker
        Address of the worker.
    fraction, message, value, bound
        The last progress.
    error
        ``type``, ``message``, ``traceback`` of a failure.
    """

    event: str
    ended: float
    answer: str = ""
    cut_short: str = ""
    began: float | None = None
    lease: int = 0
    worker: str = ""
    fraction: float = 0.0
    message: str = ""
    value: float | None = None
    bound: float | None = None
    error: dict[str, str] = field(default_factory=dict)


def new_job_id() -> str:
    """Make a name for a job: 16 characters that sort by time and hardly ever meet again."""
    number = (int(time.time() * 1000) << 35) | secrets.randbits(35)
    return "".join(_DIGITS[(number >> 5 * place) & 31] for place in range(15, -1, -1))


def is_job_id(text: object) -> bool:
    """Whether a text can be the id of a job."""
    return isinstance(text, str) and len(text) == 16 and set(text) <= set(_DIGITS)


def digest(*parts: Any) -> str:
    """Digest of JSON values: 32 hex digits."""
    return hashlib.sha256(dumps(parts)).hexdigest()[:32]


def attempt_name(run: str, number: int, time_limit: float | None) -> str:
    """Name of an attempt. One with a time limit is another than one without."""
    limit = "" if time_limit is None else f"{time_limit!r}s"
    return f"{run}-{limit}{number}"


def run_of(attempt: str) -> str:
    """Run that an attempt belongs to."""
    return attempt.partition("-")[0]

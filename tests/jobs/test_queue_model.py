"""The queue against a small model of what the states of jobs should be, in random histories."""

from __future__ import annotations

import itertools
import os
import sys
from dataclasses import dataclass, field
from unittest.mock import patch

import fsspec
import pytest
from hand_carrier import TASK, Hands, HandWorker, answer_to, best_of
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import spineq as sq
from spineq.errors import JobError
from spineq.jobs import index
from spineq.jobs.ledger import MOST_DEATHS, Ledger

PICK = st.integers(0, 999)
WHICH = st.integers(0, 1)

#: Seconds for which the queues keep jobs.
KEPT = 60.0

ENDED = {"finished", "failed", "cancelled", "expired"}

_names = itertools.count()


@dataclass(eq=False)
class Attempt:
    """What the model knows of an attempt."""

    question: int
    limit: float | None
    stopped: bool = False
    outcome: str = ""
    #: Workers that took it, the latest last.
    leases: list[HandWorker] = field(default_factory=list)


@dataclass(eq=False)
class Job:
    """What the model knows of a job."""

    id: str
    question: int
    limit: float | None
    expires_in: float | None
    #: Since when it waits in its present turn.
    since: float
    attempt: Attempt | None = None
    #: How it ended; empty while it is open.
    ended: str = ""
    ended_at: float = 0.0
    cut: bool = False
    #: Whether it was withdrawn, but a worker has the last word.
    cancelling: bool = False
    #: Whether it was withdrawn in its present turn.
    left: bool = False
    later_turn: bool = False


class Histories(RuleBasedStateMachine):
    """Whatever may happen to a store, two queues, a scheduler and its workers, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.where = f"memory://model-{os.getpid()}-{next(_names)}"
        self.hands = Hands(self.where)
        self.hands.__enter__()
        self.ledger = Ledger.open(self.where)
        self.queues: list[sq.JobQueue] = []
        self.jobs: dict[str, Job] = {}
        #: Attempts by name.
        self.attempts: dict[str, Attempt] = {}
        #: Questions whose answer is in the store.
        self.answered: set[int] = set()
        self.outcomes: dict[str, bytes] = {}
        #: Workers that hang: they do not beat.
        self.hanging: set[HandWorker] = set()

    @initialize(few=st.sampled_from([0, 8]))
    def open_two_queues(self, few: int) -> None:
        self.few = patch.multiple(index, _FEW=few, _MOST_SEGMENTS=3)
        self.few.start()
        self.queues = [self._open("ann"), self._open("bob")]

    # What people do

    @rule(
        which=WHICH,
        question=st.integers(1, 3),
        limit=st.sampled_from([None, None, None, 20.0]),
        priority=st.integers(-1, 1),
        reuse=st.booleans(),
        expires_in=st.sampled_from([None, None, 30.0]),
    )
    def submit(
        self,
        which: int,
        question: int,
        limit: float | None,
        priority: int,
        reuse: bool,
        expires_in: float | None,
    ) -> None:
        made = self.queues[which].submit(
            task=TASK,
            question=question,
            time_limit=limit,
            priority=priority,
            reuse=reuse,
            expires_in=expires_in,
        )
        job = Job(made.id, question, limit, expires_in, self.hands.clock.now)
        self.jobs[made.id] = job
        if reuse and question in self.answered:
            assert made.snapshot().from_cache
            self._end_job(job, "finished")
        else:
            self._wait(job, self.queues[which])

    @rule(which=WHICH, pick=PICK)
    @precondition(lambda self: self.jobs)
    def cancel(self, which: int, pick: int) -> None:
        job, queue = self._pick(self.jobs.values(), pick), self.queues[which]
        was_open = not job.ended and not job.cancelling
        queue.cancel(job.id)
        state = queue.snapshot(job.id).state
        if not was_open:
            return
        assert job.attempt is not None
        job.left = True
        holder = self._holder(job.attempt)
        if holder is None or self._wanted(job.attempt):
            assert state == "cancelled"
        elif holder not in self.hanging and holder.is_on:
            assert state == "cancelling"
        if state == "cancelled":
            self._end_job(job, "cancelled")
        else:
            assert state == "cancelling"
            job.cancelling = True
        self._stop_unwanted()

    @rule(which=WHICH, pick=PICK)
    @precondition(lambda self: self.jobs)
    def delete(self, which: int, pick: int) -> None:
        job = self._pick(self.jobs.values(), pick)
        self.queues[which].delete(job.id)
        del self.jobs[job.id]
        self._stop_unwanted()

    @rule(which=WHICH, waiting=st.booleans())
    @precondition(lambda self: len(self.jobs) > 3)
    def clear(self, which: int, waiting: bool) -> None:
        number = self.queues[which].clear(waiting=waiting)
        gone = self._gone(self.queues[which])
        assert number == len(gone)
        for job in self.jobs.values():
            allowed = self._allowed(job)
            if not waiting or allowed == {"queued"}:
                assert job in gone
            elif "queued" not in allowed:
                assert job not in gone
        for job in gone:
            del self.jobs[job.id]
        self._stop_unwanted()

    @rule(which=WHICH, pick=PICK)
    @precondition(lambda self: any(job.ended for job in self.jobs.values()))
    def retry(self, which: int, pick: int) -> None:
        job = self._pick([job for job in self.jobs.values() if job.ended], pick)
        queue = self.queues[which]
        if job.ended == "finished":
            with pytest.raises(JobError, match="is finished"):
                queue.retry(job.id)
            return
        queue.retry(job.id)
        job.ended, job.cancelling, job.left, job.cut = "", False, False, False
        job.since, job.later_turn = self.hands.clock.now, True
        self._wait(job, queue)

    # What workers do

    @rule(pick=PICK)
    @precondition(lambda self: self.hands.waiting)
    def take(self, pick: int) -> None:
        self._moved(self.hands.take(self._pick(sorted(self.hands.waiting), pick)))

    @rule(pick=PICK)
    @precondition(lambda self: self._at("waiting"))
    def look_again(self, pick: int) -> None:
        worker = self._pick(self._at("waiting"), pick)
        worker.go_on()
        self._moved(worker)

    @rule(pick=PICK)
    @precondition(lambda self: self._at("computing"))
    def finish(self, pick: int) -> None:
        worker = self._pick(self._at("computing"), pick)
        worker.finish()
        self._published(worker, "finished")

    @rule(pick=PICK)
    @precondition(lambda self: self._at("computing"))
    def fail(self, pick: int) -> None:
        worker = self._pick(self._at("computing"), pick)
        worker.fail(ValueError("the question is odd"))
        self._published(worker, "failed")

    @rule(pick=PICK)
    @precondition(lambda self: self._at("computing"))
    def report(self, pick: int) -> None:
        worker = self._pick(self._at("computing"), pick)
        attempt, end = self.attempts.get(worker.order.attempt), worker.heart._end
        late = end is not None and self.hands.clock.now >= end
        worker.report(0.5, 3.0)
        if attempt is not None and attempt.stopped:
            self._published(worker, "stopped")
        elif late:
            self._published(worker, "finished", cut=True)
        else:
            assert worker.state == "computing"

    @rule(pick=PICK, after=st.sampled_from(["", "answers", "outcomes"]))
    @precondition(lambda self: any(worker.is_on for worker in self.hands.workers))
    def die(self, pick: int, after: str) -> None:
        worker = self._pick([each for each in self.hands.workers if each.is_on], pick)
        computed = worker.state == "computing"
        worker.die(after)
        assert worker.state == "dead"
        if computed and after:
            self.answered.add(worker.order.parameters["question"])
        if computed and after == "outcomes":
            self._end(worker.order.attempt, "finished")

    @rule(pick=PICK)
    @precondition(lambda self: self._awake())
    def hang(self, pick: int) -> None:
        self.hanging.add(self._pick(self._awake(), pick))

    @rule(pick=PICK)
    @precondition(lambda self: self._held_up())
    def scheduler_gives_up(self, pick: int) -> None:
        self.hands.died(self._pick(self._held_up(), pick))

    # What happens

    @rule(killing=st.booleans())
    def scheduler_restarts(self, killing: bool) -> None:
        self.hands.restart(killing=killing)

    @rule(which=WHICH, closing=st.booleans())
    def client_restarts(self, which: int, closing: bool) -> None:
        queue = self.queues[which]
        self.hands.kill(queue)
        if closing:
            queue.keeper.close()
        self.queues[which] = self._open(queue.user)

    @rule(seconds=st.sampled_from([1.0, 6.0, 16.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.hands.pass_time(seconds, self._awake())

    @rule(which=WHICH)
    def hear(self, which: int) -> None:
        self.hands.hear(self.queues[which])

    @rule(which=WHICH)
    def look(self, which: int) -> None:
        queue, now = self.queues[which], self.hands.clock.now
        self.hands.look(queue)
        self._note_swept(queue)
        for job in self.jobs.values():
            if job.ended or job.cancelling or job.expires_in is None:
                continue
            allowed, waited = self._allowed(job), now - job.since
            if queue.snapshot(job.id).state == "expired":
                assert "queued" in allowed
                assert waited >= job.expires_in
                job.left = True
                self._end_job(job, "expired")
            elif allowed == {"queued"} and not job.later_turn:
                assert waited < job.expires_in
        self._stop_unwanted()
        for job in self.jobs.values():
            if not job.ended and job.attempt is not None and job.attempt.outcome == "stopped":
                self._wait(job, queue)
                job.later_turn = True
        self._agree(queue)

    @rule(which=WHICH)
    def compact(self, which: int) -> None:
        self.queues[which].keeper.index.compact(least=1)

    @rule(which=WHICH)
    def prune(self, which: int) -> None:
        number = self.queues[which].prune()
        assert number == len(self._note_swept(self.queues[which]))

    # What must hold

    @invariant()
    def outcomes_stay(self) -> None:
        """An attempt has one outcome, which stays as it is."""
        store = self.ledger.store
        present = store.get_many(store.names("outcomes/"))
        for name, data in self.outcomes.items():
            assert present.get(name) == data
        self.outcomes = present

    @invariant()
    def no_job_is_lost(self) -> None:
        """Whoever opens the store sees each job, in a state that it may be in."""
        if self.queues:
            self._agree(self._onlooker())

    def teardown(self) -> None:
        try:
            if self.queues and sys.exc_info()[0] is None:
                self._drain()
        finally:
            self.hands.__exit__()
            if self.queues:
                self.few.stop()
            memory = fsspec.filesystem("memory")
            memory.rm(self.where.removeprefix("memory:/"), recursive=True)

    def _drain(self) -> None:
        """Let everything run, and look at how it ends."""
        for _ in range(100):
            for which in (0, 1):
                self.look(which)
            for worker in self._held_up():
                self.hands.died(worker)
            while self.hands.waiting:
                self._moved(self.hands.take())
            for worker in self._awake():
                if worker.state == "computing":
                    self.report(self._at("computing").index(worker))
                if worker.state == "computing":
                    self.finish(self._at("computing").index(worker))
                if worker.state == "waiting":
                    self.look_again(self._at("waiting").index(worker))
            if all(job.ended for job in self.jobs.values()):
                break
            self.time_passes(6.0)
        for job in self.jobs.values():
            assert job.ended in (ENDED if job.left else {"finished", "failed"})
        # Those that hung wake up too late.
        while computing := self._at("computing"):
            computing[0].finish()
        self.outcomes_stay()
        for queue in (*self.queues, self._onlooker()):
            self._agree(queue)

    # The model

    def _open(self, user: str) -> sq.JobQueue:
        return self.hands.open_queue(user, retention_days=KEPT / 86_400)

    def _onlooker(self) -> sq.JobQueue:
        queue = sq.JobQueue(store=self.where, connect=False)
        queue._close.detach()
        return queue

    def _pick(self, things, pick):
        things = list(things)
        return things[pick % len(things)]

    def _at(self, state: str) -> list[HandWorker]:
        return [worker for worker in self.hands.workers if worker.state == state]

    def _awake(self) -> list[HandWorker]:
        return [each for each in self.hands.workers if each.is_on and each not in self.hanging]

    def _held_up(self) -> list[HandWorker]:
        """Workers that hang, and that the scheduler waits for."""
        return [worker for worker in self.hands.working.values() if worker in self.hanging]

    def _holder(self, attempt: Attempt) -> HandWorker | None:
        return attempt.leases[-1] if attempt.leases and not attempt.outcome else None

    def _wanted(self, attempt: Attempt) -> bool:
        return any(
            job.attempt is attempt and not job.ended and not job.left for job in self.jobs.values()
        )

    def _wait(self, job: Job, queue: sq.JobQueue) -> None:
        """A job waits for the first attempt that has neither ended nor been stopped."""
        name = queue.snapshot(job.id).attempt
        known = self.attempts.get(name)
        for attempt in self.attempts.values():
            if (attempt.question, attempt.limit) == (job.question, job.limit):
                is_open = not attempt.stopped and not attempt.outcome
                assert (attempt is known) == is_open
        if known is None:
            known = self.attempts[name] = Attempt(job.question, job.limit)
        job.attempt = known

    def _stop_unwanted(self) -> None:
        for attempt in self.attempts.values():
            if not attempt.outcome and not attempt.stopped and not self._wanted(attempt):
                attempt.stopped = True
                if not attempt.leases:
                    attempt.outcome = "stopped"

    def _moved(self, worker: HandWorker) -> None:
        """A worker met an attempt."""
        name = worker.order.attempt
        attempt = self.attempts.get(name)
        if attempt is None:
            # Swept meanwhile: nobody waits for it.
            order = worker.order
            attempt = Attempt(order.parameters["question"], order.time_limit)
            self.attempts[name] = attempt
        holder = self._holder(attempt)
        surely_held = holder is not None and holder.is_on and holder not in self.hanging
        if worker.state == "computing":
            assert not attempt.outcome
            assert not attempt.stopped
            assert not surely_held
            assert worker.order.fresh or attempt.question not in self.answered
            attempt.leases.append(worker)
        elif worker.state == "waiting":
            assert not attempt.outcome
            assert not attempt.stopped
            assert holder is not None
        else:
            assert worker.error is None
            outcome = self.ledger.outcome(name)
            if attempt.outcome:
                return
            if outcome is None:
                assert holder is not None
                assert holder.order.cluster != worker.order.cluster
                return
            if attempt.stopped:
                assert outcome.event == "stopped"
            elif outcome.event == "failed":
                assert len(attempt.leases) >= MOST_DEATHS
            else:
                assert outcome.event == "finished"
                assert attempt.question in self.answered
            self._end(name, outcome.event)

    def _published(self, worker: HandWorker, event: str, *, cut: bool = False) -> None:
        assert worker.state == "ended"
        assert worker.error is None
        if event == "finished" and not cut:
            self.answered.add(worker.order.parameters["question"])
        self._end(worker.order.attempt, event, cut=cut)

    def _end(self, name: str, event: str, *, cut: bool = False) -> None:
        attempt = self.attempts.get(name)
        if attempt is None or attempt.outcome:
            return
        attempt.outcome = event
        for job in self.jobs.values():
            if job.attempt is attempt and not job.ended:
                if event == "stopped" and job.cancelling:
                    self._end_job(job, "cancelled")
                elif event != "stopped":
                    job.cut = cut
                    self._end_job(job, event)

    def _end_job(self, job: Job, ended: str) -> None:
        job.ended, job.ended_at, job.cancelling = ended, self.hands.clock.now, False

    def _allowed(self, job: Job) -> set[str]:
        """States that a job may be in, for whoever has just looked."""
        if job.ended:
            return {job.ended}
        assert job.attempt is not None
        holder = self._holder(job.attempt)
        surely_held = holder is not None and holder.is_on and holder not in self.hanging
        if job.cancelling:
            return {"cancelling"} if surely_held else {"cancelling", "cancelled"}
        if holder is None:
            return {"queued"}
        return {"running"} if surely_held else {"running", "queued"}

    def _gone(self, queue: sq.JobQueue) -> list[Job]:
        left = {snapshot.id for snapshot in queue.jobs()}
        return [job for job in self.jobs.values() if job.id not in left]

    def _note_swept(self, queue: sq.JobQueue) -> list[Job]:
        """Jobs that ended long ago went, and what nobody needs."""
        gone = self._gone(queue)
        for job in gone:
            assert self._allowed(job) & ENDED
            assert not job.ended or self.hands.clock.now - job.ended_at > KEPT
            del self.jobs[job.id]
        present = set(self.ledger.ended_attempts())
        needed = {id(job.attempt) for job in self.jobs.values()}
        for name in {name.removeprefix("outcomes/") for name in self.outcomes} - present:
            del self.outcomes[f"outcomes/{name}"]
            attempt = self.attempts.pop(name, None)
            assert id(attempt) not in needed
        self.answered = {
            job.question for job in self.jobs.values() if job.question in self.answered
        } | {
            question
            for question in self.answered
            if any(
                self.ledger.has_answer(worker.order.run)
                for worker in self.hands.workers
                if worker.order.parameters["question"] == question
            )
        }
        return gone

    def _agree(self, queue: sq.JobQueue) -> None:
        """A queue that has looked sees all jobs as they are."""
        queue.refresh()
        seen = {snapshot.id: snapshot for snapshot in queue.jobs()}
        assert seen.keys() == self.jobs.keys()
        for job_id, job in self.jobs.items():
            snapshot = seen[job_id]
            assert snapshot.state in self._allowed(job), (snapshot, job)
            if job.cancelling and snapshot.state == "cancelled":
                # What has ended stays so.
                self._end_job(job, "cancelled")
            if snapshot.state == "finished":
                wanted = best_of(job.question) if job.cut else answer_to(job.question)
                assert queue.load(snapshot) == wanted
                assert bool(snapshot.cut_short) == job.cut
            if snapshot.state == "failed":
                assert snapshot.error is not None
                assert snapshot.error.message
        assert sum(queue.count().values()) == len(self.jobs)


def test_histories() -> None:
    """In every history each job is in the one state that it should be in, and ends rightly."""
    examples = int(os.environ.get("SPINEQ_HISTORIES", "0")) or 150
    run_state_machine_as_test(
        Histories,
        settings=settings(max_examples=examples, stateful_step_count=40),
    )


def test_a_job_that_left_a_shared_run_does_not_end_with_it() -> None:
    """Also where a queue hears of the run's end before it looks at who left."""
    history = Histories()
    history.open_two_queues(few=0)
    words = {"question": 1, "limit": None, "priority": 0, "reuse": True, "expires_in": None}
    history.submit(which=0, **words)
    history.submit(which=0, **words)
    history.look(which=1)
    history.take(pick=0)
    history.cancel(which=0, pick=0)
    history.finish(pick=0)
    history.hear(which=1)
    history.look(which=1)
    history.teardown()

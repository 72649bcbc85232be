"""The task `scenario`, and a network tried by a queue's workers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

import spineq as sq
from spineq.errors import (
    ClusterError,
    DataError,
    JobError,
    MissingColumnError,
    ProblemError,
    QueueFullError,
)
from spineq.insight import scenario_jobs
from spineq.insight.changes import Scenario
from spineq.insight.scenario_jobs import job_words, solve_here
from spineq.insight.trial_plan import planned
from spineq.jobs.scenario_task import TASK
from spineq.jobs.tasks import check_asked, run_digest
from spineq.progress import RecordingProgress, Report, SilentProgress, Watcher

GROUPS = {"older": sq.Group(ages=(66, 90)), "jobs": sq.Group(column="workers")}

#: Longest time until something happens, seconds: the two cores may be busy with other tests.
PATIENCE = 45.0


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=40)


@pytest.fixture(scope="module")
def net(city: sq.City) -> sq.Network:
    return sq.optimise(city, n_sensors=3, theta=500, groups=GROUPS)


@pytest.fixture
def words(net: sq.Network) -> dict[str, Any]:
    plan = planned(net.problem, net.placement_history, 4, True, 0.2)
    other = sq.Problem(n_sensors=3, theta=450, groups=net.problem.groups)
    return job_words(plan, [Scenario(3, net.problem), Scenario(4, other)])


# ---------------------------------------------------------------------------- the task


def test_parameters_come_in_one_form(city: sq.City, words: dict[str, Any]) -> None:
    """The order of sensors, titles, and a seed without draws make no other question; checked
    twice they are the same.
    """
    asked = check_asked(TASK, city, words)
    assert check_asked(TASK, city, json.loads(json.dumps(asked.parameters))) == asked
    assert TASK.version_of(asked.parameters) == asked.version == "branch_bound-1-1"
    run = run_digest(TASK, asked, "c")
    titled = tuple((name, sq.Group(g.ages, g.column, title="T")) for name, g in GROUPS.items())
    same = {
        **words,
        "sensors": words["sensors"][::-1],
        "problem": sq.Problem(n_sensors=3, groups=titled).to_dict(),
    }
    assert run_digest(TASK, check_asked(TASK, city, same), "c") == run
    for other in (
        {"seed": 5},
        {"poisson": False},
        {"people_error": 0.1},
        {"people_error": "workers"},
        {"sensors": words["sensors"][:2]},
        {"scenarios": words["scenarios"][:1]},
        {"scenarios": [{"number": 3}, {"number": 4, "theta": 451}]},
    ):
        if other == {"people_error": "workers"}:
            with pytest.raises(ProblemError, match="is above 1"):
                check_asked(TASK, city, {**words, **other})
            continue
        assert run_digest(TASK, check_asked(TASK, city, {**words, **other}), "c") != run
    certain = {**words, "poisson": False, "people_error": 0.0}
    assert len({
        run_digest(TASK, check_asked(TASK, city, {**certain, "seed": seed}), "c")
        for seed in (0, 1)
    }) == 1  # fmt: skip
    # Nothing big: the city is not among them.
    assert len(json.dumps(asked.parameters)) < 1000


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"budget": 3}, "budget"),
        ({"scenarios": []}, "scenarios"),
        ({"scenarios": None}, "scenarios"),
        ({"scenarios": [{}]}, "scenarios"),
        ({"scenarios": [{"number": -1}]}, "scenarios"),
        ({"scenarios": [{"number": 1, "n_sensors": 2}]}, "scenarios"),
        ({"sensors": []}, "sensors"),
        ({"sensors": ["nowhere"]}, "sensors"),
        ({"sensors": [[1, "x"]]}, "sensors"),
        ({"problem": 7}, "problem"),
        ({"problem": {"n_sensors": 99}}, "n_sensors"),
        ({"seed": -1}, "seed"),
        ({"people_error": 2}, "people_error"),
    ],
)
def test_what_is_bad_is_refused(
    city: sq.City, words: dict[str, Any], wrong: dict[str, Any], field: str
) -> None:
    """Before anything is written, by name."""
    with pytest.raises(ProblemError) as refusal:
        check_asked(TASK, city, {**words, **wrong})
    assert refusal.value.field == field
    homes = {"homes": {"column": "homes"}}
    with pytest.raises(DataError, match="homes"):
        check_asked(TASK, city, {**words, "scenarios": [{"number": 1, "groups": homes}]})


def test_the_answer_is_the_library_s(city: sq.City, words: dict[str, Any], net: sq.Network) -> None:
    """The function takes the checked parameters; bytes bring it back; a stop is partial."""
    parameters = check_asked(TASK, city, words).parameters
    made = TASK.function(city, SilentProgress(), **parameters)
    plan = planned(net.problem, net.placement_history, 4, True, 0.2)
    other = sq.Problem(n_sensors=3, theta=450, groups=net.problem.groups)
    scenarios = [Scenario(3, net.problem), Scenario(4, other)]
    assert made == solve_here(city, plan, scenarios, SilentProgress())
    data = TASK.dump(made)
    assert TASK.load(data) == made
    assert len(data) < 1000
    assert TASK.is_partial is not None
    assert not TASK.is_partial(made)
    cut = TASK.function(city, RecordingProgress(stop_after=1), **parameters)
    assert TASK.is_partial(cut)
    assert TASK.load(TASK.dump(cut)) == cut
    for damaged in (b"[]", b"{}", b"x", b'{"answers": [{}], "stopped": false}'):
        with pytest.raises(ValueError, match=r".+"):
            TASK.load(damaged)


# ---------------------------------------------------------------------------- a queue


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Client of a cluster of two workers."""
    with sq.connect(n_workers=2, set_as_default=False) as client:
        yield client


@pytest.fixture
def queue(client: Client, tmp_path: Path) -> Iterator[sq.JobQueue]:
    with sq.JobQueue(client, store=tmp_path / "store", user="ann") as queue:
        yield queue


@pytest.fixture
def _two_to_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two scenarios to a job, so that small cities have many jobs."""
    monkeypatch.setattr(scenario_jobs, "_TOGETHER", 2)


def _figures(found: sq.Stability) -> dict[str, Any]:
    return {**found.to_dict(), "seconds": 0.0}


class _StopAt(Watcher):
    """Asks to stop from a share on, and notes when that was."""

    def __init__(self, share: float) -> None:
        self.share, self.at, self.fractions = share, 0.0, list[float]()

    def hear(self, report: Report) -> bool:
        self.fractions.append(report.fraction)
        if report.fraction < self.share:
            return False
        self.at = self.at or time.time()
        return True


@pytest.mark.cluster
@pytest.mark.usefixtures("_two_to_a_job")
def test_the_same_as_here_and_never_twice(
    city: sq.City, net: sq.Network, queue: sq.JobQueue
) -> None:
    """Answers do not depend on who finds them; asked again, nothing is submitted."""
    ways: dict[str, Any] = {"people_error": 0.3, "theta": (300, 900), "scenarios": [{}, {
        "weights": {"jobs": 4}}], "seed": 7}  # fmt: skip
    watcher = RecordingProgress()
    found = sq.stability(city, net, n_scenarios=12, queue=queue, progress=watcher, **ways)
    here = sq.stability(city, net, n_scenarios=12, **ways)
    assert _figures(found) == _figures(here)
    jobs = queue.jobs(tag="stability")
    assert len(jobs) == 6
    assert {job.task for job in jobs} == {"scenario"}
    assert {job.city for job in jobs} == {city.digest}
    assert sorted(job.note for job in jobs)[0] == "scenarios 0 to 1"
    shares = [report.fraction for report in watcher.reports]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    again = sq.stability(city, net, n_scenarios=12, queue=queue, **ways)
    assert again.to_dict() == found.to_dict()
    assert len(queue.jobs(tag="stability")) == 6
    # More of it: only what is new.
    more = sq.stability(city, net, n_scenarios=16, queue=queue, **ways)
    assert len(queue.jobs(tag="stability")) == 8
    assert more.scenarios.iloc[:12].equals(found.scenarios)


@pytest.mark.cluster
@pytest.mark.slow
def test_a_stop_withdraws_and_a_second_call_goes_on(queue: sq.JobQueue) -> None:
    """Jobs end soon after the stop; what had finished is not computed again."""
    city = sq.demo_city("synthetic", n_areas=1200)
    net = sq.optimise(city, n_sensors=40, theta=500, method="exchange")
    ways: dict[str, Any] = {"n_scenarios": 18, "people_error": 0.2, "queue": queue}
    watcher = _StopAt(0.1)
    cut = sq.stability(city, net, progress=watcher, **ways)
    assert cut.stopped
    assert 0 < cut.n_scenarios < 18
    assert cut.n_scenarios % 2 == 0
    queue.wait(timeout=PATIENCE)
    jobs = queue.jobs(tag="stability")
    withdrawn = [job for job in jobs if job.state == "cancelled"]
    assert withdrawn
    late = max(job.ended - watcher.at for job in withdrawn if job.ended is not None)
    print(f"the last job ended {1000 * late:.0f} ms after the stop")
    assert late < 2.0  # 0.25 s on a machine that is not busy
    finished = [job for job in jobs if job.state == "finished"]
    whole = sq.stability(city, net, **ways)
    assert not whole.stopped
    later = [job for job in queue.jobs(tag="stability") if job.id not in {j.id for j in jobs}]
    assert len(finished) + len(later) == 9
    assert whole.scenarios.loc[cut.scenarios.index].equals(cut.scenarios)
    del ways["queue"]
    assert _figures(sq.stability(city, net, **ways)) == _figures(whole)


@pytest.mark.cluster
@pytest.mark.usefixtures("_two_to_a_job")
def test_a_queue_that_takes_few_jobs(
    city: sq.City, net: sq.Network, client: Client, tmp_path: Path
) -> None:
    """They wait for each other; one that takes none says so."""
    with sq.JobQueue(client, store=tmp_path / "store", max_waiting=1) as queue:
        found = sq.stability(city, net, n_scenarios=8, queue=queue)
        assert found.n_scenarios == 8
    with (
        sq.JobQueue(client, store=tmp_path / "other", max_waiting=0) as queue,
        pytest.raises(QueueFullError),
    ):
        sq.stability(city, net, n_scenarios=8, queue=queue)


class _Meddle(Watcher):
    """Does something to the queue's jobs when the first are there."""

    def __init__(self, queue: sq.JobQueue, what: str) -> None:
        self.queue, self.what = queue, what

    def hear(self, report: Report) -> bool:
        if self.queue.ids():
            if self.what == "close":
                self.queue.close()
            else:
                getattr(self.queue, self.what)(*self.queue.ids())
        return False


@pytest.mark.usefixtures("_two_to_a_job")
@pytest.mark.parametrize(
    ("what", "error"), [("close", ClusterError), ("delete", JobError), ("cancel", JobError)]
)
def test_what_somebody_does_to_the_jobs_is_told(
    what: str, error: type[Exception], city: sq.City, net: sq.Network, tmp_path: Path
) -> None:
    """A queue that nobody serves; its jobs are deleted, cancelled, or it is closed."""
    with sq.JobQueue(store=tmp_path / "store", connect=False) as queue:
        with pytest.raises(error):
            sq.stability(city, net, n_scenarios=8, queue=queue, progress=_Meddle(queue, what))
        if what != "close":
            assert not queue.jobs(state="queued")


def test_a_queue_that_nobody_serves_says_so(city: sq.City, net: sq.Network, tmp_path: Path) -> None:
    """The words do, and a stop leaves no job that waits."""
    with sq.JobQueue(store=tmp_path / "store", connect=False) as queue:
        watcher = RecordingProgress(stop_after=5)
        found = sq.stability(city, net, n_scenarios=8, queue=queue, progress=watcher)
        assert found.n_scenarios == 0
        assert found.stopped
        assert "nobody works at the store" in watcher.reports[-1].message
        assert not queue.jobs(state="queued")
        with pytest.raises(MissingColumnError, match="no column"):
            sq.stability(city, net, queue=queue, people_error="doubt")


@pytest.mark.cluster
def test_a_damaged_answer_is_found_once_more(
    city: sq.City, net: sq.Network, queue: sq.JobQueue
) -> None:
    """What the store has lost is computed again."""
    found = sq.stability(city, net, n_scenarios=4, queue=queue)
    (job,) = queue.jobs(tag="stability")
    queue.keeper.ledger.put_answer(job.answer, b"{}", anew=True)
    again = sq.stability(city, net, n_scenarios=4, queue=queue)
    assert _figures(again) == _figures(found)

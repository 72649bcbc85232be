"""Users take turns within a priority, and nobody overtakes what has started."""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from spineq.jobs.fairness import StartTags


class Line:
    """Jobs that wait and are served by their tags, as Dask does it."""

    def __init__(self) -> None:
        self.tags = StartTags()
        self.waiting: list[tuple[int, float, int]] = []
        self.open: set[str] = set()
        self.users: dict[int, str] = {}

    def submit(self, user: str, priority: int = 0) -> int:
        """Add a job, and return its number."""
        number = len(self.users)
        tag = self.tags.next(priority, user, lambda job, tag: job in self.open)
        self.tags.note(priority, user, tag)
        self.tags.wait(priority, tag, str(number))
        self.users[number] = user
        self.open.add(str(number))
        self.waiting.append((-priority, tag, number))
        return number

    def serve(self) -> int:
        """Take the next job and finish it."""
        first = min(self.waiting)
        self.waiting.remove(first)
        self.open.discard(str(first[2]))
        return first[2]

    def serve_all(self) -> list[int]:
        """Serve until nobody waits."""
        return [self.serve() for _ in range(len(self.waiting))]


USERS = st.sampled_from(["ann", "bob", "cyd"])
#: A user who submits, or None when a job is served.
EVENTS = st.lists(st.none() | USERS, max_size=60)


@given(EVENTS)
def test_a_user_is_served_first_come_first_served(events: list[str | None]) -> None:
    """Whatever the others do meanwhile."""
    line, served = Line(), list[int]()
    for user in events:
        if user is not None:
            line.submit(user)
        elif line.waiting:
            served.append(line.serve())
    served += line.serve_all()
    by_user = defaultdict(list)
    for number in served:
        by_user[line.users[number]].append(number)
    assert all(numbers == sorted(numbers) for numbers in by_user.values())
    assert len(served) == len(line.users)


@given(st.permutations(["ann"] * 100 + ["bob"] * 100))
def test_two_users_interleave_whatever_the_order_of_submission(order: list[str]) -> None:
    """After each job that is served, they have had equally many, or one more."""
    line = Line()
    for user in order:
        line.submit(user)
    _take_turns(line)


def test_two_users_who_come_one_after_the_other_interleave() -> None:
    """The second does not wait for the hundred jobs of the first."""
    line = Line()
    for user in ["ann"] * 100 + ["bob"] * 100:
        line.submit(user)
    _take_turns(line)


def _take_turns(line: Line) -> None:
    served: Counter[str] = Counter()
    for _ in range(200):
        served[line.users[line.serve()]] += 1
        assert abs(served["ann"] - served["bob"]) <= 1


@given(st.integers(0, 40), st.integers(1, 40))
def test_who_comes_late_takes_turns_from_then_on(before: int, late: int) -> None:
    """No arrears are paid: of what is served from then on, each has the half."""
    line = Line()
    for _ in range(80):
        line.submit("ann")
    for _ in range(before):
        line.serve()
    for _ in range(late):
        line.submit("bob")
    served: Counter[str] = Counter()
    while served["bob"] < late and served["ann"] < 80 - before:
        served[line.users[line.serve()]] += 1
        assert abs(served["ann"] - served["bob"]) <= 1


@given(EVENTS, USERS)
def test_a_new_job_does_not_overtake_what_was_started(events: list[str | None], user: str) -> None:
    """Its tag is none before that of any job that is still open."""
    line = Line()
    for each in events:
        if each is not None:
            line.submit(each)
        elif line.waiting:
            line.serve()
    first = min(line.waiting, default=(0, 0.0, 0))[1]
    line.submit(user)
    assert line.waiting[-1][1] >= first


@given(st.lists(st.tuples(USERS, st.sampled_from([-5, 0, 7])), max_size=40))
def test_priorities_do_not_know_of_each_other(jobs: list[tuple[str, int]]) -> None:
    """The higher one goes first, and each is served as if the others were not there."""
    line = Line()
    priority = {line.submit(user, each): each for user, each in jobs}
    served = line.serve_all()
    assert [priority[number] for number in served] == sorted(priority.values(), reverse=True)
    for each in set(priority.values()):
        alone = Line()
        numbers = {alone.submit(user): k for k, (user, p) in enumerate(jobs) if p == each}
        expected = [numbers[number] for number in alone.serve_all()]
        assert [number for number in served if priority[number] == each] == expected

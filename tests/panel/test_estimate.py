"""How long a run may take, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

import spineq as sq
from spineq.panel.estimate import words_for

CITY = sq.demo_city()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "about a second."),
        ({"effort": 60}, "about a minute."),
        ({"objective": "worst", "min_spacing": 100}, "about 10 seconds."),
        ({"keep": ["001"]}, "about 5 seconds."),
        ({"effort": 1e5}, "about 27.8 hours. Less effort"),
    ],
)
def test_without_runs_before_it_goes_by_the_size(asked: dict[str, object], words: str) -> None:
    """And by what makes a question harder."""
    assert words in words_for(CITY, sq.Problem.from_words(n_sensors=5, **asked), None)


def test_runs_like_it_are_scaled_by_their_effort(tmp_path: Path) -> None:
    """Twice the effort takes twice as long; one with other rules is none like it."""
    with sq.JobQueue(store=tmp_path / "store", n_workers=1) as queue:
        job = queue.submit(CITY, n_sensors=5)
        job.result(timeout=60)
        taken = job.snapshot()
        assert taken.ended is not None
        assert taken.started is not None
        took = taken.ended - taken.started
        problem = sq.Problem(n_sensors=5, effort=3960 / took)
        said = words_for(CITY, problem, queue)
        assert "about 1.1 hours, as one run like it did." in said
        kept = sq.Problem(n_sensors=5, keep=("001",))
        assert "like it" not in words_for(CITY, kept, queue)

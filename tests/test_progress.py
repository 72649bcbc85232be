"""The progress protocol and the watchers that come with it."""

from __future__ import annotations

import io
import pickle

import pytest

from spineq.errors import ProblemError
from spineq.progress import (
    Progress,
    RecordingProgress,
    Report,
    SilentProgress,
    SpanProgress,
    TextProgress,
    Watcher,
    watcher_of,
)


class Listening(Watcher):
    """The last report that it heard."""

    last: Report | None = None

    def hear(self, report: Report) -> bool:
        self.last = report
        return False


WATCHERS = [
    Listening(),
    SilentProgress(),
    RecordingProgress(),
    SpanProgress(SilentProgress(), 0.0, 1.0),
    TextProgress(),
]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("watcher", WATCHERS, ids=lambda watcher: type(watcher).__name__)
def test_a_watcher_follows_the_protocol_and_travels(watcher: Progress) -> None:
    """Each answers False to a report, here and on the far side of pickle."""
    for one in (watcher, pickle.loads(pickle.dumps(watcher))):
        assert isinstance(one, Progress)
        assert one.report(0.5) is False
        assert one.report(1.0, "done", value=0.3, bound=0.4) is False


def test_a_watcher_of_few_lines_hears_whole_reports() -> None:
    """What is not said of a report is at its default."""
    watcher = Listening()
    watcher.report(0.25)
    assert watcher.last == Report(0.25, "", None, None)
    watcher.report(0.5, "half", value=0.1, bound=0.2)
    assert watcher.last == Report(0.5, "half", 0.1, 0.2)


def test_a_watcher_is_taken_as_it_is_and_none_is_silent() -> None:
    """Whatever has the method, also where it is false."""

    class Empty(RecordingProgress):
        def __len__(self) -> int:
            return 0

    empty = Empty()
    assert watcher_of(empty) is empty
    assert isinstance(watcher_of(None), SilentProgress)


@pytest.mark.parametrize("given", [1, 0, "", [], False, SilentProgress], ids=repr)
def test_what_is_no_watcher_is_refused(given: object) -> None:
    """Also what is false, and a class in place of its instance."""
    with pytest.raises(ProblemError, match="is not a watcher") as caught:
        watcher_of(given)
    assert caught.value.field == "progress"


def test_recording_keeps_reports_in_order() -> None:
    """What was said can be read afterwards."""
    watcher = RecordingProgress()
    watcher.report(0.1, "first")
    watcher.report(0.9, "second", 0.25, 0.5)
    assert watcher.reports == [Report(0.1, "first"), Report(0.9, "second", 0.25, 0.5)]


@pytest.mark.parametrize("stop_after", [1, 3])
def test_recording_asks_for_a_stop_when_told_to(stop_after: int) -> None:
    """The answer is True from the given report on, and stays so."""
    watcher = RecordingProgress(stop_after=stop_after)
    answers = [watcher.report(0.0) for _ in range(5)]
    assert answers == [k >= stop_after for k in range(1, 6)]


def test_a_span_scales_fractions_and_passes_the_rest_on() -> None:
    """A part's 0 to 1 becomes its share of the whole; a stop comes back."""
    whole = RecordingProgress(stop_after=2)
    part = SpanProgress(whole, 0.4, 0.8)
    assert part.report(0.0, "a", 0.1, 0.2) is False
    assert part.report(1.0, "b") is True
    assert [report.fraction for report in whole.reports] == [0.4, pytest.approx(0.8)]
    assert whole.reports[0] == Report(0.4, "a", 0.1, 0.2)


def test_text_draws_on_a_terminal_and_takes_the_bar_down() -> None:
    """Message and value are shown as they are, square brackets too."""
    stream = _Terminal()
    with TextProgress(stream) as watcher:
        assert watcher.report(0.5, "site [/x] of [bold]", value=0.25) is False
    text = stream.getvalue()
    assert "site [/x] of [bold], coverage 25.0%" in text
    # The cursor is hidden while the bar is there, and shown again.
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l") >= 0


def test_text_takes_the_bar_down_when_something_fails() -> None:
    """After an exception the terminal has its cursor back, and reports draw nothing."""
    stream = _Terminal()
    with pytest.raises(ZeroDivisionError), TextProgress(stream) as watcher:
        raise ZeroDivisionError
    before = stream.getvalue()
    assert before.rfind("\x1b[?25h") > before.rfind("\x1b[?25l")
    watcher.report(1.0, "late")
    assert stream.getvalue() == before


def test_text_is_silent_where_there_is_no_terminal() -> None:
    """A file that standard error goes to stays empty."""
    stream = io.StringIO()
    with TextProgress(stream) as watcher:
        watcher.report(0.5, "half")
    assert stream.getvalue().strip() == ""


def test_text_without_a_message_shows_the_value_alone() -> None:
    """No comma stands before nothing."""
    stream = _Terminal()
    with TextProgress(stream) as watcher:
        watcher.report(0.5, value=0.5)
    assert ", coverage" not in stream.getvalue()
    assert "coverage 50.0%" in stream.getvalue()


def test_a_part_can_keep_its_figures_back() -> None:
    """Where a part's figures are of something else, only its share and other words go on."""
    whole = RecordingProgress(stop_after=1)
    part = SpanProgress(whole, 0.5, 1.0, "bounding")
    assert part.report(0.5, "placing", 0.3, 0.4) is True
    assert whole.reports == [Report(0.75, "bounding", None, None)]

"""Updates come at a pace, and the last one always."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import pytest

from spineq.panel.ticker import PACE, Ticker


@pytest.fixture
def ticker() -> Iterator[Ticker]:
    """A ticker that ends with the test."""
    made = Ticker()
    yield made
    made.close()


def _wait(condition: object, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)


def test_many_wishes_are_few_updates_and_the_last_counts(ticker: Ticker) -> None:
    """Two hundred changes in half a second are drawn a few times, the last one included."""
    drawn, now = [], [0]

    def update() -> None:
        drawn.append(now[0])

    for k in range(200):
        now[0] = k
        ticker.ask(update)
        time.sleep(0.0025)
    _wait(lambda: drawn and drawn[-1] == 199)
    assert len(drawn) <= 15


def test_the_first_wish_is_met_at_once(ticker: Ticker) -> None:
    """A view that was quiet does not wait for the pace."""
    done = threading.Event()
    began = time.monotonic()
    ticker.ask(done.set)
    assert done.wait(5)
    assert time.monotonic() - began < PACE


def test_asking_again_begins_the_wait_anew(ticker: Ticker) -> None:
    """What waits for quiet runs once, after the last wish."""
    times: list[float] = []

    def update() -> None:
        times.append(time.monotonic())

    for _ in range(5):
        ticker.ask(update, after=0.2)
        last = time.monotonic()
        time.sleep(0.05)
    _wait(lambda: times)
    assert times[0] - last >= 0.19
    time.sleep(0.3)
    assert len(times) == 1


def test_a_clock_goes_on_until_it_is_forgotten(ticker: Ticker) -> None:
    """`every` runs again and again."""
    runs = []

    def update() -> None:
        runs.append(1)

    ticker.every(0.02, update)
    _wait(lambda: len(runs) >= 3)
    ticker.forget(update)
    time.sleep(0.05)
    so_far = len(runs)
    time.sleep(0.2)
    assert len(runs) == so_far


def test_a_rest_keeps_what_was_asked_for(ticker: Ticker) -> None:
    """While nobody looks nothing runs; afterwards the last wish does."""
    done = threading.Event()
    ticker.pause()
    ticker.ask(done.set)
    assert not done.wait(0.3)
    assert not ticker.is_running
    ticker.go_on()
    assert done.wait(5)


def test_closing_ends_the_thread() -> None:
    """No thread is left, and nothing runs any more."""
    ticker = Ticker()
    done = threading.Event()
    ticker.close()
    ticker.ask(done.set)
    assert not done.wait(0.2)
    assert not ticker._thread.is_alive()


def test_a_ticker_that_nobody_holds_ends() -> None:
    """A panel that was forgotten leaves no thread behind."""
    ticker = Ticker()
    thread = ticker._thread
    del ticker
    gc.collect()
    thread.join(5)
    assert not thread.is_alive()


def test_an_update_that_fails_does_not_end_the_others(
    ticker: Ticker, caplog: pytest.LogCaptureFixture
) -> None:
    """It is in the log, and the next one runs."""
    done = threading.Event()

    def fail() -> None:
        raise ValueError("no")

    ticker.ask(fail)
    _wait(lambda: "an update of the panel failed" in caplog.text)
    ticker.ask(done.set)
    assert done.wait(5)

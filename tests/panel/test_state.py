"""The state: what went wrong becomes words, networks are remembered, everything stops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import spineq as sq
from spineq.errors import ProblemError
from spineq.panel.state import MOST_NETWORKS, PanelState


@pytest.fixture
def state() -> Iterator[PanelState]:
    """A state of the demo city."""
    made = PanelState(sq.demo_city())
    yield made
    made.close()


def test_an_error_of_ours_is_told_in_its_own_words(state: PanelState) -> None:
    """The sentence with its mend, and no traceback."""
    with state.guard():
        raise ProblemError("the theta is a fish", field="theta", mend="Give metres")
    assert state.error == "field theta: the theta is a fish. Give metres."
    assert state.error_details == ""


def test_an_error_of_others_comes_with_details(state: PanelState) -> None:
    """The line is plain; the traceback is in the fold."""

    @state.guarded
    def fail() -> None:
        [][1]

    fail()
    assert "IndexError" in state.error
    assert "test_state.py" in state.error_details
    state.forgive()
    assert state.error == state.error_details == ""


def test_networks_are_remembered_by_name_the_oldest_go(state: PanelState) -> None:
    """For comparing; a panel that is used all day does not grow."""
    net = sq.evaluate(state.city, ["001"], theta=500)
    for k in range(MOST_NETWORKS + 5):
        state.show(net, f"network {k}")
    assert len(state.networks) == MOST_NETWORKS
    assert "network 0" not in state.networks
    assert state.network_name == f"network {MOST_NETWORKS + 4}"
    state.show(net, "preview", remember=False)
    assert "preview" not in state.networks


def test_a_network_and_its_name_change_together(state: PanelState) -> None:
    """Whoever hears of the network finds its own name beside it."""
    names = []
    state.observe(lambda _: names.append(state.network_name), "network")
    state.show(sq.evaluate(state.city, ["001"], theta=500), "mine")
    assert names == ["mine"]


def test_another_city_takes_what_belonged_to_the_first_away(state: PanelState) -> None:
    """No network of San Francisco is shown on another city."""
    state.show(sq.evaluate(state.city, ["001"], theta=500), "mine")
    other = sq.demo_city("synthetic", n_areas=60)
    seen = []
    state.observe(lambda _: seen.append(state.network), "city")
    state.open_city(other)
    assert seen == [None]
    assert state.city is other
    assert state.networks == {}
    assert state.network_name == ""


def test_closing_runs_what_was_to_be_done_and_stops_the_ticker(state: PanelState) -> None:
    """Also where one of the closers fails."""
    done = []
    state.at_close(lambda: done.append(1))
    state.at_close(lambda: 1 / 0)
    state.close()
    assert done == [1]
    assert not state.ticker.is_running

"""The books of the rules, and the search for what regions lack."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from solvers.instances import allowed_networks, apart_of, objectives, rules_for

from spineq.solvers.room import Room
from spineq.solvers.rules import Regions, Rules


@given(data=st.data())
def test_room_is_what_the_rules_say(data: st.DataObject) -> None:
    """After any opening and closing the books are those made anew, and no is said rightly."""
    objective = data.draw(objectives(max_sites=7))
    rules = data.draw(rules_for(objective))
    usable = objective.usable_sites
    room = Room(rules, usable)
    opened: list[int] = []
    for _ in range(data.draw(st.integers(0, 6))):
        if opened and data.draw(st.booleans()):
            room.close(opened.pop(data.draw(st.integers(0, len(opened) - 1))))
            continue
        able = [site for site in range(objective.n_sites) if room.may_open(site)]
        if able:
            opened.append(data.draw(st.sampled_from(able)))
            room.open(opened[-1])
    fresh = Room(rules, usable, np.array(opened, dtype=np.int64))
    for name, array in room.books._asdict().items():
        if name != "money":
            np.testing.assert_array_equal(array, getattr(fresh.books, name), err_msg=name)
    np.testing.assert_allclose(room.books.money, fresh.books.money, atol=1e-12)
    networks = [set(sites.tolist()) for sites in allowed_networks(objective, rules)]
    reachable = any(set(opened) <= network for network in networks)
    for site in range(objective.n_sites):
        there = site not in opened and any({*opened, site} <= network for network in networks)
        if there:
            assert room.may_open(site)
        elif reachable and rules.apart is None:
            assert not room.may_open(site)


@given(data=st.data())
def test_lacking_sites_are_found_wherever_there_are_some(data: st.DataObject) -> None:
    """The search for what regions lack finds it if it is there, and the books are right."""
    objective = data.draw(objectives(max_sites=8))
    rules = data.draw(rules_for(objective, {"regions", "spacing"}))
    room = Room(rules, objective.usable_sites)
    found = room.fill_lacking(lambda: False)
    if found is None:
        assert not allowed_networks(objective, rules)
        again = Room(rules, objective.usable_sites)
    else:
        assert rules.broken_by(np.array(found, dtype=np.int64)) == ""
        again = Room(rules, objective.usable_sites, np.array(found, dtype=np.int64))
    for name, array in room.books._asdict().items():
        np.testing.assert_array_equal(array, getattr(again.books, name), err_msg=name)


def test_search_for_lacking_sites_gives_up() -> None:
    """With few tries, or when it is asked to stop, it comes back with nothing opened."""
    of = np.repeat(np.arange(6), 4)
    pairs = [(4 * r + a, 4 * q + b) for r in range(6) for q in range(r) for a in range(4)
             for b in range(4) if (a + b) % 4]  # fmt: skip
    rules = Rules(6, Regions(of, np.ones(6, int), np.ones(6, int)), apart=apart_of(pairs, 24))
    for stop, tries in ((lambda: False, 3), (lambda: True, 1_000)):
        room = Room(rules, np.ones(24, dtype=np.bool_))
        assert room.fill_lacking(stop, tries) is None
        assert not room.books.opened.any()
        assert room.books.usable.all()

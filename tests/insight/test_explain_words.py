"""What an explanation says of itself: sentences, table, JSON, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import spineq as sq
from spineq.errors import DataError, ProblemError, UnknownSensorError
from spineq.insight._explain_words import change, listed, people_words, share, share_down
from spineq.insight._explanation import Explanation, GroupFacts, SolvedAgain, Substitute
from spineq.insight.explain import explain
from spineq.progress import RecordingProgress


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=30, seed=3)


@pytest.fixture(scope="module")
def net(city: sq.City) -> sq.Network:
    return sq.optimise(city, n_sensors=4, theta=500, groups=sq.GROUPS)


@pytest.fixture(scope="module")
def made(city: sq.City, net: sq.Network) -> Explanation:
    return explain(city, net)


def test_people_near_by_and_coverage_of_the_own_area(
    city: sq.City, net: sq.Network, made: Explanation
) -> None:
    """People add up to those within the distance; the own area is covered in full."""
    data = city.dataset
    far = np.hypot(
        data["x"].to_numpy()[None] - net.sensors["x"].to_numpy()[:, None],
        data["y"].to_numpy()[None] - net.sensors["y"].to_numpy()[:, None],
    )
    within = far <= 500.0
    people = city.people(sq.GROUPS["pop_total"]).values
    for k, sensor in enumerate(made.sensors):
        only = within[k] & (within.sum(axis=0) == 1)
        assert sensor.people_near["pop_total"] == pytest.approx(people[within[k]].sum())
        assert sensor.people_only["pop_total"] == pytest.approx(people[only].sum())
        rest = sq.evaluate(
            city, [s for s in net.placement_history if s != sensor.site], theta=500, bound="none"
        )
        assert sensor.area_coverage == pytest.approx(1.0)
        without = float(rest.area_coverage.sel(area=sensor.area))
        assert sensor.area_coverage_without == pytest.approx(without, abs=1e-12)
    wide = explain(city, net, refuse=False, near=2000.0)
    assert wide.sensors[0].people_near["pop_total"] >= made.sensors[0].people_near["pop_total"]


def test_the_table_has_a_row_for_each_sensor(net: sq.Network, made: Explanation) -> None:
    table = made.table
    assert list(table["site"]) == net.placement_history
    assert list(table.index) == [1, 2, 3, 4]
    assert (table["replacement cost"] >= -1e-12).all()
    bounds = table["replacement cost at least"]
    assert bounds.to_numpy() == pytest.approx(table["replacement cost"].to_numpy(), abs=1e-10)
    assert table["proven"].all()


def test_json_and_back(city: sq.City, net: sq.Network, made: Explanation) -> None:
    """What is written is JSON's and says the same when it is read."""
    other = next(s for s in city.dataset["site"].to_numpy() if s not in net.placement_history)
    asked = explain(city, net, site=other, refuse=False)
    for each in (made, asked):
        back = Explanation.from_dict(json.loads(json.dumps(each.to_dict(), allow_nan=False)))
        assert back == each
        assert back.summary() == each.summary()
    assert asked.sentence(other) in asked.summary()
    broken = made.to_dict()
    del broken["sensors"]
    with pytest.raises(ProblemError, match="lacks 'sensors'"):
        Explanation.from_dict(broken)
    with pytest.raises(ProblemError, match="no field 'more'"):
        Explanation.from_dict(made.to_dict() | {"more": 1})


def test_it_is_the_same_each_time(city: sq.City, net: sq.Network, made: Explanation) -> None:
    assert explain(city, net) == made


def test_the_sentences(made: Explanation) -> None:
    """They name the sensor, its people, what is lost, and that it is proven."""
    for number in (1, 2, 3, 4):
        said = made.sentence(number)
        assert said.startswith(f"Sensor {number} at ")
        assert said == made.sentence(made.sensor(number).site)
        assert "within 500 m" in said
        assert "(proven)" in said
        assert "all residents" not in said
    assert made.summary().startswith("4 sensors in ")
    assert "All of this is proven." in made.summary()
    assert repr(made).endswith("proven>")


def test_the_sentence_word_for_word(made: Explanation) -> None:
    """Singular, plural, nobody, one and several sites."""
    first = made.sensors[0]
    zero = dict.fromkeys(first.people_near, 0.0)
    again = SolvedAgain(made.value * 0.9996, made.value * 0.9996, proven=True, comes=("A",))
    sensor = replace(
        first,
        site="S",
        people_near=zero | {"pop_total": 9.0},
        people_only=zero | {"pop_total": 3100.0, "pop_elderly": 620.0},
        area_coverage_without=0.5,
        loss=0.02 * made.value,
        n_tenth=4,
        n_half=4,
        substitutes=(Substitute("B", 0.0, 240.4),),
        replacement=replace(again, goes=("S",)),
    )
    only = replace(made, sensors=(sensor,))
    said = only.sentence("S")
    assert said == (
        "Sensor 1 at S brings 3,100 residents their only sensor within 500 m, 620 of them aged 66 "
        "or older. Its own area is covered 100.0 % with it and 50.0 % without it. "
        "With nothing in its place, the network covers 2.0 % less. If it may not stand there, the "
        "best network without it covers 0.04 % less (proven), with a sensor at A instead. "
        "Four other places would do almost as well, losing at most 0.1 %; the best is B, 240 m "
        "away."
    )
    nobody = replace(only, sensors=(replace(sensor, people_only=zero, people_near=zero),))
    assert nobody.sentence(1).startswith("Sensor 1 at S has nobody within 500 m. ")
    shared = replace(only, sensors=(replace(sensor, people_only=zero),))
    assert "brings nobody their only sensor within 500 m: 9 residents have it" in shared.sentence(1)
    one = replace(shared.sensors[0], people_near=zero | {"pop_total": 1.0})
    assert "1 resident has it and another" in replace(only, sensors=(one,)).sentence(1)
    open_ = replace(
        again, bound=made.value * 0.9999, proven=False, goes=("S", "T"), comes=("A", "B")
    )
    said = replace(only, sensors=(replace(sensor, replacement=open_),)).sentence(1)
    assert (
        "the best network found without it covers 0.04 % less, with sensors at A and B instead of "
        "it and the one at T; a better one may exist, but every network without it covers at "
        "least 0.01 % less, which is proven." in said
    )
    assert "(proven)" not in said
    alone = replace(sensor, replacement=SolvedAgain(None, None, proven=False))
    assert "No allowed network without it was found." in replace(only, sensors=(alone,)).sentence(1)
    assert not replace(only, sensors=(alone,)).proven


def test_numbers_in_words() -> None:
    group = GroupFacts("g", "Older people", (66, 90), None, estimated=True, judged=True)
    assert people_words(12345.0, group) == "about 12,300 residents aged 66 or older"
    assert people_words(1.0, replace(group, ages=(0, 90), estimated=False)) == "1 resident"
    workers = replace(group, ages=None, column="workers", estimated=False)
    assert people_words(2.4, workers) == "2 workers"
    assert people_words(3.0, replace(workers, column="beds", title="Beds")) == "3 of the group beds"
    assert people_words(3.0, replace(group, ages=(7, 7))) == "about 3 residents aged 7"
    assert people_words(3.0, replace(group, ages=(5, 9))) == "about 3 residents aged 5 to 9"
    assert listed(["A", "B", "C", "D"]) == "A, B, C and one other"
    assert share(1e-6) == "less than 0.01 %"
    assert share_down(0.00019) == "0.01 %"
    assert change("mean", 0.5, 0.5) == "covers as much"
    assert change("worst", 0.5, 0.51) == "covers its worst-off group 2.0 % more"


def test_as_many_sensors_as_sites() -> None:
    """Where every site has a sensor, to do without one is to have one fewer."""
    city = sq.demo_city("synthetic", n_areas=4, seed=1)
    made = explain(city, sq.optimise(city, n_sensors=4, theta=500))
    for sensor in made.sensors:
        assert made.cost(sensor) == pytest.approx(sensor.loss, abs=1e-12)
        assert sensor.n_half == 0
    one = sq.demo_city("synthetic", n_areas=1, seed=1)
    made = explain(one, sq.optimise(one, n_sensors=1, theta=500))
    assert "No allowed network can do without it (proven)." in made.sentence(1)
    assert "No allowed network can do without it (proven)." in made.summary()


def test_what_is_refused(city: sq.City, net: sq.Network, made: Explanation) -> None:
    with pytest.raises(ProblemError, match="'nowhere' is no site"):
        explain(city, net, site="nowhere")
    with pytest.raises(ProblemError, match="is chosen already: sensor 2 stands there"):
        explain(city, net, site=net.placement_history[1])
    with pytest.raises(DataError, match="the network was made for"):
        explain(sq.demo_city("synthetic", n_areas=30, seed=4), net)
    with pytest.raises(ProblemError, match="near"):
        explain(city, net, near=-1.0)
    with pytest.raises(ProblemError, match="network is needed"):
        explain(city, "net")  # type: ignore[arg-type]
    with pytest.raises(UnknownSensorError, match="number from 1 to 4"):
        made.sentence(5)
    for wrong in (True, 1.0, None, np.array([1, 2])):
        with pytest.raises(UnknownSensorError, match="has no sensor"):
            made.sentence(wrong)  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="refuse must be true or false"):
        explain(city, net, refuse="no")  # type: ignore[arg-type]


def test_a_poor_network_is_not_said_to_be_good(city: sq.City) -> None:
    """Places that do better do not lose, and what is more than nothing is no share of it."""
    ids = city.dataset["site"].to_numpy()
    each = [sq.evaluate(city, [site], theta=500) for site in ids]
    poor = min(each, key=lambda net: net.total_coverage)
    said = explain(city, poor, refuse=False).sentence(1)
    assert "other places would do better, or lose at most 0.1 %; the best is" in said
    assert "almost as well" not in said
    x, y = city.site_xy[0]
    nowhere = sq.evaluate(city, [(float(x) + 50_000.0, float(y))], theta=100, decay="step")
    made = explain(city, nowhere, site=str(ids[0]))
    assert made.place is not None
    more = f"{100 * made.place.adds:.1f} percentage points"
    assert f"it would add {more} to what is reached now" in made.summary()
    assert f"the network then covers {more} more" in made.summary()


def test_before_any_sensor_was_looked_at_none_is_counted(city: sq.City, net: sq.Network) -> None:
    for after in range(1, 12):
        part = explain(city, net, progress=RecordingProgress(stop_after=after))
        assert len(part.sensors) in (0, 4)
        assert "0 sensors" not in part.summary()


def test_one_person_is(city: sq.City, made: Explanation) -> None:
    """Also where it is about one, and a title has an "and"."""
    group = GroupFacts("g", "Men and women", None, "g", estimated=True, judged=True)
    near = {"g": 1.0}
    sensor = replace(made.sensors[0], people_near=near, people_only={"g": 0.0})
    said = replace(made, groups=(group,), sensors=(sensor,)).sentence(1)
    assert "about 1 of the group men and women has it and another within 500 m" in said


def test_effort_that_does_not_suffice_is_said(city: sq.City) -> None:
    """What is not proven is not called so."""
    words: dict[str, Any] = {"n_sensors": 6, "theta": 2000, "effort": 1e-9, "groups": sq.GROUPS}
    made = explain(city, sq.optimise(city, **words))
    open_ = [s for s in made.sensors if s.replacement and not s.replacement.proven]
    assert open_
    assert not made.proven
    assert "Not all of this is proven" in made.summary()
    for sensor in open_:
        assert "(proven)" not in made.sentence(sensor.site)
        assert "a better one may exist" in made.sentence(sensor.site)


def test_it_can_be_stopped_at_any_time(city: sq.City, net: sq.Network, made: Explanation) -> None:
    """What is found by then is what would be found."""
    watcher = RecordingProgress()
    explain(city, net, progress=watcher)
    shares = [report.fraction for report in watcher.reports]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    for after in range(1, len(shares), max(len(shares) // 25, 1)):
        part = explain(city, net, progress=RecordingProgress(stop_after=after))
        if not part.stopped:
            # Nothing was left to be done when it was asked.
            assert part == made
            continue
        assert not part.proven
        assert "stopped early" in part.summary()
        for sensor, whole in zip(part.sensors, made.sensors, strict=False):
            assert sensor.loss == whole.loss
            assert sensor.replacement in (None, whole.replacement)
            assert ("was stopped early" in part.sentence(whole.site)) == (
                sensor.replacement is None
            )


def test_problems_of_a_kind_that_is_not_understood_are_refused(
    city: sq.City, net: sq.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that would be left out in silence is named instead."""
    monkeypatch.setattr("spineq.insight._desk._UNDERSTOOD", frozenset({"theta"}))
    with pytest.raises(ProblemError, match="made with n_sensors cannot be asked again"):
        explain(city, net)


def test_what_is_no_explanation_is_refused(made: Explanation) -> None:
    """Not with an error of Python's."""
    for name, wrong in (("sensors", None), ("groups", 3), ("sensors", [3])):
        with pytest.raises(ProblemError, match="explanation"):
            Explanation.from_dict(made.to_dict() | {name: wrong})

"""How far a network's places hang on uncertain numbers."""

from __future__ import annotations

import json
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spineq as sq
from spineq.errors import DataError, MissingColumnError, ProblemError
from spineq.insight.changes import Scenario, changed
from spineq.insight.scenarios import Trial
from spineq.insight.stability import Stability, stability
from spineq.insight.stability_words import share
from spineq.insight.trial_plan import planned
from spineq.progress import RecordingProgress

MIX = {"older": sq.Group(ages=(66, 90)), "jobs": sq.Group(column="workers")}


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=60, seed=3)


@pytest.fixture(scope="module")
def net(city: sq.City) -> sq.Network:
    net = sq.optimise(city, n_sensors=4, theta=500, groups=MIX)
    assert net.proven
    return net


@pytest.fixture(scope="module")
def found(city: sq.City, net: sq.Network) -> Stability:
    return stability(city, net, n_scenarios=24, people_error=0.4)


def _hand_made(**columns: Any) -> sq.City:
    frame = pd.DataFrame(
        {"area_id": ["a", "b"], "x": [0.0, 5000.0], "y": 0.0, "population": [300, 100]}
        | {"workers": [100, 300], **columns}
    )
    return sq.City.from_frame(frame, crs="EPSG:27700", name="Two Hills")


def _same(one: Stability, other: Stability) -> None:
    """All but the time taken."""
    mine, theirs = ({**each.to_dict(), "seconds": 0.0} for each in (one, other))
    assert mine == theirs


# ---------------------------------------------------------------------------- what is counted


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"groups": MIX},
        {"groups": MIX, "aversion": 3.0},
        {"groups": MIX, "objective": "worst"},
        {"method": "greedy"},
        {"bound": "none"},
        {"min_spacing": 900.0},
    ],
)
def test_where_nothing_differs_the_network_comes_back(city: sq.City, words: dict[str, Any]) -> None:
    """One scenario is all scenarios; every place is chosen, and nothing is lost."""
    net = sq.optimise(city, n_sensors=3, theta=500, **words)
    found = stability(city, net, poisson=False)
    assert (found.n_scenarios, found.n_asked) == (1, 1)
    assert (found.table["chosen"] == 1.0).all()
    assert (found.table["near"] == 1.0).all()
    assert set(found.sites.index[found.sites["chosen"] == 1.0]) == set(net.placement_history)
    row = found.scenarios.loc[0]
    assert row["value"] == row["network"] == pytest.approx(net.objective_value, rel=1e-12)
    assert bool(row["proven"]) == net.proven
    if net.proven:
        assert row["lost"] <= 1e-9
        assert "as good as the best possible" in found.summary()
    assert "Nothing differs" in found.summary()


def test_a_scenario_that_moves_the_sensor() -> None:
    """Of two hills the one with more people has the sensor; for workers it is the other."""
    city = _hand_made()
    net = sq.optimise(city, n_sensors=1, theta=500)
    assert net.placement_history == ["a"]
    listed = [{}, {"groups": {"jobs": sq.Group(column="workers")}}, {"theta": 400}]
    found = stability(city, net, poisson=False, scenarios=listed, near=100)
    assert found.sites["chosen"].to_dict() == pytest.approx({"a": 2 / 3, "b": 1 / 3})
    assert found.table["chosen"].tolist() == pytest.approx([2 / 3])
    assert found.scenarios["theta"].tolist() == [500.0, 500.0, 400.0]
    assert found.scenarios["listed"].tolist() == [0, 1, 2]
    far = np.exp(-10)
    best, mine = 0.75 + 0.25 * far, 0.25 + 0.75 * far
    assert found.scenarios["value"].tolist()[:2] == pytest.approx([best, best])
    assert found.scenarios["network"].tolist()[:2] == pytest.approx([best, mine])
    assert found.scenarios["lost"].tolist() == pytest.approx([0.0, 1 - mine / best, 0.0], abs=1e-9)
    # At 5 km everything is near.
    everywhere = stability(city, net, poisson=False, scenarios=listed, near=5000)
    assert everywhere.table["near"].tolist() == [1.0]
    assert everywhere.sites["near"].tolist() == [1.0, 1.0]
    assert found.sites["near"].tolist() == pytest.approx([2 / 3, 1 / 3])


def test_weights_and_the_original_s_words() -> None:
    """Changes are those of a problem, in several words."""
    base = sq.Problem(n_sensors=1, groups=tuple(MIX.items()))
    assert changed(base, {"weights": {"jobs": 3}}).group_weights == {"jobs": 0.75, "older": 0.25}
    assert [name for name, _ in changed(base, {"weights": {"jobs": 0}}).groups] == ["older"]
    young = changed(base, {"min_age": 0, "max_age": 15})
    assert young == sq.Problem.from_words(n_sensors=1, min_age=0, max_age=15)
    twice = changed(base, {"groups": {"jobs": {"column": "workers"}}, "decay": "linear"})
    assert (twice.decay, dict(twice.groups)) == ("linear", {"jobs": MIX["jobs"]})
    for problem in (young, twice, base, changed(base, {"aversion": 2, "theta": 9})):
        scenario = Scenario(7, problem)
        made = json.loads(json.dumps(scenario.to_dict(base)))
        assert Scenario.from_dict(base, made) == scenario


@settings(max_examples=8)
@given(
    error=st.floats(0.0, 1.0),
    poisson=st.booleans(),
    near=st.floats(0.0, 3000.0),
    seed=st.integers(0, 2**63 - 1),
)
def test_laws(
    error: float, poisson: bool, near: float, seed: int, city: sq.City, net: sq.Network
) -> None:
    """Shares are shares, near is no less than exact, and no network beats the best."""
    found = stability(
        city, net, n_scenarios=4, people_error=error, poisson=poisson, near=near, seed=seed
    )
    for table in (found.table, found.sites):
        shares = table[["chosen", "near"]].to_numpy()
        assert ((shares >= 0) & (shares <= 1)).all()
        assert (table["near"] >= table["chosen"]).all()
    assert found.sites["chosen"].sum() == pytest.approx(4)
    assert (found.scenarios["lost"] >= -1e-12).all()
    assert (found.scenarios["network"] <= found.scenarios["value"]).all()
    assert (found.scenarios["value"] <= found.scenarios["upper_bound"]).all()


def test_the_same_again_and_more_of_it(city: sq.City, net: sq.Network, found: Stability) -> None:
    """A seed says everything; fewer scenarios are the first of more; another seed is another."""
    _same(stability(city, net, n_scenarios=24, people_error=0.4), found)
    fewer = stability(city, net, n_scenarios=5, people_error=0.4)
    pd.testing.assert_frame_equal(fewer.scenarios, found.scenarios.iloc[:5])
    other = stability(city, net, n_scenarios=5, people_error=0.4, seed=1)
    assert not (other.scenarios["value"] == fewer.scenarios["value"]).any()


def test_every_scenario_is_the_solver_s_own(city: sq.City, net: sq.Network) -> None:
    """A city whose people are those of a scenario has the scenario's answer."""
    plan = planned(net.problem, net.placement_history, 0, True, 0.4)
    trial = Trial(city, plan)
    found = stability(city, net, n_scenarios=3, people_error=0.4)
    for number, row in found.scenarios.iterrows():
        people = trial.people(Scenario(int(str(number)), net.problem))
        best = sq.optimise(people, net.problem)
        assert best.total_coverage == pytest.approx(row["value"], rel=1e-12)
        mine = sq.evaluate(people, net.placement_history, theta=500, groups=MIX)
        assert mine.total_coverage == pytest.approx(row["network"], rel=1e-12)


def test_people_are_drawn_around_their_number(city: sq.City, net: sq.Network) -> None:
    """Counts have Poisson's variance beside that of the relative error; a factor is an area's."""
    groups = [sq.Group(ages=(0, 90)), sq.Group(column="workers")]
    for poisson, error in ((True, 0.0), (False, 0.3), (True, 0.3)):
        trial = Trial(city, planned(net.problem, net.placement_history, 5, poisson, error))
        drawn = [trial.people(Scenario(number, net.problem)) for number in range(400)]
        for group in groups:
            mean = city.people(group).values
            values = np.array([each.people(group).values for each in drawn])
            some = mean > 30
            variance = mean * poisson + (error * mean) ** 2
            far = (values.mean(axis=0) - mean)[some] / np.sqrt(variance[some] / 400)
            assert abs(far.mean()) < 1.0
            assert np.median(values.var(axis=0)[some] / variance[some]) == pytest.approx(1, abs=0.1)
            assert not poisson or (values == np.round(values)).all()
    alike = trial.people(Scenario(0, net.problem))
    assert alike.n_areas == city.n_areas
    assert (alike.site_xy == city.site_xy).all()


def test_a_column_says_how_uncertain_each_area_is() -> None:
    """Where its error is 0 nothing differs; errors beyond 1 are refused."""
    city = _hand_made(doubt=[0.0, 0.5])
    net = sq.optimise(city, n_sensors=1, theta=500)
    trial = Trial(city, planned(net.problem, ["a"], 0, False, "doubt"))
    drawn = [trial.people(Scenario(k, net.problem)).people(sq.Group(ages=(0, 90))).values
             for k in range(20)]  # fmt: skip
    assert {values[0] for values in drawn} == {300.0}
    assert len({values[1] for values in drawn}) == 20
    assert "the column doubt" in stability(city, net, people_error="doubt").summary()
    wrong = _hand_made(doubt=[0.0, 50.0])
    with pytest.raises(ProblemError, match=r"relative error of b, 50, is above 1"):
        stability(wrong, sq.optimise(wrong, n_sensors=1), people_error="doubt")
    with pytest.raises(MissingColumnError, match="no column 'trust'"):
        stability(city, net, people_error="trust")


def test_a_group_of_few_is_drawn_until_somebody_is_there() -> None:
    """Weights of nobody are none."""
    city = _hand_made(rare=[1, 0])
    net = sq.optimise(city, n_sensors=1, groups={"rare": sq.Group(column="rare")})
    found = stability(city, net, n_scenarios=20)
    assert (found.table["chosen"] == 1.0).all()


def test_theta_is_spread_over_its_range(city: sq.City, net: sq.Network) -> None:
    """Evenly on a logarithmic scale, however many there are; people may stay as they are."""
    found = stability(city, net, n_scenarios=16, poisson=False, theta=(250, 1000))
    thetas = found.scenarios["theta"].to_numpy()
    assert found.n_scenarios == len(set(thetas)) == 16
    shares = np.sort(np.log(thetas / 250) / np.log(4))
    assert np.abs(shares - (np.arange(16) + 0.5) / 16).max() < 1.5 / 16
    for theta, value in zip(thetas[:2], found.scenarios["value"], strict=False):
        best = sq.optimise(city, n_sensors=4, theta=theta, groups=MIX)
        assert best.total_coverage == pytest.approx(value, rel=1e-12)
    assert "theta lies between 250 and 1,000 m" in found.summary()


def test_rules_hold_in_every_scenario(city: sq.City) -> None:
    """What stays stays, what is forbidden is free, and sensors keep their distance."""
    ids = [str(site) for site in city.dataset["site"].to_numpy()]
    net = sq.optimise(city, n_sensors=3, keep=ids[:2], forbid=ids[2:30], min_spacing=1000)
    found = stability(city, net, n_scenarios=8, people_error=0.5)
    assert len(found.table) == 3
    assert (found.sites.loc[ids[:30], "chosen"] == 0.0).all()
    assert (found.sites.loc[ids[:2], "near"] == 1.0).all()
    assert found.sites.loc[ids[:2], "in_network"].all()
    assert (found.scenarios["lost"] >= -1e-12).all()
    assert found.table.index.tolist() == [1, 2, 3]


def test_sensors_of_today_stay_where_they_stand(city: sq.City) -> None:
    """Also at places that are no sites; they are near, and are not tried themselves."""
    places = pd.DataFrame(city.site_xy[:2] + np.array([[0, 0], [7, 0]]), columns=["x", "y"])
    today = city.with_existing(places)
    net = sq.optimise(today, n_sensors=2, theta=500, keep="existing")
    assert net.n_sensors == 4
    found = stability(today, net, poisson=False, near=10)
    assert len(found.table) == 2
    assert (found.table["chosen"] == 1.0).all()
    assert found.scenarios.loc[0, "network"] == pytest.approx(net.total_coverage, rel=1e-12)
    assert (found.sites["near"].iloc[:2] == 1.0).all()
    assert (found.sites["chosen"].iloc[:2] == 0.0).all()


def test_a_budget(city: sq.City) -> None:
    """What is chosen can be paid for in each scenario."""
    prices = np.where(np.arange(city.n_sites) % 2, 3.0, 1.0)
    priced = city.with_sites(city.sites[["x", "y"]].assign(site_id=city.sites.index, price=prices))
    net = sq.optimise(priced, budget=5, site_cost="price", theta=500)
    found = stability(priced, net, n_scenarios=6, people_error=0.5)
    assert found.sites["chosen"].to_numpy() @ prices <= 5 + 1e-9
    assert (found.scenarios["lost"] >= -1e-12).all()


def test_networks_of_the_user_s_own(city: sq.City) -> None:
    """Also at places that are no sites, which cannot be chosen but may be near."""
    sites = [str(site) for site in city.dataset["site"].to_numpy()[:2]]
    named = stability(city, sq.evaluate(city, sites, theta=500), n_scenarios=3)
    assert (named.scenarios["lost"] > 0).all()
    places = city.site_xy[:2] + np.array([3.0, 4.0])
    found = stability(city, sq.evaluate(city, places, theta=500), n_scenarios=3, near=5)
    assert found.table["chosen"].isna().all()
    assert found.table["near"].tolist() == pytest.approx(found.sites["chosen"].iloc[:2].tolist())
    assert "which is no site" in found.sentence(1)
    _same(Stability.from_dict(json.loads(json.dumps(found.to_dict()))), found)


def test_travel_costs(city: sq.City) -> None:
    """Theta has their unit; what is near is so as the crow flies."""
    ids = [str(site) for site in city.dataset["site"].to_numpy()]
    pairs = pd.DataFrame([(one, other) for one in ids for other in ids], columns=["site", "area"])
    away = [abs(ids.index(a) - ids.index(b)) for a, b in pairs.itertuples(index=False)]
    timed = city.with_travel(pairs.assign(cost=np.array(away, dtype=float)), unit="minutes")
    net = sq.optimise(timed, n_sensors=2, theta=5)
    found = stability(timed, net, n_scenarios=4, theta=(4, 6))
    assert "theta lies between 4 and 6 minutes" in found.summary()
    assert (found.scenarios["lost"] >= -1e-12).all()
    _same(stability(timed, net, n_scenarios=4, theta=(4, 6)), found)


# ---------------------------------------------------------------------------- stop and say


def test_a_stop_leaves_what_is_done(city: sq.City, net: sq.Network) -> None:
    """The first scenarios are there and marked; the share done never falls."""

    class Half(RecordingProgress):
        def hear(self, report: Any) -> bool:
            super().hear(report)
            return bool(report.fraction >= 0.5)

    watcher = Half()
    found = stability(city, net, n_scenarios=8, progress=watcher)
    assert found.stopped
    assert found.n_scenarios == 4
    assert "4 of 8 scenarios, then it was stopped" in found.summary()
    shares = [report.fraction for report in watcher.reports]
    assert shares == sorted(shares)
    nothing = stability(city, net, n_scenarios=8, progress=RecordingProgress(stop_after=1))
    assert nothing.n_scenarios == 0
    assert nothing.table["near"].isna().all()
    assert "0 of 8 scenarios" in nothing.summary()
    assert "no scenario" in nothing.sentence(1)
    _same(Stability.from_dict(json.loads(json.dumps(nothing.to_dict()))), nothing)
    with pytest.raises(ProblemError, match="not a single scenario"):
        sq.plot.stability(nothing, city)


def test_progress_ends_at_the_whole(city: sq.City, net: sq.Network) -> None:
    """The fraction is scenarios done of all."""
    watcher = RecordingProgress()
    stability(city, net, n_scenarios=4, progress=watcher)
    whole = [report.fraction for report in watcher.reports]
    assert {0.25, 0.5, 0.75, 1.0} <= set(whole)
    assert whole[-1] == 1.0


def test_sentences(found: Stability) -> None:
    """They say the table's figures, and claim no more."""
    said = found.summary().splitlines()
    assert said[0].endswith("where to put 4 sensors was worked out again in 24 scenarios.")
    assert "as counts vary by chance and by a relative error of 40 %" in said[1]
    often = int((found.table["near"] >= 0.9).sum())
    assert said[2].startswith(f"For {often} of the 4 sensors, at least 90 % of the scenarios")
    assert "place one within 300 m, and for " in said[2]
    assert any("this network is within" in line for line in said)
    assert said[-1].startswith("A share counts scenarios")
    row: Any = found.table.loc[2]
    assert found.sentence(2) == (
        f"Sensor 2 ({row['site']}): the same site is chosen in {share(row['chosen'])}, and a "
        f"sensor is placed within 300 m of it in {share(row['near'])} of 24 scenarios."
    )
    for number in (0, 5, "a", True):
        with pytest.raises(ProblemError, match="no sensor"):
            found.sentence(number)  # type: ignore[arg-type]
    shares = [share(value) for value in (0.0, 0.004, 0.5, 0.996, 1.0)]
    assert shares == ["0 %", "less than 1 %", "50 %", "more than 99 %", "100 %"]


def test_what_is_lost_is_never_said_to_be_less(found: Stability) -> None:
    """The figure that holds for 95 % of scenarios holds for so many at least."""
    lost = np.sort(found.scenarios["lost"].to_numpy())
    line = next(each for each in found.summary().splitlines() if "of the best" in each)
    figures = [float(word) / 100 for word in line.split() if word.replace(".", "").isdigit()]
    if line.startswith("In 95 %"):
        assert (lost <= figures[1]).mean() >= 0.95
    assert lost[-1] <= figures[-1] + 1e-12


def test_json(found: Stability) -> None:
    """There and back; something else is refused."""
    text = json.dumps(found.to_dict(), allow_nan=False)
    back = Stability.from_dict(json.loads(text))
    _same(back, found)
    assert back.summary() == found.summary()
    for name in ("table", "sites", "scenarios"):
        pd.testing.assert_frame_equal(
            getattr(back, name), getattr(found, name), check_index_type=False, check_dtype=False
        )
    for wrong in ({}, 7, {**found.to_dict(), "more": 1}, {**found.to_dict(), "table": {"x": 1}}):
        with pytest.raises(ProblemError):
            Stability.from_dict(wrong)  # type: ignore[arg-type]
    assert "4 sensors in 24 scenarios" in repr(found)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"n_scenarios": 0}, "n_scenarios must be 1 or more"),
        ({"n_scenarios": 2.5}, "whole number"),
        ({"people_error": -0.1}, "people_error must be from 0 to 1"),
        ({"people_error": 10}, "Give a share, 0.1 for 10 %"),
        ({"poisson": "yes"}, "poisson must be true or false"),
        ({"theta": 500}, "two ends of a range"),
        ({"theta": (600, 400)}, "no range"),
        ({"theta": (0, 400)}, "theta must be above 0"),
        ({"scenarios": []}, "list of scenarios is empty"),
        ({"scenarios": {"theta": 4}}, "must be a list of dictionaries"),
        ({"scenarios": [{}, {"thetta": 4}]}, "scenario 1: a scenario has no field 'thetta'"),
        ({"scenarios": [{"n_sensors": 4}]}, "no field 'n_sensors'"),
        ({"scenarios": [{"weights": {"rich": 4}}]}, "no group 'rich'"),
        ({"scenarios": [{"groups": 4}]}, "must be a dictionary by name"),
        ({"scenarios": [{"theta": -4}]}, "theta must be above 0"),
        ({"scenarios": [{"theta": 400}], "theta": (300, 500)}, "theta is drawn from a range"),
        ({"scenarios": [{"min_age": 3, "weights": {"jobs": 1}}]}, "same thing twice"),
        ({"near": -1}, "near must be from 0"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"queue": 7}, "a JobQueue is needed"),
        ({"progress": 7}, "not a watcher"),
    ],
)
def test_what_is_bad_is_refused(
    city: sq.City, net: sq.Network, words: dict[str, Any], said: str
) -> None:
    """In one sentence, before anything is computed."""
    with pytest.raises(ProblemError) as refusal:
        stability(city, net, **words)
    assert said in str(refusal.value)


def test_networks_that_cannot_be_tried(city: sq.City, net: sq.Network) -> None:
    """Another city's; those whose question is another one in each scenario; none."""
    with pytest.raises(DataError, match="made for"):
        stability(_hand_made(), net)
    with pytest.raises(DataError, match="homes"):
        stability(city, net, scenarios=[{"groups": {"homes": sq.Group(column="homes")}}])
    with pytest.raises(ProblemError, match="a city is needed"):
        stability(7, net)  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="a network is needed"):
        stability(city, city)  # type: ignore[arg-type]
    for words, said in (
        ({"objective": "worst_share"}, "share that each group has"),
        ({"at_least": {"older": 0.01}}, "out of reach"),
        ({"method": "random"}, "drawn, not chosen"),
    ):
        other = sq.optimise(city, n_sensors=2, theta=500, groups=MIX, **words)  # type: ignore[arg-type]
        with pytest.raises(ProblemError, match=said):
            stability(city, other)
    fewest = sq.optimise(city, theta=500, groups=MIX, reach={"older": 0.3, "jobs": 0.3})
    with pytest.raises(ProblemError, match="made with reach cannot be tried"):
        stability(city, fewest)
    measured = sq.evaluate(city, fewest, theta=500, groups=MIX)
    assert stability(city, measured, n_scenarios=2).n_scenarios == 2


# ---------------------------------------------------------------------------- the picture


def test_the_map_says_what_it_shows(city: sq.City, net: sq.Network, found: Stability) -> None:
    """Title, legend by class, shares on the sensors, and what the network is worth."""
    ax = sq.plot.stability(found, city)
    legend = ax.get_legend()
    assert legend is not None
    entries = [text.get_text() for text in legend.get_texts()]
    counts = [int(entry.split()[0]) for entry in entries if "one near" in entry]
    assert sum(counts) == 4
    title = ax.get_title().replace("\n", " ")
    assert title.endswith("how often a sensor stands within 300 m, in 24 scenarios")
    written = [text.get_text() for text in ax.texts]
    assert sum(text.isdigit() for text in written) == 4
    assert any("the best possible" in text.replace("\n", " ") for text in written)
    plt.close("all")
    moved = city.with_sites(city.sites[["x", "y"]].iloc[:40].assign(id=lambda t: t.index))
    net = sq.optimise(moved, n_sensors=2, keep=[str(moved.sites.index[0])])
    drawn = sq.plot.stability(stability(moved, net, n_scenarios=2), moved)
    legend = drawn.get_legend()
    assert legend is not None
    assert any("that stays" in text.get_text() for text in legend.get_texts())
    plt.close("all")
    with pytest.raises(DataError, match="this is about"):
        sq.plot.stability(found, moved)
    with pytest.raises(ProblemError, match="a stability is needed"):
        sq.plot.stability(net, city)  # type: ignore[arg-type]


def test_one_change_takes_no_turns(city: sq.City, net: sq.Network) -> None:
    """One listed change is in every scenario; one sensor, one scenario are no more."""
    every = stability(city, net, scenarios=[{"theta": 300}], poisson=False)
    said = every.summary()
    assert "In every scenario the question is changed as the list says." in said
    assert "turns" not in said
    one = stability(city, sq.optimise(city, n_sensors=1), n_scenarios=1)
    assert repr(one).startswith("<Stability of 1 sensor in 1 scenario: ")
    stopped = stability(city, net, n_scenarios=2, progress=RecordingProgress(stop_after=1))
    assert "nan" not in repr(stopped)


def test_what_is_no_number_is_refused(city: sq.City, net: sq.Network, found: Stability) -> None:
    """Not with an error of some library."""
    for wrong in ([1], np.array([1]), None, 1.5):
        with pytest.raises(ProblemError, match="no sensor"):
            found.sentence(wrong)  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="scenarios must be a list"):
        stability(city, net, scenarios=np.array(1))
    with pytest.raises(ProblemError, match="no stability"):
        Stability.from_dict(found.to_dict() | {"table": None})


def test_fractions_never_go_back_even_at_a_stop(city: sq.City, net: sq.Network) -> None:
    for after in (1, 2, 3, 5):
        watcher = RecordingProgress(stop_after=after)
        stability(city, net, n_scenarios=3, progress=watcher)
        shares = [report.fraction for report in watcher.reports]
        assert shares == sorted(shares)

"""Words for what was asked: every objective, sensors that stay, budgets, rules, floors."""

from __future__ import annotations

import importlib
import math
import xml.etree.ElementTree as ET
from typing import Any, get_args

import pytest
from networks import network_of
from solvers.instances import city_of

import spineq as sq
from spineq.model._objective_words import (
    Maximised,
    budget_words,
    gap_words,
    in_a_list,
    own_best_words,
    rules_words,
    sensors_words,
)
from spineq.model.network import Network

GROUPS = {
    "old": sq.Group(ages=(66, 90), title="Older residents"),
    "jobs": sq.Group(column="workers", title="Jobs"),
}


@pytest.fixture(scope="module")
def city() -> sq.City:
    return city_of(
        [[0, 0], [800, 0], [0, 2000], [3000, 500]],
        [[1, 2, 9], [4, 5, 1], [7, 8, 2], [1, 1, 1]],
        [1, 9, 2, 4],
    )


def fabricated(net: Network, **attrs: object) -> Network:
    """Network with other figures in its attributes."""
    return Network(net.dataset.assign_attrs(**attrs))


def words(city: sq.City, sites: list[int], value: float, bound: float, **asked: Any) -> Network:
    """Network that covers as much as is said; other figures are as measured."""
    net = network_of(city, sites, **({"groups": GROUPS} | asked))
    return fabricated(net, objective_value=value, upper_bound=bound)


CERTIFICATES: dict[str, tuple[dict[str, Any], str, str]] = {
    "mean": (
        {},
        "No network of 2 sensors can cover more than 50.0 %, ",
        "Proven best: no network of 2 sensors covers more.",
    ),
    "kolm_pollak": (
        {"aversion": 5.0},
        (
            "No network of 2 sensors can bring the equally-distributed equivalent coverage above "
            "50.0 %, "
        ),
        (
            "Proven best: no network of 2 sensors has a higher equally-distributed equivalent "
            "coverage."
        ),
    ),
    "worst": (
        {"objective": "worst"},
        "No network of 2 sensors can bring the worst-off group above 50.0 %, ",
        "Proven best: no network of 2 sensors covers its worst-off group better.",
    ),
    "worst_share": (
        {"objective": "worst_share"},
        (
            "No network of 2 sensors can give every group more than 50.0 % of what it could have "
            "alone, "
        ),
        (
            "Proven best: no network of 2 sensors gives every group a larger share of what it "
            "could have alone."
        ),
    ),
    "kept": (
        {"kept": 1, "n_sensors": 1},
        "No network of one sensor beside the one that stays can cover more than 50.0 %, ",
        "Proven best: no network of one sensor beside the one that stays covers more.",
    ),
    "budget": (
        {"n_sensors": None, "budget": 1200.0, "site_cost": "cost"},
        "No network for a budget of 1,200 can cover more than 50.0 %, ",
        "Proven best: no network for a budget of 1,200 covers more.",
    ),
    "rules": (
        {"min_spacing": 300.0},
        "No allowed network of 2 sensors can cover more than 50.0 %, ",
        "Proven best: no allowed network of 2 sensors covers more.",
    ),
}


@pytest.mark.parametrize("kind", CERTIFICATES)
def test_certificates(city: sq.City, kind: str) -> None:
    """Each objective has its own sentence for a bound, and for a proof."""
    asked, bounded, proven = CERTIFICATES[kind]
    net = words(city, [0, 1], 0.49, 0.5, **asked)
    assert net.certificate() == f"{bounded}so this one is within 2.0 % of the best possible."
    assert words(city, [0, 1], 0.5, 0.5, **asked).certificate() == proven
    assert net.certificate() in net.summary()
    assert net.certificate() in "".join(ET.fromstring(net._repr_html_()).itertext())


def test_why_no_bound_is_known(city: sq.City) -> None:
    """It was not wanted, the search was cut short, or a sensor stands elsewhere."""
    for asked, why in (
        ({"bound": math.nan, "wanted": "none"}, "no bound was asked for"),
        ({"stopped": True}, "the search for a bound was stopped early"),
        ({}, "not every sensor stands at a site"),
    ):
        wanted = asked.pop("wanted", None)
        net = network_of(city, [0], **asked)
        if wanted:
            net = fabricated(net, problem=sq.Problem(n_sensors=1, bound=wanted).to_json())
        assert net.certificate() == f"How far this is from the best is not known: {why}."


def test_values(city: sq.City) -> None:
    """The figure that was maximised comes first, the weighted mean beside it."""
    whom = "the groups (weighted 50 % jobs, 50 % older residents)"
    first = [
        ({}, f"2 sensors in Smallville: the mean coverage of {whom} is "),
        ({"groups": {"old": GROUPS["old"]}}, "the mean coverage of older residents is "),
        (
            {"aversion": 5.0},
            (
                f"the equally-distributed equivalent coverage of {whom} is 31.0 % "
                "(inequality aversion 5), the mean "
            ),
        ),
        (
            {"aversion": 0.5, "aversion_form": "atkinson"},
            " is 31.0 % (inequality aversion 0.5, Atkinson's), the mean ",
        ),
        (
            {"objective": "worst"},
            (
                ": the worst-off group (older residents) is covered 31.0 %; the mean coverage of "
                f"{whom} is "
            ),
        ),
        (
            {"objective": "worst_share"},
            ": every group has at least 31.0 % of the coverage that it could have alone; the ",
        ),
    ]
    for asked, said in first:
        net = words(city, [1, 3], 0.31, 0.5, **asked)
        assert said in net.summary().splitlines()[0]
        assert "Were everyone covered 31.0 %" in net.summary() or "aversion" not in asked
        text = "".join(ET.fromstring(net._repr_html_()).itertext())
        assert said.split(": ")[-1][1:] in text
    assert "<Network of 2 sensors in Smallville: worst-off group 0.3100, gap 38.00%" in repr(
        words(city, [1, 3], 0.31, 0.5, objective="worst")
    )


def test_sensors_that_stay(city: sq.City) -> None:
    """They are counted apart, in every place where sensors are counted."""
    for kept, expected, begin in (
        (0, "3 sensors", "3 sensors"),
        (1, "2 sensors beside the one that stays", "2 sensors beside the one that stays"),
        (2, "1 sensor beside the 2 that stay", "One sensor beside the 2 that stay"),
        (3, "0 sensors beside the 3 that stay", "The 3 sensors that stay"),
    ):
        net = network_of(city, [0, 1, 2], kept=kept)
        assert sensors_words(net) == expected
        lines = net.summary().splitlines()
        assert lines[0].startswith(f"{begin} in Smallville: ")
        root = ET.fromstring(net._repr_html_())
        assert f"{expected} in Smallville" in "".join(root.itertext())
        filled = [mark for mark in root.iter() if mark.get("fill") == "#d1495b"]
        assert len(filled) == kept


def test_budgets(city: sq.City) -> None:
    """What there was to spend is said, and what is spent."""
    asked = {"n_sensors": None, "budget": 120.0, "site_cost": "cost"}
    net = network_of(city, [0, 1], spent=118.5, **asked)
    assert budget_words(net) == " for a budget of 120, of which 118.5 are spent"
    assert "2 sensors in Smallville for a budget of 120, of which 118.5" in net.summary()
    assert net.spent == 118.5
    assert budget_words(network_of(city, [0], spent=1.0, **asked)).endswith("of which 1 is spent")
    assert budget_words(network_of(city, [0])) == ""


def test_rules(city: sq.City) -> None:
    """Spacing, regions and forbidden sites are said, and what they left no room for."""
    asked = {
        "n_sensors": 5, "min_spacing": 1500.0, "region": "ward", "max_per_region": 2,
        "min_per_region": {"North": 1}, "forbid": ["A3"],
    }  # fmt: skip
    rules, fewer = rules_words(network_of(city, [0, 2], **asked))
    assert rules == (
        "The rules: at least 1,500 m between sensors, at most 2 for each ward, at least so many "
        "as was said for each ward, no sensor at 1 forbidden site."
    )
    assert fewer.startswith("Only 2 of the 5 sensors asked for are placed: ")
    assert len(rules_words(network_of(city, [0, 2], stopped=True, **asked))) == 1
    assert len(rules_words(network_of(city, [0, 2, 1], kept=1, **asked | {"n_sensors": 2}))) == 1
    assert rules_words(network_of(city, [0])) == []


def test_floors(city: sq.City) -> None:
    """What was owed is said, and where it is not reached that is said instead."""
    net = network_of(city, [0, 2], groups=GROUPS, at_least={"old": 0.1, "pop_children": 0.05})
    kept = (
        "Every group has at least what it was owed: older residents 10.0 %, children (0-15) 5.0 %."
    )
    assert rules_words(net) == [kept]
    covered = float(net.group_coverage.sel(group="old"))
    net = network_of(city, [0, 2], groups=GROUPS, at_least={"old": 0.99, "jobs": 0.01})
    assert rules_words(net) == [
        (
            "What was owed is not reached: older residents 99.0 %, and they have "
            f"{100 * covered:.1f} %."
        )
    ]
    # To the bit what it is owed, but for rounding.
    exact = network_of(city, [0, 2], groups=GROUPS, at_least={"old": covered * (1 + 1e-15)})
    assert "Every group" in rules_words(exact)[0]


def test_own_best(city: sq.City) -> None:
    """What share of its own best each group has is said where it is known."""
    covered = network_of(city, [0], groups=GROUPS).group_coverage
    best = {name: 2 * float(covered.sel(group=name)) for name in GROUPS}
    net = network_of(city, [0], groups=GROUPS, own_best=best, objective="worst_share")
    said = "Of what it could have alone, each group has: jobs 50.0 %, older residents 50.0 %."
    assert own_best_words(net) == said
    assert said in net.summary()
    assert own_best_words(network_of(city, [0], groups=GROUPS)) == ""
    assert net.to_dict()["share_of_own_best"]["old"] == 0.5
    assert net.to_dict()["own_best"]["pop_total"] is None


def test_evenness(city: sq.City) -> None:
    """The worst-off group, the worst tenth and both Gini coefficients are in every summary."""
    net = network_of(city, [1, 3], groups=GROUPS)
    assert (
        "Of the groups that count here, the worst-off (older residents) is covered "
        f"{100 * net.worst_group_coverage:.1f} %, "
        f"the worst-covered tenth of people {100 * net.worst_tenth:.1f} % on average; "
        f"the Gini coefficient of coverage is {net.gini_areas:.2f} over areas and "
        f"{net.gini_people:.2f} over people (0 where all are covered alike)."
    ) in net.summary()
    alone = network_of(city, [1, 3])
    assert "The worst-covered tenth of people is covered" in alone.summary()


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (0.0499, "5.0 %"),
        (0.0123, "1.3 %"),
        (0.001, "0.1 %"),
        (0.000139, "0.02 %"),
        (0.0001, "0.01 %"),
        (1e-9, "0.0001 %"),
    ],
)
def test_gaps_are_rounded_up_to_what_can_be_read(gap: float, words: str) -> None:
    """One decimal, or the first figure that is not 0; never less than it is."""
    assert gap_words(gap) == words
    assert float(words.split()[0]) / 100 >= gap - 1e-12


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("spineq.model._objective_words", "_CANNOT"),
        ("spineq.model._objective_words", "_BEST"),
        ("spineq.model._objective_words", "_FIGURE"),
        ("spineq.insight._explain_words", "_CHANGES"),
        ("spineq.insight.curve", "_DO"),
        ("spineq._plot_questions", "_NAMES"),
        ("spineq.cli.question_results", "_REACHED"),
    ],
)
def test_whatever_is_maximised_has_words(module: str, name: str) -> None:
    """Each table of words by what is maximised knows all of it."""
    assert set(getattr(importlib.import_module(module), name)) == set(get_args(Maximised))


@pytest.mark.parametrize(
    ("words", "said"),
    [(["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C", "D"], "A, B, C and D")],
)
def test_a_list_in_words(words: list[str], said: str) -> None:
    """Commas between all but the last two."""
    assert in_a_list(words) == said

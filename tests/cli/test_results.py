"""Networks as the commands print them: what was maximised, sensors that stay, rules, shares."""

from __future__ import annotations

import re

import pytest
from networks import network_of
from solvers.instances import city_of

import spineq as sq
from spineq.cli.results import finish, group_table, sensor_table

GROUPS = {
    "old": sq.Group(ages=(66, 90), title="Older residents"),
    "jobs": sq.Group(column="workers", title="Jobs"),
}


@pytest.fixture(scope="module")
def city() -> sq.City:
    people = [[1, 2, 9], [4, 5, 1], [7, 8, 2], [1, 1, 1]]
    return city_of([[0, 0], [800, 0], [0, 2000], [3000, 500]], people, [1, 9, 2, 4])


def cells(table: str, row: str) -> list[str]:
    """Cells of the row of that name."""
    (line,) = [line for line in table.splitlines() if line.startswith(row)]
    return re.split(r"\s{2,}", line)


def test_the_mean_of_several_groups_is_what_was_maximised(city: sq.City) -> None:
    """For the mean there is one row more, and none where a single group says it already."""
    net = network_of(city, [0, 1], groups=GROUPS)
    covered = f"{100 * net.total_coverage:.1f} %"
    assert cells(group_table(net), "What was maximised") == ["What was maximised", covered]
    assert "What was maximised" not in group_table(network_of(city, [0, 1]))
    assert "of own best" not in group_table(net)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"aversion": 3.0}, "Equally-distributed equivalent"),
        ({"objective": "worst"}, "Worst-off group"),
        ({"objective": "worst_share"}, "Smallest share of own best"),
    ],
)
def test_other_objectives_have_their_own_row(
    city: sq.City, asked: dict[str, object], name: str
) -> None:
    """The figure that was maximised has its name, and the mean is called the mean."""
    net = network_of(city, [0, 3], groups=GROUPS, **asked)
    table = group_table(net)
    assert cells(table, name) == [name, f"{100 * net.objective_value:.1f} %"]
    assert cells(table, "Weighted mean") == ["Weighted mean", f"{100 * net.total_coverage:.1f} %"]
    assert "What was maximised" not in table


def test_shares_of_own_best_have_a_column(city: sq.City) -> None:
    """Where they are known; a group whose best is not known has a dash."""
    best = {"old": 1.0, "jobs": 0.9}
    net = network_of(city, [0, 3], groups=GROUPS, objective="worst_share", own_best=best)
    table = group_table(net)
    assert table.splitlines()[0].endswith("of own best")
    share = float(net.share_of_own_best.sel(group="jobs"))
    assert cells(table, "Jobs")[-1] == f"{100 * share:.1f} %"
    assert cells(table, "All residents")[-1] == "-"


def test_sensors_that_stay_are_marked(city: sq.City) -> None:
    """In the table of sensors and above it."""
    table = sensor_table(network_of(city, [2, 0, 1], kept=2))
    assert [line.split("  ")[0].strip() for line in table.splitlines()[2:]] == [
        "1 (stays)", "2 (stays)", "3",
    ]  # fmt: skip


def test_what_is_printed_for_people(city: sq.City, capsys: pytest.CaptureFixture[str]) -> None:
    """Sensors beside those that stay, the budget, the certificate and the rules are said."""
    asked = {"n_sensors": None, "budget": 9.0, "site_cost": "cost", "min_spacing": 500.0}
    net = network_of(city, [2, 0, 1], kept=1, spent=8.0, bound=0.99, **asked)
    finish(net, city, None, as_json=False)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == (
        "2 sensors beside the one that stays in Smallville for a budget of 9, of which 8 are "
        "spent, theta 600 m"
    )
    assert net.certificate() in said
    assert "The rules: at least 500 m between sensors." in said

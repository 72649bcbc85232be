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


def test_sensors_that_stay_are_counted(city: sq.City) -> None:
    """The table lists the new ones, with their numbers; those that stay are one line under it."""
    table = sensor_table(network_of(city, [2, 0, 1], kept=2)).splitlines()
    assert [line.split()[0] for line in table] == ["sensor", table[1], "3", "2"]
    assert table[-1] == "2 sensors stay"
    assert sensor_table(network_of(city, [2, 0], kept=1)).endswith("\n1 sensor stays")
    assert "stay" not in sensor_table(network_of(city, [2, 0]))


def test_new_sensors_are_listed_however_many_stay() -> None:
    """The limit counts new sensors only: here 2 of 40 and then 38 of 40."""
    city = city_of([[300 * k, 0] for k in range(40)], [[1, 1, 1]] * 40, [1] * 40)
    few = sensor_table(network_of(city, list(range(40)), kept=38)).splitlines()
    assert [line.split()[0] for line in few[2:4]] == ["39", "40"]
    assert few[4:] == ["38 sensors stay"]
    many = sensor_table(network_of(city, list(range(40)), kept=2)).splitlines()
    assert len(many) == 2 + 30 + 2
    assert many[-2:] == ["... and 8 more", "2 sensors stay"]


def test_what_is_printed_for_people(city: sq.City, capsys: pytest.CaptureFixture[str]) -> None:
    """Sensors beside those that stay, the budget, the certificate and the rules are said."""
    asked = {"n_sensors": None, "budget": 9.0, "site_cost": "cost", "min_spacing": 500.0}
    net = network_of(city, [2, 0, 1], kept=1, spent=8.0, bound=0.99, **asked)
    finish(net, city, None, as_json=False)
    said = capsys.readouterr().out.splitlines()
    assert max(map(len, said)) <= 100
    assert " ".join(said[:2]) == (
        "2 sensors beside the one that stays in Smallville for a budget of 9, of which 8 are "
        "spent, theta 600 m"
    )
    assert net.certificate() in " ".join(said)
    assert "The rules: at least 500 m between sensors." in said

"""Options that say what is asked: the words that they make, and the networks that come of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
from click.testing import CliRunner
from command_line import good, run

import spineq as sq
from spineq.cli.problem_words import problem_options, take_problem_words
from spineq.errors import ProblemError
from spineq.model.problem import Problem

#: Options, and the keywords that stand for the same.
SAME: dict[str, tuple[list[str], dict[str, Any]]] = {
    "nothing": ([], {}),
    "budget": (["--budget", "8.5", "--site-cost", "price"], {"budget": 8.5, "site_cost": "price"}),
    "a limit for all": (
        ["--region", "ward", "--max-per-region", "2", "--min-per-region", "1"],
        {"region": "ward", "max_per_region": 2, "min_per_region": 1},
    ),
    "limits by name": (
        ["--region", "ward", "--max-per-region", "North = 3=2", "--max-per-region", "7=0"],
        {"region": "ward", "max_per_region": {"North = 3": 2, "7": 0}},
    ),
    "spacing": (["--min-spacing", "400"], {"min_spacing": 400.0}),
    "sites": (
        ["--keep", "a, b", "--keep", "c", "--forbid", "d", "--start", "e,f"],
        {"keep": ["a", "b", "c"], "forbid": ["d"], "start": ["e", "f"]},
    ),
    "existing": (["--keep", "existing"], {"keep": "existing"}),
    "aversion": (
        ["--aversion", "0.5", "--aversion-form", "atkinson"],
        {"aversion": 0.5, "aversion_form": "atkinson"},
    ),
    "floors": (
        ["--group", "a=b:0-15", "--at-least", "a=b=0.25", "--at-least", "pop_elderly=.5"],
        {
            "groups": {"a=b": sq.Group(ages=(0, 15))},
            "at_least": {"a=b": 0.25, "pop_elderly": 0.5},
        },
    ),
    "objective": (["--objective", "worst_share"], {"objective": "worst_share"}),
    "levels to reach": (
        ["--reach", "pop_elderly=0.45", "--reach", "jobs=.5", "--group", "jobs:workers"],
        {
            "reach": {"pop_elderly": 0.45, "jobs": 0.5},
            "groups": {"jobs": sq.Group(column="workers")},
        },
    ),
    "today's level": (["--reach", "existing"], {"reach": "existing"}),
    "retired": (["--retire", "2"], {"retire": 2, "n_sensors": 3}),
    "moved": (["--move-at-most", "1"], {"move_at_most": 1, "n_sensors": 3}),
    "kinds": (
        ["--kind", "reference: 800 :5", "--kind", "low-cost:300:50"],
        {
            "kinds": {
                "reference": sq.Kind(theta=800, n_sensors=5),
                "low-cost": sq.Kind(theta=300, n_sensors=50),
            }
        },
    ),
    "kinds with a price": (
        ["--kind", "a:800::2000", "--kind", "b:300::90.5", "--budget", "9000"],
        {
            "kinds": {"a": sq.Kind(theta=800, cost=2000), "b": sq.Kind(theta=300, cost=90.5)},
            "budget": 9000.0,
        },
    ),
    "search": (
        ["--bound", "tight", "--effort", "2", "--gap-limit", "0.01"],
        {"bound": "tight", "effort": 2.0, "gap_limit": 0.01},
    ),
}


def words_of(*options: str) -> dict[str, Any]:
    """What a command with `problem_options` makes of its options."""
    found: list[dict[str, Any]] = []

    @click.command()
    @problem_options
    def command(**words: Any) -> None:
        found.append(take_problem_words(words))

    made = CliRunner().invoke(command, list(options), catch_exceptions=False)
    assert made.exit_code == 0, made.output
    return found[0]


@pytest.mark.parametrize(("options", "words"), SAME.values(), ids=SAME)
def test_options_are_keywords(options: list[str], words: dict[str, Any]) -> None:
    """Both make the same problem."""
    instead = {"budget", "reach", "kinds"} & set(words)
    number = {} if instead else {"n_sensors": 3}
    made = Problem.from_words(**number, **words_of(*options))
    assert made == Problem.from_words(**number | words)
    assert (made == Problem(3)) == (not words)


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        (["--max-per-region", "two"], "max_per_region", "'two' is not a number of sensors"),
        (["--max-per-region", "=2"], "max_per_region", "'=2' is not a number of sensors"),
        (["--min-per-region", "a=-1"], "min_per_region", "'a=-1' is not a number of sensors"),
        (
            ["--max-per-region", "2", "--max-per-region", "a=1"],
            "max_per_region",
            "for every region, and one for a region by name",
        ),
        (["--max-per-region", "a=1", "--max-per-region", "a=2"], "max_per_region", "same region"),
        (["--max-per-region", "99999999999"], "max_per_region", "too large.*1,000,000,000 or less"),
        (["--min-per-region", "a=1000000001"], "min_per_region", "too large.*1,000,000,000 or"),
        (["--max-per-region", "9" * 5000], "max_per_region", "too large"),
        (["--keep", "existing", "--keep", "a"], "keep", "'existing' and 'a' are .* stands alone"),
        (["--keep", "a.nc", "--keep", "existing"], "keep", "'a.nc' and 'existing' .*stands alone"),
        (["--group", "a:0-15", "--group", "a:66-90"], "group", "the group 'a' a second time"),
        (["--forbid", "a.nc", "--forbid", "b"], "forbid", "'a.nc' and 'b' are given together"),
        (["--start", " , "], "start", "no site is named"),
        (["--at-least", "pop_elderly"], "at_least", "'pop_elderly' is not the coverage of a group"),
        (["--at-least", "=0.5"], "at_least", "'=0.5' names no group"),
        (["--at-least", "a=0.5", "--at-least", "a=0.4"], "at_least", "a group a second time"),
        (["--reach", "pop_elderly"], "reach", "'pop_elderly' is not the coverage of a group"),
        (["--reach", "a=much"], "reach", "'a=much' is not the coverage of a group"),
        (["--reach", "=0.5"], "reach", "'=0.5' names no group"),
        (["--reach", "a=0.5", "--reach", "a=0.4"], "reach", "a group a second time"),
        (["--reach", "existing", "--reach", "a=1"], "reach", "'existing' is not the coverage"),
        (["--reach", "a.nc", "--reach", "a=1"], "reach", "'a.nc' is not the coverage"),
        (["--kind", "a"], "kinds", "'a' is not a kind of sensors"),
        (["--kind", "a:300:2", "--theta", "400"], "theta", "a theta of its own"),
        (["--kind", ":300:2"], "kinds", "':300:2' is not a kind of sensors"),
        (["--kind", "a:300:2:5:6"], "kinds", "is not a kind of sensors"),
        (["--kind", "a::2"], "kinds", "'' of 'a::2' is not a number"),
        (["--kind", "a:far:2"], "kinds", "'far' of 'a:far:2' is not a number"),
        (["--kind", "a:300:2.5"], "kinds", "'2.5' of 'a:300:2.5' is not a whole number"),
        (["--kind", "a:300::dear"], "kinds", "'dear' of 'a:300::dear' is not a number"),
        (["--kind", "a:300:2", "--kind", "a:400:1"], "kinds", "names a kind a second time"),
        (["--at-least", "a.nc", "--at-least", "a=1"], "at_least", "'a.nc' is not the coverage"),
    ],
)
def test_options_of_another_form_are_refused(options: list[str], field: str, message: str) -> None:
    """Saying which, and how to write it."""
    with pytest.raises(ProblemError, match=message) as caught:
        words_of(*options)
    assert caught.value.field == field
    assert caught.value.mend


def test_the_file_of_a_network_stands_for_it(tmp_path: Path) -> None:
    """To keep, to forbid, to start from, and as the coverage that no group may fall below, or that
    every group is to reach.
    """
    net = sq.optimise(sq.demo_city(), n_sensors=3, method="greedy")
    file = str(net.to_netcdf(tmp_path / "net.nc"))
    for option in ("keep", "forbid", "start", "at_least"):
        words = words_of(f"--{option.replace('_', '-')}", file)
        expected = Problem.from_words(n_sensors=3, **{option: net})
        assert Problem.from_words(n_sensors=3, **words) == expected
    assert Problem.from_words(**words_of("--reach", file)) == Problem.from_words(reach=net)


def wards(folder: Path) -> Path:
    """A made-up town as a folder whose areas have a ward, text, and a price."""
    frame = sq.demo_city("synthetic", n_areas=60).to_frame()
    frame["ward"] = ["east" if k % 2 else "west" for k in range(len(frame))]
    frame["price"] = [1 + k % 5 for k in range(len(frame))]
    frame.to_parquet(folder / "areas.parquet")
    return folder


def test_a_problem_with_rules_is_solved_from_the_command_line(tmp_path: Path) -> None:
    """Wards of the areas are handed on to their sites, prices are there; the answer is ours."""
    folder = wards(tmp_path)
    text = good(
        "optimise", folder, "--site-column", "ward", "--budget", "6", "--site-cost", "price",
        "--region", "ward", "--max-per-region", "east=1", "--method", "greedy", "--json",
    )  # fmt: skip
    city = sq.read_city(folder, site_columns=["ward"])
    expected = sq.optimise(
        city, budget=6, site_cost="price", region="ward", max_per_region={"east": 1},
        method="greedy",
    )  # fmt: skip
    sites = [sensor["site"] for sensor in json.loads(text)["sensors"]]
    assert sites == list(expected.sensors["site"])
    table = pd.DataFrame({"ward": city.site_column("ward"), "price": city.site_column("price")})
    table.index = city.sites.index
    assert table.loc[sites, "price"].sum() <= 6
    assert (table.loc[sites, "ward"] == "east").sum() <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-n", "3", "--budget", "5"], "both n_sensors (3) and a budget (5) are given"),
        (["--budget", "5"], "there is a budget, but not what a sensor costs at each site"),
        (["--site-cost", "households"], "Missing option '-n'"),
        (["-n", "3", "--region", "area_id", "--max-per-region", "x=1"], "has no region 'x'"),
        (["-n", "3", "--keep", "existing"], "San Francisco has no existing sensors to keep"),
        (["-n", "3", "--keep", "existing,001"], 'word "existing" stands alone'),
        (["-n", "3", "--group", "a:0-15", "--group", "a:66-90"], "the group 'a' a second time"),
        (["-n", "3", "--keep", "zzz"], "'zzz' is no site of San Francisco"),
        (["-n", "3", "--start", "no.nc"], "no.nc"),
        (["--reach", "pop_elderly=2"], "must be from 0 to 1, not 2"),
        (["--reach", "nobody=0.2"], "nobody"),
        (["-n", "3", "--reach", "pop_elderly=0.2"], "Give one of them"),
        (["--reach", "existing"], "no existing sensors whose coverage could be reached"),
        (["--retire", "1"], "San Francisco has no existing sensors to take away"),
        (["--retire", "some"], "'some' is not a valid integer"),
        (["--retire", "-1"], "retire must be 0 or more, not -1"),
        (["--move-at-most", "1"], "San Francisco has no existing sensors"),
        (["--move-at-most", "1.5"], "'1.5' is not a valid integer"),
        (["--kind", "a:300"], "kind 'a' has no number of sensors"),
        (["--kind", "a:0:2"], "must be above 0 and finite, not 0"),
        (["--kind", "a:300:0"], "must be 1 or more, not 0"),
        (["--kind", "a:300:2", "-n", "3"], "the kinds have 2 together"),
        (["--kind", "a:300::5"], "kind 'a' has no number of sensors"),
        (["-n", "30", "--min-spacing", "5000"], "sensors can stand 5000 m apart; 30 are asked"),
    ],
)
def test_what_cannot_be_is_one_plain_sentence(options: list[str], message: str) -> None:
    """Before anything is solved, with exit status 2."""
    made = run("optimise", "san-francisco", *options)
    assert made.exit_code == 2
    assert message in made.stderr
    assert made.stdout == ""
    assert "Traceback" not in made.stderr


def today(folder: Path) -> tuple[Path, sq.City]:
    """A made-up town with five sensors of today, as a folder and as a city."""
    sq.demo_city("synthetic", n_areas=60).to_frame().to_parquet(folder / "areas.parquet")
    city = sq.read_city(folder)
    xy = city.site_xy[[3, 9, 17, 30, 44]] + 40.0
    table = pd.DataFrame({"sensor_id": list("vwxyz"), "x": xy[:, 0], "y": xy[:, 1]})
    table.to_csv(folder / "today.csv", index=False)
    return folder, city.with_existing(table)


#: Options about planned changes, and the same as words of `optimise`.
PLANNED: dict[str, tuple[list[str], dict[str, Any]]] = {
    "reach": (["--reach", "pop_elderly=0.2"], {"reach": {"pop_elderly": 0.2}}),
    "reach today's": (["--reach", "existing"], {"reach": "existing"}),
    "retire": (["--retire", "2"], {"retire": 2}),
    "retire and add": (["--retire", "1", "-n", "2"], {"retire": 1, "n_sensors": 2}),
    "move": (["--move-at-most", "2"], {"move_at_most": 2}),
    "kinds": (
        ["--kind", "good:700:1", "--kind", "cheap:300:3", "--keep", "existing"],
        {
            "kinds": {
                "good": sq.Kind(theta=700, n_sensors=1), "cheap": sq.Kind(theta=300, n_sensors=3),
            },
            "keep": "existing",
        },
    ),
    "kinds for a budget": (
        ["--kind", "good:700::50", "--kind", "cheap:300::10", "--budget", "90"],
        {"kinds": {"good": sq.Kind(theta=700, cost=50), "cheap": sq.Kind(theta=300, cost=10)},
         "budget": 90},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANNED)
def test_planned_changes_are_answered_from_the_command_line(name: str, tmp_path: Path) -> None:
    """As by the library; which sensors are no longer there is said, and of which kind each is."""
    folder, city = today(tmp_path)
    options, words = PLANNED[name]
    asked = ["optimise", folder, "--existing", folder / "today.csv", *options]
    expected = sq.optimise(city, **words)
    made = json.loads(good(*asked, "--json"))
    assert made["placement_history"] == expected.placement_history
    assert made["total_coverage"] == pytest.approx(expected.total_coverage, abs=1e-12)
    assert made["too_few"] == expected.too_few
    text = " ".join(good(*asked).split())
    assert expected.certificate() in text
    assert ("No longer there: " in text) == bool(len(expected.gone))
    assert all(sensor in text for sensor in expected.gone["sensor"])
    assert (" kind " in text) == ("kinds" in words)


def test_evaluate_has_no_options_for_what_a_given_network_need_not_keep() -> None:
    """Who matters, and what stays beside it, are its options; rules are none."""
    assert run("evaluate", "san-francisco", "--sensors", "001", "--budget", "5").exit_code == 2
    alone, beside = (
        json.loads(good("evaluate", "san-francisco", "--sensors", "001", *keep, "--json"))
        for keep in ([], ["--keep", "064"])
    )
    assert beside["total_coverage"] > alone["total_coverage"]

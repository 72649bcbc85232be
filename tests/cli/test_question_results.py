"""Answers about networks as they are printed: tables, what is not known, and parts of a test."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import spineq as sq
from spineq.cli.question_results import (
    finish_question,
    finish_scenarios,
    is_question,
    share,
)
from spineq.cli.results import finish_answer
from spineq.insight.scenarios import Answer
from spineq.progress import RecordingProgress

CITY = sq.demo_city("synthetic", n_areas=40)
GROUPS = {"older": sq.Group(ages=(66, 90)), "jobs": sq.Group(column="workers")}
NET = sq.optimise(CITY, n_sensors=4, groups=GROUPS)


def said(capsys: pytest.CaptureFixture[str], answer: Any, folder: Path | None = None) -> list[str]:
    """Lines that an answer is printed as."""
    finish_question(answer, CITY, folder, as_json=False)
    return capsys.readouterr().out.splitlines()


def rows(lines: list[str]) -> list[list[str]]:
    """Cells of the table's rows."""
    start = next(k for k, line in enumerate(lines) if set(line) == {"-"})
    end = next(k for k, line in enumerate(lines) if k > start and not line)
    return [re.split(r"\s{2,}", line) for line in lines[start + 1 : end]]


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (0.0, "none"),
        (1e-12, "none"),
        (-1e-12, "none"),
        (1e-5, "below 0.01 %"),
        (0.0004, "0.04 %"),
        (0.0099, "0.99 %"),
        (0.05, "5.0 %"),
        (1.0, "100.0 %"),
        (-0.0024, "\N{MINUS SIGN}0.24 %"),
    ],
)
def test_shares_are_as_fine_as_they_are_small(part: float, text: str) -> None:
    """What is lost is never called nothing where it is something."""
    assert share(part) == text


def test_every_sensor_has_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that stay too, without what was not asked of them."""
    stays = next(site for site in CITY.sites.index if site not in NET.placement_history)
    net = sq.optimise(CITY, n_sensors=3, keep=[stays])
    found = sq.explain(CITY, net)
    made = rows(said(capsys, found))
    assert [row[0] for row in made] == ["stays", "1", "2", "3"]
    assert [row[1] for row in made] == net.placement_history
    assert made[0][5:] == ["-", "-", "-"]
    for row, sensor in zip(made, found.sensors, strict=True):
        assert row[4] == share(sensor.loss / found.value)
        assert row[2] == f"{sensor.people_near['pop_total']:,.0f}"
    table = rows(said(capsys, sq.robustness(CITY, net)))
    assert [row[0] for row in table] == ["1 (stays)", "2", "3", "4"]


def test_places_that_are_no_sites_are_named_by_their_area(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """In every table, and in the file of sentences."""
    net = sq.evaluate(CITY, CITY.site_xy[:2] + 50.0)
    area = net.sensors["area"].iloc[0]
    for found in (sq.explain(CITY, net), sq.robustness(CITY, net)):
        assert rows(said(capsys, found, tmp_path))[0][1] == f"in {area}"
    assert area in (tmp_path / "explanation.txt").read_text(encoding="utf-8")
    shares = rows(said(capsys, sq.stability(CITY, net, n_scenarios=2)))
    assert shares[0][1:4] == ["-", area, "-"]


def test_the_given_network_heads_its_alternatives(capsys: pytest.CaptureFixture[str]) -> None:
    """What each reaches, what it loses, and what differs."""
    found = sq.alternatives(CITY, NET, 2, min_different=2)
    made = rows(said(capsys, found))
    assert made[0] == ["given", f"{100 * NET.objective_value:.2f} %"]
    for row, each in zip(made[1:], found.found, strict=True):
        assert row[1:4] == [
            f"{100 * each.value:.2f} %", share(each.loss / NET.objective_value), "yes",
        ]  # fmt: skip
        assert row[4:] == [" ".join(each.comes), " ".join(each.goes)]


def test_what_was_maximised_has_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The mean is coverage; others are called what they are."""
    fair = sq.optimise(CITY, n_sensors=2, groups=GROUPS, objective="worst")
    lines = said(capsys, sq.alternatives(CITY, fair, 1))
    assert any(line.startswith("network  worst-off group") for line in lines)
    curve = sq.coverage_curve(CITY, numbers=[2], groups=GROUPS, aversion=2.0)
    assert any("equivalent coverage  at most" in line for line in said(capsys, curve))
    curve = sq.coverage_curve(CITY, numbers=[2], method="greedy", bound="none")
    assert rows(said(capsys, curve))[0][2:4] == ["-", "no"]


@pytest.mark.parametrize("name", ["explain", "robustness", "alternatives", "stability"])
@pytest.mark.parametrize("after", [1, 2])
def test_what_was_stopped_is_printed_and_written(
    name: str, after: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What is found by then, and that it was stopped; JSON has no NaN."""
    found = getattr(sq, name)(CITY, NET, progress=RecordingProgress(stop_after=after))
    assert found.stopped
    assert "stopped" in " ".join(said(capsys, found, tmp_path))
    assert list(tmp_path.glob("*.json"))
    finish_question(found, CITY, None, as_json=True)
    assert json.loads(capsys.readouterr().out)["stopped"] is True


def test_a_curve_of_no_numbers_is_printed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without a table or a picture."""
    curve = sq.coverage_curve(CITY, numbers=[3], progress=RecordingProgress(stop_after=1))
    assert said(capsys, curve, tmp_path)[0].startswith("The search was stopped")
    assert not list(tmp_path.glob("*.png"))


def test_long_tables_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """And it is said how much is left out."""
    net = sq.optimise(CITY, n_sensors=35, method="greedy")
    lines = said(capsys, sq.robustness(CITY, net))
    assert len(rows(lines)) == 31
    assert "... and 5 more" in lines


def test_what_is_no_answer_to_a_question_is_told_apart() -> None:
    """By its class, not by its methods."""
    assert is_question(sq.robustness(CITY, NET))
    assert not is_question(NET)
    assert not is_question(pd.DataFrame())
    assert not is_question(({"answers": []}, False))


ANSWERS = [Answer(0, (1, 2), 0.5, 0.50001, 0.4), Answer(3, (1,), 0.25, None, 0.25)]


def test_parts_of_a_test_are_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Bounds are rounded up; what is not known is a dash; what puts them together is named."""
    job: Any = SimpleNamespace(task="scenario", id="abc")
    finish_answer((ANSWERS, True), job, CITY, tmp_path, as_json=False)
    out = capsys.readouterr().out
    assert "2 scenarios of a test" in out
    assert "stopped" in out
    assert "spineq stability" in out
    assert rows(out.splitlines()) == [
        ["0", "40.0 %", "50.0 %", "50.1 %"],
        ["3", "25.0 %", "25.0 %", "-"],
    ]
    made = json.loads((tmp_path / "scenarios.json").read_text(encoding="utf-8"))
    finish_scenarios((ANSWERS, True), None, as_json=True)
    assert json.loads(capsys.readouterr().out) == made
    assert [Answer.from_dict(each) for each in made["answers"]] == ANSWERS


def test_answers_of_jobs_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """A question's is printed as one."""
    job: Any = SimpleNamespace(task="robustness", id="abc")
    found = sq.robustness(CITY, NET)
    finish_answer(found, job, CITY, None, as_json=True)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(found.to_dict()))

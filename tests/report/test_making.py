"""A report from beginning to end, on a small city: what is in the folder, and what is not."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from command_line import good, run
from studies import town

import spineq as sq
from spineq.errors import NotebookError, StoreError
from spineq.progress import RecordingProgress
from spineq.report import execution, making
from spineq.report.bundle import Bundle
from spineq.report.making import write_report

pytestmark = pytest.mark.slow

ASKED = {"city": "san-francisco", "n_sensors": 4, "groups": ["pop_children", "workplace"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], ModuleType]) -> Path:
    """A report on the demo city with existing sensors, by the command line."""
    for name in ("papermill", "nbconvert", "openpyxl", "moocore"):
        needs(name)
    place = tmp_path_factory.mktemp("report")
    existing = place / "existing.csv"
    sites = sq.demo_city().sites.iloc[[5, 60, 100]]
    sites[["x", "y"]].to_csv(existing, index_label="sensor_id")
    good(
        "report", "san-francisco", "-n", 4, "--group", "children:0-15:2", "--group",
        "jobs:workers", "--existing", existing, "--what-if", "--output", place / "out",
    )  # fmt: skip
    return place / "out"


def test_the_folder_has_everything(folder: Path) -> None:
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert names == {"report.html", "report.ipynb", "what-if.html", "figures", "data"}
    data = {path.name for path in (folder / "data").iterdir()}
    assert data >= {
        "network.nc", "network.gpkg", "network.xlsx", "sensors.csv", "sensors.geojson",
        "areas.csv", "groups.csv", "groups-existing.csv", "front.nc", "front.csv", "city",
        "places.csv", "places.json", "alternatives.csv", "failures.json", "other-numbers.csv",
        "by-number.csv", "fewest.csv", "given-up.csv", "moved.csv", "moved-to.csv",
    }  # fmt: skip
    assert len(list((folder / "figures").glob("*.png"))) == 12
    hidden = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    assert hidden == [".spineq-report.json"]


def test_its_figures_are_those_of_a_run(folder: Path) -> None:
    """What is written is what optimise answers, to the last bit."""
    groups = {"children": sq.Group(ages=(0, 15), weight=2), "jobs": sq.Group(column="workers")}
    city = sq.read_city(folder / "data" / "city")
    net = sq.optimise(city, n_sensors=4, groups=groups)
    assert sq.read_network(folder / "data" / "network.nc") == net
    assert pd.read_csv(folder / "data" / "sensors.csv", dtype=str)["site"].tolist() == list(
        net.placement_history
    )
    assert len(gpd.read_file(folder / "data" / "network.gpkg", layer="sensors")) == 4
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"{100 * net.total_coverage:.1f}&nbsp;%" in page or (
        f"{100 * net.total_coverage:.1f}\N{NO-BREAK SPACE}%" in page
    )


def test_the_page_tells_all_sections(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    headings = re.findall(r"<h2 id='section-\d+'>([^<]+)</h2>", page)
    assert headings == [
        "The city and its people", "The network", "Why these places", "Near-best alternatives",
        "Against the existing sensors", "How few, and which to move", "Who is left behind",
        "More for one group, less for another", "How sure", "How far to trust this",
        "How this was made",
    ]  # fmt: skip
    assert "<h1>4 sensors in San Francisco</h1>" in page
    assert "import spineq" not in page
    assert len(re.findall("<img ", page)) == 12
    for said in ("Hardest to do without", "Whichever 3 sensors fail", "in 50 scenarios"):
        assert said in page
    assert "switched off" not in page
    assert "cannot be worked out" not in page
    assert len(re.findall("<iframe ", page)) == 1


def test_the_answers_beside_the_page_are_those_of_the_library(folder: Path) -> None:
    """A reader of the JSON has the library's own answers."""
    city = sq.read_city(folder / "data" / "city")
    net = sq.read_network(folder / "data" / "network.nc")
    made = json.loads((folder / "data" / "places.json").read_text(encoding="utf-8"))
    assert made == json.loads(json.dumps(sq.explain(city, net).to_dict()))
    lost = json.loads((folder / "data" / "failures.json").read_text(encoding="utf-8"))
    assert lost["worst_sensors"] == list(sq.robustness(city, net, failures=3).worst_sensors)
    gone = pd.read_csv(folder / "data" / "given-up.csv", dtype=str)
    assert len(gone) == 1


@pytest.mark.parametrize(
    ("rules", "title", "sentence"),
    [
        ({"reach": "existing"}, "The fewest sensors in", "Proven fewest: "),
        ({"retire": 2, "move_at_most": 1}, "Sensors to give up and to move in", "Proven best: "),
        ({"retire": 1}, "Sensors to give up in", "Proven best: "),
    ],
)
def test_a_report_on_what_there_is_today(
    rules: dict[str, Any],
    title: str,
    sentence: str,
    tmp_path: Path,
    needs: Callable[[str], ModuleType],
) -> None:
    """The fewest for what there is, and what of it to give up or to move, from end to end."""
    for name in ("papermill", "nbconvert", "openpyxl", "moocore"):
        needs(name)
    asked = {"rules": rules, "groups": ["pop_total"], "scenarios": 0}
    page = write_report(asked, tmp_path / "out", city=town(30), what_if=True)
    assert page is not None
    text = page.read_text(encoding="utf-8")
    assert f"<h1>{title} Synthetic city" in text
    assert sentence in text
    assert "cannot be worked out" not in text
    assert (tmp_path / "out" / "what-if.html").is_file()


def test_the_notebook_can_be_run_again_elsewhere(folder: Path) -> None:
    """Its parameters name the city beside it, and no place of this machine."""
    notebook = json.loads((folder / "report.ipynb").read_text(encoding="utf-8"))
    (given,) = [
        "".join(cell["source"])
        for cell in notebook["cells"]
        if "injected-parameters" in cell["metadata"].get("tags", ())
    ]
    assert 'city = "data/city"' in given
    assert str(folder) not in given
    assert not any(
        output["output_type"] == "error"
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["san-francisco", "-p", "n_sensor=3"], "a report has no parameter 'n_sensor'"),
        (["san-francisco", "-p", "n_sensors=many"], "whole number, not 'many'"),
        (["san-francisco", "-p", "n_sensors"], "is not NAME=VALUE"),
        (["san-francisco", "-p", "theta=[1"], "this is not YAML"),
        (["san-francisco", "-n", 500], "more than the city's 190 sites"),
        (["nowhere"], "no such file or folder"),
        ([], "Missing argument 'CITY'"),
        (["san-francisco", "--parameters", "none.yml"], "no such file"),
        (["san-francisco", "--existing", "none.csv"], "no such file"),
    ],
)
def test_bad_input_is_a_sentence_and_writes_nothing(
    words: list[Any], sentence: str, tmp_path: Path
) -> None:
    made = run("report", *words, "--output", tmp_path / "out")
    assert made.exit_code == 2
    assert sentence in made.stderr
    assert "Traceback" not in made.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    made = run("report", "san-francisco", "--output", tmp_path / "file")
    assert made.exit_code == 2
    assert "file and no folder" in made.stderr
    made = run("report", "san-francisco", "--output", tmp_path / "file" / "below")
    assert made.exit_code == 2
    if os.geteuid() != 0:
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
        with pytest.raises(StoreError, match="cannot be written"):
            write_report(ASKED, locked / "out")


def test_a_failed_run_keeps_the_notebook_with_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, needs: Callable[[str], ModuleType]
) -> None:
    """The sentence says which cell, and where the notebook is; an earlier report stays."""
    needs("papermill")
    source = json.loads(execution.notebook_named("report").read_text(encoding="utf-8"))
    for cell in source["cells"]:
        if "about_city.groups" in "".join(cell["source"]):
            cell["source"] = ["raise RuntimeError('no paper')"]
    broken = tmp_path / "broken.ipynb"
    broken.write_text(json.dumps(source), encoding="utf-8")
    monkeypatch.setattr(making, "notebook_named", lambda _: broken)
    out = tmp_path / "out"
    Bundle({"report.html": b"earlier", "data/groups.csv": b"earlier"}).write(out)
    with pytest.raises(NotebookError, match=r"cell .*'The city and its people'.*no paper") as error:
        write_report(ASKED, out)
    assert str(out / "report.ipynb") in str(error.value)
    assert "no paper" in (out / "report.ipynb").read_text(encoding="utf-8")
    assert (out / "report.html").read_text() == "earlier"
    names = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
    assert names == ["data", "report.html", "report.ipynb"]


def test_a_stop_writes_nothing(tmp_path: Path, needs: Callable[[str], ModuleType]) -> None:
    needs("papermill")
    progress = RecordingProgress(stop_after=4)
    assert write_report(ASKED, tmp_path / "new" / "out", progress=progress) is None
    assert list(tmp_path.iterdir()) == []

"""The what-if page as a file: what is in it, how large it is, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from networks import network_of

import spineq as sq
from spineq.errors import ProblemError
from spineq.report import page_figures
from spineq.report.page_figures import payload
from spineq.report.page_shapes import packed, shapes

NOWHERE = np.empty((0, 2))


@pytest.fixture(scope="module")
def city() -> sq.City:
    """Some areas with polygons."""
    return sq.demo_city("synthetic", n_areas=30, seed=2)


@pytest.fixture(scope="module")
def network(city: sq.City) -> sq.Network:
    return sq.optimise(city, n_sensors=3, method="greedy", bound="none")


def unpacked(written: dict[str, Any]) -> np.ndarray[Any, Any]:
    """What the page's script makes of packed numbers."""
    raw = base64.b64decode(written["data"])
    return np.frombuffer(raw, dtype=f"<{written['kind']}").astype(float) / written["scale"]


def test_the_page_asks_nobody_for_anything(
    city: sq.City, network: sq.Network, tmp_path: Path
) -> None:
    """One file, a policy that allows its own script and style alone, and no addresses."""
    path = sq.what_if(network, city, tmp_path / "new" / "page.html")
    assert list((tmp_path / "new").iterdir()) == [path]
    text = path.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none';")
    for tag in ("style", "script"):
        found = re.search(rf"<{tag}>(.*?)</{tag}>", text, flags=re.DOTALL)
        assert found is not None
        digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    # The name of SVG's elements is no address.
    assert set(re.findall(r"https?://[^\s\"']*", text)) == {"http://www.w3.org/2000/svg"}
    assert set(re.findall(r'(?:src|href)="([^"]*)"', text)) == {"#figures", "data:,"}
    assert "{{" not in text


def test_a_thousand_areas_take_little_room(tmp_path: Path) -> None:
    """A page for 1,000 areas is far below 5 MB."""
    city = sq.demo_city("synthetic", n_areas=1000, seed=1)
    network = sq.evaluate(city, list(city.sites.index[:30]), bound="none")
    assert sq.what_if(network, city, tmp_path / "page.html").stat().st_size < 300_000


@pytest.mark.parametrize("what", ["front", "city for network", "network for city", "other city"])
def test_what_does_not_fit_is_refused(
    what: str, city: sq.City, network: sq.Network, tmp_path: Path
) -> None:
    """Wrong things get one sentence with a mend, and leave no file."""
    other = sq.demo_city("synthetic", n_areas=31, seed=2)
    given: Any
    if what == "front":
        groups = {name: sq.GROUPS[name] for name in ("pop_total", "workplace")}
        front = sq.trade_off(city, n_sensors=2, theta=500, groups=groups)
        given, words = (front, city), r"Choose one of its networks"
    else:
        given, words = {
            "city for network": ((city, city), r"a network is needed, not <City"),
            "network for city": ((network, network), r"a city is needed, not <Network"),
            "other city": ((network, other), r"was made for .* not for this"),
        }[what]
    with pytest.raises(sq.SpineqError, match=words):
        sq.what_if(*given, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_refused(
    city: sq.City, network: sq.Network, tmp_path: Path
) -> None:
    """No path, a folder, and a folder below a file: one sentence, and what was there stays."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    for path in (7, tmp_path / "folder", tmp_path / "file" / "page.html"):
        with pytest.raises(sq.SpineqError, match=r"\w+"):
            sq.what_if(network, city, path)  # type: ignore[arg-type]
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


@given(
    arrays.arrays(np.float64, st.integers(0, 20), elements=st.floats(-1e15, 1e15)),
    st.sampled_from([None, 0, 1, 2, 3]),
)
def test_numbers_come_back_bit_for_bit(values: np.ndarray[Any, Any], decimals: int | None) -> None:
    """Whatever form numbers are written in, they are the same numbers."""
    if decimals is not None:
        values = np.round(np.abs(values) % 1e6, decimals)
    np.testing.assert_array_equal(unpacked(packed(values)), values)


@pytest.mark.parametrize(
    ("values", "kind", "scale"),
    [
        ([0, 255], "u1", 1),
        ([256], "u2", 1),
        ([0.5, 40.1], "u2", 10),
        ([423_456.78], "u4", 100),
        ([-1.0], "f8", 1),
        ([1 / 3], "f8", 1),
    ],
)
def test_numbers_take_few_bytes(values: list[float], kind: str, scale: int) -> None:
    """Counts and rounded numbers are whole numbers of few bytes."""
    written = packed(np.array(values))
    assert (written["kind"], written["scale"]) == (kind, scale)


def test_outlines_are_simpler_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each area has an outline near its own, also where there are too many corners."""
    circles = shapely.buffer(shapely.points([[0, 0], [5000, 0], [0, 4000]]), 900, quad_segs=500)
    frame = pd.DataFrame({"area_id": list("abc"), "population": [1, 2, 3]})
    import geopandas as gpd

    city = sq.City.from_frame(gpd.GeoDataFrame(frame, geometry=circles, crs="EPSG:27700"))

    def area_of(made: dict[str, Any]) -> float:
        x, y = unpacked(made["x"]) * made["step"], unpacked(made["y"]) * made["step"]
        ends = np.cumsum(unpacked(made["corners"])).astype(int)
        rings = np.split(np.column_stack([x, y]), ends[:-1])
        return float(sum(shapely.Polygon(ring).area for ring in rings))

    made = shapes(city, NOWHERE)
    assert unpacked(made["rings"]).tolist() == [1, 1, 1]
    assert unpacked(made["corners"]).sum() == len(unpacked(made["x"])) < 1000
    assert area_of(made) == pytest.approx(3 * np.pi * 900**2, rel=0.01)
    monkeypatch.setattr("spineq.report.page_shapes.MOST_CORNERS", 40)
    coarse = shapes(city, NOWHERE)
    assert len(unpacked(coarse["x"])) < 40
    assert area_of(coarse) == pytest.approx(3 * np.pi * 900**2, rel=0.15)


def test_a_travel_table_is_in_the_page_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full table need not name its targets; one that is too large is refused with its size."""
    city = sq.demo_city("synthetic", n_areas=12, seed=2)
    pairs = [(site, area) for site in city.sites.index for area in city.sites.index]
    table = pd.DataFrame(pairs, columns=["site", "area"])
    table["cost"] = np.random.default_rng(0).integers(0, 400, len(table)) / 10
    there = city.with_travel(table, unit="minutes")
    network = sq.evaluate(there, ["A01"], theta=10)
    travel = payload(network, there)["travel"]
    assert travel["target"] is None
    assert travel["cost"]["kind"] == "u2"
    np.testing.assert_array_equal(unpacked(travel["cost"]).reshape(12, 12)[3], table["cost"][36:48])
    monkeypatch.setattr(page_figures, "MOST_TRAVEL", 100)
    with pytest.raises(sq.SpineqError, match=r"field travel: .* 144 pairs, .* Leave out pairs"):
        payload(network, there)


def test_the_page_knows_what_was_owed_and_may_not_be_used(city: sq.City) -> None:
    """Groups that are only owed something are shown; forbidden sites and kept ones are closed."""
    owed: Any = {"older": (sq.Group(ages=(70, 90)), 0.01)}
    network = network_of(
        city, [4, 1, 2], kept=1, keep=[city.sites.index[4]], forbid=["A03"], at_least=owed
    )
    data = payload(network, city)
    assert "older" in [group["name"] for group in data["groups"]]
    assert len(unpacked(data["people"])) == len(data["groups"]) * city.n_areas
    assert data["sites"]["closed"] == [2, 4]
    assert [sensor["kept"] for sensor in data["sensors"]] == [True, False, False]
    assert data["words"]["rules"]


def test_only_plain_names_are_for_the_list() -> None:
    """A site whose id has a comma, or is that of another area, is copied as a place."""
    frame = pd.DataFrame({"area_id": ["a", "b"], "x": [0, 900], "y": [0, 0], "population": [1, 1]})
    sites = pd.DataFrame({"site_id": ["a", "c,d", "e"], "x": [899, 5, 6], "y": [1, 0, 0]})
    city = sq.City.from_frame(frame, crs="EPSG:27700").with_sites(sites)
    data = payload(sq.evaluate(city, ["b", "e"], bound="none"), city)
    assert data["sites"]["unnamed"] == [0, 1]
    assert [sensor["named"] for sensor in data["sensors"]] == [True, False]
    assert [sensor["site"] for sensor in data["sensors"]] == [-1, 2]


def test_the_data_cannot_end_the_script(city: sq.City, tmp_path: Path) -> None:
    """What looks like HTML or a place to fill is kept as data, and comes back as it was."""
    evil = "</script><!-- & {{style}} \u00e9"
    named = city.labelled(name=evil, note=evil)
    path = sq.what_if(sq.evaluate(named, ["A01"], bound="none"), named, tmp_path / "page.html")
    text = path.read_text(encoding="utf-8")
    assert text.count("</script>") == 2
    assert "<title>Sensors in &lt;/script&gt;&lt;!-- &amp; {{style}} \u00e9: what if?" in text
    found = re.search(r'application/json" id="given">(.*?)</script>', text, flags=re.DOTALL)
    assert found is not None
    assert not set("<>&") & set(found[1])
    words = json.loads(found[1])["words"]
    assert (words["city"], words["note"]) == (evil, evil)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"kinds": {"near": sq.Kind(300, 1), "far": sq.Kind(800, 1)}}, "kinds"),
        ({"n_sensors": 2, "failure_probability": 0.1}, "failure_probability"),
    ],
)
def test_what_a_browser_does_not_compute_is_refused(
    words: dict[str, Any], field: str, tmp_path: Path
) -> None:
    """Sensors of several kinds, and ones that may fail; with what to do instead."""
    city = sq.demo_city("synthetic", n_areas=30)
    with pytest.raises(ProblemError, match="evaluate") as refused:
        sq.what_if(sq.optimise(city, **words), city, tmp_path / "page.html")
    assert refused.value.field == field
    assert not list(tmp_path.iterdir())

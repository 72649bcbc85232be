"""Walks along streets: hand-computed ones, laws, and what is refused or warned of."""

from __future__ import annotations

import warnings
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from streets import CRS, ORIGIN, river_lines, river_tables, sites_at, town, walk

import spineq as sq
from spineq.errors import DataError, SpineqWarning, UnreadableFileError
from spineq.model.city import City
from spineq.travel import from_streets, walking

PLACES = {
    "sw": (0.0, 0.0), "bank": (0.0, 400.0), "over": (0.0, 500.0), "mid": (500.0, 300.0),
    "north": (500.0, 900.0), "bridge": (1000.0, 400.0), "ne": (1000.0, 900.0),
}  # fmt: skip


def table(frame: pd.DataFrame, by: str = "point") -> dict[tuple[str, str], float]:
    return dict(zip(zip(frame["site"], frame[by], strict=True), frame["cost"], strict=True))


@pytest.mark.parametrize("streets", [river_lines(), river_tables()], ids=["lines", "tables"])
def test_walks_are_those_worked_out_by_hand(streets: Any) -> None:
    """On a grid with a river and one bridge each walk is the formula's, and a few in figures."""
    made = table(from_streets(town(PLACES), streets, limit=5000))
    assert len(made) == len(PLACES) ** 2
    for (a, b), cost in made.items():
        assert cost == pytest.approx(walk(PLACES[a], PLACES[b])), (a, b)
    assert made["bank", "over"] == pytest.approx(2100)  # 100 m as the crow flies
    assert made["mid", "north"] == pytest.approx(1600)
    assert made["bridge", "ne"] == pytest.approx(500)
    assert made["sw", "sw"] == 0


def test_what_is_beyond_the_limit_is_not_listed() -> None:
    """A walk just as long as the limit is listed, one a little longer is not."""
    city = town(PLACES)
    assert ("bank", "over") in table(from_streets(city, river_lines(), limit=2100))
    assert ("bank", "over") not in table(from_streets(city, river_lines(), limit=2099.9))


def test_the_way_to_the_street_counts() -> None:
    """Somebody 30 m off a street, in the middle of its block, walks 30 m to it and 50 m along."""
    city = town({"a": (150, 130), "b": (200, 120)}).with_sites(sites_at({"s": (100, 100)}))
    made = from_streets(city, river_lines())
    # b is 20 m above the street y=100, and on the street x=200: it needs no step to get there.
    assert table(made) == pytest.approx({("s", "a"): 80, ("s", "b"): 120})
    told = made.attrs["streets"]["points"]
    assert told["largest_snap"] == 30
    assert told["far"] == 0
    same = city.with_sites(sites_at({"s": (150, 130)}))
    assert table(from_streets(same, river_lines()))["s", "a"] == 0  # the same place


def test_two_places_on_one_street_need_not_go_to_its_end() -> None:
    """Both in the same block, 10 m apart: the walk is 10 m, and not by way of a junction."""
    city = town({"a": (140, 100)}).with_sites(sites_at({"s": (150, 100), "t": (195, 100)}))
    made = table(from_streets(city, river_lines()))
    assert made == pytest.approx({("s", "a"): 10, ("t", "a"): 55})


def test_the_network_changes_sides_with_the_river() -> None:
    """A site on the bank covers both banks as the crow flies; on foot the larger side wins."""
    city = town({"n": (0, 500), "s": (0, 300)}, [500, 400])
    city = city.with_sites(sites_at({"south bank": (0, 400), "north": (0, 600)}))
    flown = sq.optimise(city, n_sensors=1, theta=200)
    assert list(flown.sensors["site"]) == ["south bank"]
    walked = city.with_travel(from_streets(city, river_lines(), limit=5000))
    net = sq.optimise(walked, n_sensors=1, theta=200)
    assert list(net.sensors["site"]) == ["north"]
    by_hand = (500 * np.exp(-100 / 200) + 400 * np.exp(-2300 / 200)) / 900
    assert net.total_coverage == pytest.approx(by_hand)


def test_the_city_tells_what_its_distances_are() -> None:
    """In its note, which reports show, and once."""
    city = town({"a": (250, 230)}).labelled(note="Made by hand.")
    made = from_streets(city, river_lines(), limit=5000)
    walked = city.with_travel(made)
    first, second = walked.label.note.splitlines()
    assert first == "Made by hand."
    assert second == (
        "Distances are walks of at most 5,000 m along 19 km of streets, with the way to the "
        "nearest street: in the median, sites 30 m (at most 30 m) and points 30 m (at most 30 m)."
    )
    assert walked.with_travel(made).label.note == walked.label.note


def test_without_a_bridge_the_banks_reach_nothing_of_each_other() -> None:
    """Two parts: no pair across, and both warnings say so."""
    city = town(PLACES)
    with pytest.warns(SpineqWarning, match="not connected with most") as caught:
        made = from_streets(city, river_lines(bridge=False), limit=5000)
    assert {"sites", "points"} <= {str(w.message).split()[3] for w in caught}
    for a, b in table(made):
        assert (PLACES[a][1] <= 400) == (PLACES[b][1] <= 400)
    told = made.attrs["streets"]
    assert told["parts"] == 2
    assert told["sites"]["not_on_largest_part"] == 3
    # The southern part has 55 junctions, ten streets of 1,000 m and eleven of 400 m.
    assert told["kilometres"] == pytest.approx(2 * (5 * 1.0 + 11 * 0.4))


def test_streets_that_cross_without_a_common_vertex() -> None:
    """One warning says what is to be done, and none advises to leave all of them out."""
    ways = [[(0, y), (900, y)] for y in range(0, 901, 100)]
    ways += [[(x + 50, -50), (x + 50, 950)] for x in range(0, 900, 100)]
    streets = gpd.GeoDataFrame(
        geometry=[shapely.LineString(np.array(way, dtype=float) + ORIGIN) for way in ways], crs=CRS
    )
    with pytest.warns(SpineqWarning, match=r"Lines that merely cross .* split them") as caught:
        from_streets(town({"a": (0, 0), "b": (200, 200), "c": (300, 300)}), streets)
    assert len(caught) == 1


def test_more_walks_than_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MOST_PAIRS", 48)
    with pytest.raises(DataError, match=r"more than 48 walks .* Give a smaller limit"):
        from_streets(town(PLACES), river_lines(), limit=5000)
    monkeypatch.setattr(walking, "MOST_PAIRS", 49)
    assert len(from_streets(town(PLACES), river_lines(), limit=5000)) == 49


def test_small_parts_may_be_left_out() -> None:
    """A path that leads nowhere catches a site, unless parts as small as it are left out."""
    path = gpd.GeoDataFrame(
        geometry=[shapely.LineString(np.array([[240, 235], [260, 235]]) + ORIGIN)], crs=CRS
    )
    streets = pd.concat([river_lines(), path], ignore_index=True)
    city = town({"a": (200, 200)}).with_sites(sites_at({"s": (250, 230), "t": (200, 300)}))
    with (
        pytest.warns(SpineqWarning, match="1 of 2 sites have nothing within reach"),
        pytest.warns(SpineqWarning, match=r"1 of 2 sites .*least_part"),
    ):
        alone = from_streets(city, streets)
    assert ("s", "a") not in table(alone)
    made = from_streets(city, streets, least_part=0.01)
    assert table(made)["s", "a"] == pytest.approx(30 + 50)
    with pytest.raises(DataError, match=r"no part .* at most 0\.99"):
        from_streets(city, streets, least_part=1.0)


def test_by_area_and_by_point() -> None:
    """Walks lead to every demand point, or to the points of areas; both go into a city."""
    points = pd.DataFrame({"area_id": ["a", "a"], "share": [0.5, 0.5]}).assign(
        x=ORIGIN[0] + np.array([100.0, 300.0]), y=ORIGIN[1]
    )
    city = town({"a": (200, 0)}).with_demand(points).with_sites(sites_at({"s": (0, 0)}))
    made = from_streets(city, river_lines())
    assert list(made["cost"]) == pytest.approx([100, 300])
    of_areas = from_streets(city, river_lines(), by="area")
    assert table(of_areas, "area") == pytest.approx({("s", "a"): 200})
    for frame in (made, of_areas):
        held = city.with_travel(frame)
        assert held.travel is not None
        assert np.array_equal(held.travel.cost, frame["cost"])


def test_a_bridge_over_a_street_does_not_meet_it() -> None:
    """Lines that cross without a common vertex are not joined."""
    lines = [
        [(0, 0), (200, 0)],
        [(100, -100), (100, 100)],
        [(0, 0), (0, 100)],
        [(0, 100), (100, 100)],
    ]
    streets = gpd.GeoDataFrame(
        geometry=[shapely.LineString(np.array(line) + ORIGIN) for line in lines], crs=CRS
    )
    city = town({"a": (200, 0)}).with_sites(sites_at({"s": (100, -100)}))
    assert table(from_streets(city, streets))["s", "a"] == pytest.approx(200 + 100 + 100 + 200)


@st.composite
def crowds(draw: st.DrawFn) -> City:
    """Areas anywhere in the town, some at one place, which are the sites as well."""
    step = st.integers(0, 100)
    places = draw(st.lists(st.tuples(step, st.integers(0, 90)), min_size=2, max_size=7))
    return town({f"p{k}": (10.0 * x, 10.0 * y) for k, (x, y) in enumerate(places)})


def matrix(city: City, streets: Any, limit: float = 9000.0) -> np.ndarray[Any, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpineqWarning)
        made = from_streets(city, streets, limit=limit)
    held = np.full((city.n_sites, city.n_points), np.inf)
    held[made["site"].cat.codes, made["point"].cat.codes] = made["cost"]
    return held


@given(crowds(), st.booleans())
def test_walks_are_distances(city: City, bridge: bool) -> None:
    """Never shorter than the straight line; as long there as back; no detour is shorter."""
    made = matrix(city, river_lines(bridge))
    straight = cdist(city.site_xy, city.point_xy)
    assert (made >= straight - 1e-6).all()
    assert (np.diag(made) == 0).all()
    np.testing.assert_allclose(made, made.T, rtol=1e-12, atol=1e-9)
    detour = (made[:, :, None] + made[None, :, :]).min(axis=1)
    assert (made <= detour + 1e-6).all()


@given(crowds(), st.randoms(use_true_random=False))
def test_neither_order_nor_direction_of_streets_matters(city: City, random: Any) -> None:
    """Lines turned round, in another order, and cut at a vertex, give the same walks."""
    streets = river_lines()
    lines = list(streets.geometry)
    random.shuffle(lines)
    lines = [line.reverse() if random.random() < 0.5 else line for line in lines]
    cut = lines[0].coords
    lines[0:1] = [shapely.LineString(cut[:2]), shapely.LineString(cut[1:])]
    other = gpd.GeoDataFrame(geometry=lines, crs=CRS)
    np.testing.assert_allclose(matrix(city, other), matrix(city, streets), atol=1e-9)
    # To the last bit, where only the order differs.
    again = gpd.GeoDataFrame(geometry=list(streets.geometry)[::-1], crs=CRS)
    assert np.array_equal(matrix(city, again), matrix(city, streets))


@given(crowds(), st.integers(100, 3000))
def test_a_limit_only_leaves_out(city: City, limit: int) -> None:
    """With a limit, the same walks up to it and none beyond; more sites than points or fewer."""
    whole = matrix(city, river_lines())
    assert np.array_equal(
        matrix(city, river_lines(), limit), np.where(whole <= limit, whole, np.inf)
    )
    few = city.with_sites(sites_at({"only": (300.0, 300.0)}))
    many = city.with_sites(sites_at({f"s{k}": (10.0 * k, 300.0) for k in range(40)}))
    assert matrix(few, river_lines())[0] == pytest.approx(
        matrix(many, river_lines())[np.flatnonzero(many.dataset["site"] == "s30")[0]]
    )


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worked on in many small blocks, the walks are the same to the last bit."""
    city = town({f"a{k}": (k * 7 % 1000, k * 13 % 900) for k in range(60)})
    whole = matrix(city, river_lines())
    monkeypatch.setattr("spineq.travel.walking._BLOCK", 8 * 700)
    assert np.array_equal(matrix(city, river_lines()), whole)


def test_far_places_are_warned_of() -> None:
    """250 m from any street: the farthest is named, and what it walks is counted."""
    city = town({"a": (0, 0), "shed": (-250, 0)}).with_sites(sites_at({"s": (0, 0)}))
    with pytest.warns(SpineqWarning, match="1 of 2 points .* shed by 250 m"):
        made = from_streets(city, river_lines())
    assert table(made)["s", "shed"] == pytest.approx(250)
    assert made.attrs["streets"]["points"]["far"] == 1


def test_what_the_answer_says_of_itself() -> None:
    """Its attributes are plain figures, the ids are categories, and the rows are in order."""
    city = town(PLACES)
    made = from_streets(city, river_lines())
    told = made.attrs["streets"]
    assert told["junctions"] == 110
    assert told["streets"] == 189
    assert told["share_of_largest_part"] == 1
    assert told["pairs"] == len(made)
    assert told["unit"] == "m"
    assert made["site"].dtype == "category"
    assert made.equals(made.sort_values(["site", "point"], kind="stable"))
    assert city.with_travel(made, unit="m").travel_unit == "m"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"limit": 0}, "limit must be above 0"),
        ({"limit": float("nan")}, "limit must be above 0"),
        ({"limit": "far"}, "limit must be above 0.*'far'"),
        ({"limit": 1e9}, "at most 100,000"),
        ({"by": "house"}, "not to 'house'"),
        ({"least_part": 2}, "least_part must be 0 to 1"),
        ({"streets": 7}, "7 is no street network"),
        ({"streets": pd.DataFrame({"x": [1.0]})}, "no geometry"),
    ],
)
def test_bad_parameters_are_refused_in_plain_words(bad: dict[str, Any], words: str) -> None:
    """One sentence, with the value and what to do."""
    given_ = {"streets": river_lines(), **bad}
    with pytest.raises(DataError, match=words):
        from_streets(town(PLACES), **given_)


def test_streets_elsewhere_are_refused() -> None:
    """Streets of another town: none is near, and the message says what to check."""
    streets = river_lines()
    streets.geometry = streets.translate(1e5, 0)
    with pytest.raises(UnreadableFileError, match="no street anywhere near the city"):
        from_streets(town(PLACES), streets)


def test_nothing_in_reach_is_refused() -> None:
    """Not a single pair: an empty table would help nobody."""
    city = town({"a": (0, 0)}).with_sites(sites_at({"s": (900, 0)}))
    with pytest.raises(DataError, match="no site reaches any point within 100 m"):
        from_streets(city, river_lines(), limit=100)

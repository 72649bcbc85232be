"""Hypothesis strategies: small cities, as tables and as cities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from spineq.model.city import City
from spineq.model.problem import Problem

CRS = "EPSG:27700"

#: Where the cities lie, metres.
ORIGIN = np.array([420_000.0, 560_000.0])

#: Ways in which a table may give ages: none, the total, three bands, San Francisco's five.
AGES: tuple[tuple[str, ...], ...] = (
    (),
    ("population",),
    ("age_0_15", "age_16_65", "age_66_plus"),
    ("age_0_4", "age_5_19", "age_20_44", "age_45_64", "age_65_plus"),
)

_IDS = st.text("ABCäß0129_ -", min_size=1, max_size=5).map(str.strip).filter(bool)


def _counts(size: int) -> st.SearchStrategy[list[float]]:
    """Whole and broken counts that do not all vanish."""
    count = st.one_of(st.integers(0, 500).map(float), st.floats(0, 500, width=32))
    return st.lists(count, min_size=size, max_size=size).filter(lambda row: sum(row) > 0.5)


def _places(size: int) -> st.SearchStrategy[np.ndarray[Any, Any]]:
    """Coordinates of places in metres, (place, 2); some coincide, and ties are frequent."""
    step = st.integers(0, 20).map(lambda k: 100.0 * k)
    pairs = st.lists(st.tuples(step, step), min_size=size, max_size=size)
    return pairs.map(lambda xy: np.array(xy).reshape(-1, 2) + ORIGIN)


@st.composite
def area_frames(
    draw: st.DrawFn,
    min_areas: int = 1,
    max_areas: int = 8,
    *,
    ages: tuple[tuple[str, ...], ...] = AGES,
    columns: tuple[tuple[str, ...], ...] = ((), ("workers",), ("workers", "homes")),
) -> pd.DataFrame:
    """Tables of areas as the file contract wants them, rows in no order, without polygons.

    ``ages`` and ``columns`` are the sets of columns to choose from.
    """
    ids = draw(st.lists(_IDS, min_size=min_areas, max_size=max_areas, unique=True))
    size = len(ids)
    xy = draw(_places(size))
    made: dict[str, Any] = {"area_id": ids, "x": xy[:, 0], "y": xy[:, 1]}
    names = draw(st.tuples(st.sampled_from(ages), st.sampled_from(columns)).filter(any))
    for name in names[0] + names[1]:
        made[name] = draw(_counts(size))
    return pd.DataFrame(made)


@st.composite
def site_frames(draw: st.DrawFn, max_sites: int = 8) -> pd.DataFrame:
    """Tables of sites with ids of their own, some with a price and a ward, whole or in part."""
    ids = draw(st.lists(_IDS, min_size=1, max_size=max_sites, unique=True))
    xy = draw(_places(len(ids)))
    made = pd.DataFrame({"site_id": ids, "x": xy[:, 0], "y": xy[:, 1]})
    ward = st.sampled_from(["Byker", "Ouseburn", "7", None])
    for name, value in (("price", st.none() | st.floats(0, 1e4)), ("ward", ward)):
        if draw(st.booleans()):
            made[name] = draw(st.lists(value, min_size=len(ids), max_size=len(ids)))
    return made


@st.composite
def point_frames(draw: st.DrawFn, area_ids: list[str], most: int = 3) -> pd.DataFrame:
    """Tables of demand points, 1 to ``most`` an area, weighted."""
    parts = []
    for area_id in area_ids:
        size = draw(st.integers(1, most))
        xy = draw(_places(size))
        parts.append(
            pd.DataFrame(
                {"area_id": area_id, "x": xy[:, 0], "y": xy[:, 1], "weight": draw(_counts(size))}
            )
        )
    return pd.concat(parts, ignore_index=True)


@st.composite
def travel_frames(draw: st.DrawFn, city: City) -> pd.DataFrame:
    """Long tables of travel costs from sites to areas or points, not all of them in reach."""
    by = draw(st.sampled_from(["area", "point"]))
    targets = city.dataset[by].to_numpy()
    every = [(site, target) for site in city.dataset["site"].to_numpy() for target in targets]
    pairs = draw(st.lists(st.sampled_from(every), min_size=1, unique=True))
    cost = draw(st.lists(st.floats(0, 90), min_size=len(pairs), max_size=len(pairs)))
    return pd.DataFrame(pairs, columns=["site", by]).assign(cost=cost)


@st.composite
def cities(
    draw: st.DrawFn,
    min_areas: int = 1,
    max_areas: int = 8,
    *,
    points: bool = True,
    sites: bool = True,
    existing: bool = True,
    travel: bool = True,
) -> City:
    """Small cities; each part that is allowed is there in half of them."""
    city = City.from_frame(draw(area_frames(min_areas, max_areas)), crs=CRS, name="Drawn")
    if sites and draw(st.booleans()):
        city = city.with_sites(draw(site_frames()))
    if points and draw(st.booleans()):
        city = city.with_demand(draw(point_frames(list(city.dataset["area"].to_numpy()))))
    if existing and draw(st.booleans()):
        sensors = draw(site_frames(4)).rename(columns={"site_id": "sensor_id"})
        city = city.with_existing(sensors)
    if travel and draw(st.booleans()):
        city = city.with_travel(draw(travel_frames(city)), unit="minutes")
    return city


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Problems of every kind, which need not fit a city."""
    from spineq.model.groups import Group
    from spineq.model.kinds import Kind

    age_range = st.tuples(st.integers(0, 90), st.integers(0, 90)).map(sorted).map(tuple)
    weight = st.floats(0.01, 100)
    title = st.none() | st.text(st.characters(exclude_categories=["C", "Z"]), max_size=5)
    group = st.builds(Group, ages=age_range, weight=weight, title=title) | st.builds(
        Group, column=st.sampled_from(["workers", "homes"]), weight=weight, title=title
    )
    fields: dict[str, Any] = {"n_sensors": draw(st.integers(1, 99))}
    amount = st.floats(0, 1e6)
    names = st.text("abc_é", min_size=1, max_size=4)
    mode = draw(st.sampled_from(["number", "budget", "reach", "changes", "kinds"]))
    if mode == "budget":
        fields = {"budget": draw(amount), "site_cost": draw(st.sampled_from(["cost", "price"]))}
    elif mode == "reach":
        levels = st.dictionaries(names, st.tuples(group, st.floats(0.01, 1)), min_size=1)
        fields = {"reach": draw(st.just("existing") | levels)}
    elif mode == "changes":
        few = st.integers(1, 9)
        fields = {
            "retire": draw(few),
            "move_at_most": draw(few),
            "n_sensors": draw(st.none() | few),
        }
    elif mode == "kinds":
        kind = st.builds(Kind, st.floats(0.1, 1e4), st.integers(1, 9))
        fields = {"kinds": draw(st.dictionaries(names, kind, min_size=1, max_size=3))}
    free = mode in ("number", "budget")
    if free and draw(st.booleans()):
        limit = st.integers(1, 9) | st.dictionaries(
            st.sampled_from(["Byker", "7", "Ost"]), st.integers(0, 9), min_size=1
        )
        names = draw(st.sets(st.sampled_from(["max_per_region", "min_per_region"]), min_size=1))
        fields["region"] = "ward"
        fields |= {name: draw(limit) for name in sorted(names)}
    sites = draw(st.lists(_IDS, unique=True, max_size=6))
    keep, forbid, start = (tuple(sites[k::3]) for k in range(3))
    floors = st.dictionaries(
        st.text("abc_é", min_size=1, max_size=4), st.tuples(group, st.floats(0, 1)), max_size=2
    )
    aversion = 0.0 if mode == "reach" else draw(st.just(0.0) | st.floats(0.01, 0.99))
    plain = bool(aversion) or mode == "reach"
    return Problem(
        **fields,
        theta=draw(st.floats(1e-3, 1e5)),
        groups=draw(st.dictionaries(st.text("abc_é", min_size=1, max_size=4), group, max_size=3)),
        decay=draw(st.sampled_from(["exponential", "step", "linear", "gaussian"])),
        method=draw(st.sampled_from(["auto", "exchange", "greedy", "random", "branch_bound"])),
        seed=draw(st.integers(0, 2**40)),
        min_spacing=draw(amount),
        keep=keep if mode == "changes" else draw(st.sampled_from([keep, "existing"])),
        forbid=forbid,
        start=start if free else (),
        aversion=aversion,
        aversion_form=draw(st.sampled_from(["kolm_pollak", "atkinson"])),
        at_least={} if plain else draw(floors),
        objective="mean" if plain else draw(st.sampled_from(["mean", "worst", "worst_share"])),
        bound=draw(st.sampled_from([None, "none", "quick", "tight"])),
        effort=draw(st.floats(0.1, 10)),
        gap_limit=draw(st.floats(0, 1)),
    )

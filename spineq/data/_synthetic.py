"""A synthetic city of any size, so that scale can be tested without real data.

Source of the calibration: the 910 output areas (2011) of Newcastle upon Tyne,
with the Office for National Statistics' mid-year population estimates by single
year of age and the workplaces of the 2011 Census. With 910 areas and one town,
medians of people, land, density and distances come within 15 % of Newcastle's
and tails within 30 %, as a rule for any seed. It is no map of any place: the
coordinates lie in open sea, in the Gulf of Guinea.

The land is made here in four steps: outlines of the towns; how densely each piece
of their land is built up; the areas' points, drawn by that density; and their
Voronoi cells, clipped to the outline. The people come from `_synthetic_people`.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from spineq.data._synthetic_cells import (
    VERTICES,
    Floats,
    Ints,
    border_at,
    cells,
    even_out,
    pull_inside,
)
from spineq.data._synthetic_people import draw_people, smooth_noise, standardise

CRS: Final = "EPSG:32631"
"""UTM zone 31 north: easting 500,000, northing 0 is a point of the equator in open sea."""

_AREA_LAND: Final = 11_342.0 / 910 * 10_000
"""Square metres of land for each area: Newcastle's 11,342 hectares over its 910 areas."""

_BUILT: Final = 0.51
"""Part of the land that is built up; the rest is open: parks, moor, fields."""

_LAND_PERCENTS: Final = np.array([0, 5, 20, 41, 51, 51.01, 61, 100])
_LAND_HECTARES: Final = np.array([0.45, 0.65, 1.35, 3.3, 5.9, 50, 100, 1300])
"""Hectares for each point drawn, at these percentages of the land, the densest first.

In Newcastle half of the land lies in areas of less than 30 hectares, the other
half in the 4 % of areas that are larger. The figures here are fitted so that the
Voronoi cells come out like the areas: cells at the rim of the built-up land reach
out into the open, so that the points have to be closer than the cells are large."""

_LAND_NOISE: Final = ((350.0, 0.6), (1500.0, 0.9))
"""Steps in metres of the noise in the density of building, and the strength of each."""

_EDGE_STEP: Final = 6000.0
"""Step in metres of the noise that bends the rim of the built-up land.

Shorter waves make a longer rim, and with it too many large areas."""

_EDGE_OUTWARDS: Final = 3.0
"""Pull of built-up land to the middle: standard deviations of that noise, middle to border."""

_GRADIENT: Final = 1.12
"""Fall of log density over one town radius that the points are drawn with.

Newcastle's 0.20 per km is 1.2 over the 6 km that a round city of its land has. With
the radius as unit, a town has the same densities, whatever its size."""

_GRADIENT_ROUNDS: Final = 6
"""Corrections until the gradient is met; with fewer, seeds differ more."""


_PIECES: Final = 16
"""Pieces of land for each area, among which its point is drawn."""


@dataclass(frozen=True)
class SyntheticTables:
    """A synthetic city as plain tables.

    Attributes
    ----------
    xy
        (area, 2), metres in EPSG:32631: the area's point, inside its polygon.
    residents
        (area, age), people by single year of age 0 to 90 and over.
    workers
        (area,), people who work in the area.
    polygons
        (area,), shapely polygons, valid, not overlapping.
    """

    xy: Floats
    residents: Ints
    workers: Ints
    polygons: NDArray[np.object_]


def synthetic_tables(n_areas: int, towns: int = 1, seed: int = 0) -> SyntheticTables:
    """Make a city, or a country of towns, with the statistics of Newcastle upon Tyne.

    Parameters
    ----------
    n_areas
        Number of areas, at least 1, in all the towns together.
    towns
        Number of towns, from 1 to n_areas; their sizes follow Zipf's law.
    seed
        Another seed gives another city; the same one always the same.

    Returns
    -------
    SyntheticTables
        The areas, town by town, the largest town first.

    Raises
    ------
    ValueError
        If a number is not a whole one, n_areas or towns is below 1, seed is
        below 0, or there are more towns than areas.
    """
    n_areas = _whole("n_areas", n_areas, 1)
    towns = _whole("towns", towns, 1)
    seed = _whole("seed", seed, 0)
    if towns > n_areas:
        msg = (
            f"towns is {towns}, more than the {n_areas} areas: "
            "every town needs an area, so ask for fewer towns or more areas."
        )
        raise ValueError(msg)

    # One generator for each step, so that a change to one leaves the others' draws alone.
    seeds = np.random.SeedSequence(seed).spawn(9)
    sizes = _town_sizes(np.random.default_rng(seeds[0]), n_areas, towns)
    outlines = _outlines(np.random.default_rng(seeds[1]), sizes)
    radius = np.sqrt(sizes * _AREA_LAND / np.pi)
    extent = float(2 * outlines.max())

    middle = _place(np.random.default_rng(seeds[2]), outlines.max(axis=1))
    town = np.repeat(np.arange(towns), sizes)
    local = _draw_points(np.random.default_rng(seeds[3]), sizes, outlines, extent)
    local = even_out(local, town, middle, outlines)
    xy = middle[town] + local
    polygons = cells(xy, town, middle, outlines)

    reach = np.hypot(local[:, 0], local[:, 1]) / radius[town]
    residents, workers = draw_people(
        seeds[4:], xy, shapely.area(polygons) / 10_000, town, reach, extent
    )
    return SyntheticTables(xy, residents, workers, polygons)


def _whole(name: str, value: int, least: int) -> int:
    """The value as an int, or ValueError if it is not a whole number of at least `least`."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        msg = f"{name} is {value!r}, not a whole number: give an int of at least {least}."
        raise ValueError(msg)
    if value < least:
        msg = f"{name} is {value}: give a whole number of at least {least}."
        raise ValueError(msg)
    return int(value)


def _town_sizes(rng: np.random.Generator, n_areas: int, towns: int) -> Ints:
    """Areas of each town (town,), largest first, by Zipf's law with some noise.

    Each town gets three areas, or as many as there are for all, before the rest
    is shared out.
    """
    share = np.exp(rng.normal(0, 0.2, towns)) / np.arange(1, towns + 1)
    least = min(3, n_areas // towns)
    exact = (n_areas - least * towns) * share / share.sum()
    sizes = np.floor(exact).astype(np.int64)
    left_over = np.argsort(sizes - exact, kind="stable")[: n_areas - least * towns - sizes.sum()]
    sizes[left_over] += 1
    return np.sort(sizes + least)[::-1]


def _outlines(rng: np.random.Generator, sizes: Ints) -> Floats:
    """Distance (town, direction), metres, from a town's middle to its border.

    Waves round the circle, slow ones the strongest: the first moves the middle
    to one side, as Newcastle's lies by the river that is its border.
    """
    angle = np.arange(VERTICES) * (2 * np.pi / VERTICES)
    log_radius = np.zeros((len(sizes), VERTICES))
    for wave, strength in enumerate((0.45, 0.2, 0.1, 0.07, 0.05, 0.04), start=1):
        phase = rng.uniform(0, 2 * np.pi, (len(sizes), 1))
        log_radius += strength * np.cos(wave * angle - phase)
    radius = np.exp(log_radius)
    # Area of the polygon with these corners: triangles between neighbouring directions.
    land = (radius * np.roll(radius, -1, axis=1)).sum(axis=1) * np.sin(angle[1]) / 2
    outlines: Floats = radius * np.sqrt(sizes * _AREA_LAND / land)[:, np.newaxis]
    return outlines


def _place(rng: np.random.Generator, radius: Floats) -> Floats:
    """Middle of each town (town, 2), metres, so that the circles (town,) keep apart.

    Towns are tried at random places, largest first, a class of sizes at a time:
    within a factor of two they count as alike, which lets trees do the search.
    """
    # Empty land round every town, a quarter of its radius and at least 250 m.
    radius = 1.25 * radius + 250
    # Towns and their empty land take 30 % of a square; the rest is open country.
    side = np.sqrt(np.pi * (radius**2).sum() / 0.3)
    size_class = np.floor(np.log2(radius.max() / radius)).astype(np.int64)
    middle = np.zeros((len(radius), 2))
    placed: list[tuple[float, cKDTree]] = []
    for members in (np.flatnonzero(size_class == k) for k in range(size_class.max() + 1)):
        waiting = members
        while len(waiting):
            widest = radius[members].max()
            trial = rng.uniform(0, side, (len(waiting), 2))
            keep = np.ones(len(waiting), dtype=bool)
            for other, tree in placed:
                keep &= tree.query(trial)[0] >= other + widest
            pairs = cKDTree(trial).query_pairs(2 * widest, output_type="ndarray")
            keep[pairs.max(axis=1)] = False
            middle[waiting[keep]] = trial[keep]
            if keep.any():
                placed.append((widest, cKDTree(trial[keep])))
            waiting = waiting[~keep]
            # A little more room each time, so that it ends.
            side *= 1.02
    low = (middle - radius[:, np.newaxis]).min(axis=0)
    high = (middle + radius[:, np.newaxis]).max(axis=0)
    corner = np.array([(low[0] + high[0]) / 2 - 500_000, low[1]])
    shifted: Floats = middle - corner
    return shifted


def _pieces(sizes: Ints, outlines: Floats) -> tuple[Ints, Floats, Floats]:
    """Equal pieces of land: town (piece,), point (piece, 2) and share of the way to the border.

    The points are metres from the town's middle, the shares (piece,) 0 to 1. They lie
    on a sunflower spiral, bent so that every piece has as much land.
    """
    count = _PIECES * sizes
    town = np.repeat(np.arange(len(sizes)), count)
    number = np.arange(len(town)) - np.repeat(np.cumsum(count) - count, count)
    # The land in each sector is a triangle; one long ascending list serves all towns at once.
    land = np.cumsum(outlines * np.roll(outlines, -1, axis=1), axis=1)
    land = np.concatenate([np.zeros((len(sizes), 1)), land / land[:, -1:]], axis=1)
    turn = np.broadcast_to(np.arange(VERTICES + 1) / VERTICES, land.shape)
    base = np.arange(len(sizes))[:, np.newaxis]
    golden = (np.sqrt(5) - 1) / 2
    at = town + number * golden % 1
    angle = 2 * np.pi * (np.interp(at, (base + land).ravel(), (base + turn).ravel()) - town)
    way = np.sqrt((number + 0.5) / count[town])
    distance = way * border_at(outlines, town, angle)
    xy = distance[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return town, xy, way


def _draw_points(rng: np.random.Generator, sizes: Ints, outlines: Floats, extent: float) -> Floats:
    """Point (area, 2) of each area, metres from its town's middle, town by town.

    Smooth noise and nearness to the middle say which land is built up, other noise
    and nearness how densely. The ranks give the density, by the percentiles of land,
    and points are drawn by it.
    """
    town, xy, way = _pieces(sizes, outlines)
    count = _PIECES * sizes
    first = np.cumsum(count) - count
    reach = np.hypot(xy[:, 0], xy[:, 1]) / np.sqrt(sizes * _AREA_LAND / np.pi)[town]
    edge = standardise(smooth_noise(rng, xy, _EDGE_STEP, extent)) - _EDGE_OUTWARDS * way
    built = _rank_in_town(town, -edge) < _BUILT
    noise = sum(
        (share * standardise(smooth_noise(rng, xy, scale, extent)) for scale, share in _LAND_NOISE),
        start=np.zeros(len(xy)),
    )
    noise = standardise(noise)
    # How much a town's density falls outwards is partly up to the noise and the outline:
    # what these leave open is made up, so that the gradient is Newcastle's.
    outwards = np.ones(len(sizes))
    for _ in range(_GRADIENT_ROUNDS):
        weight = _density(noise - outwards[town] * reach, edge, built, town)
        outwards += _GRADIENT + _slope(np.log(weight), reach, town, weight)
        # A town of a few areas may be unable to meet it.
        outwards = np.clip(outwards, -1, 4)
    weight = _density(noise - outwards[town] * reach, edge, built, town)

    # Even steps along a curve that keeps neighbours together: few gaps and clumps by chance.
    curve = np.lexsort((_along_curve(xy, extent), town))
    heap = np.cumsum(weight[curve])
    start = heap[first] - weight[curve[first]]
    height = (heap[first + count - 1] - start) / sizes
    of_town = np.repeat(np.arange(len(sizes)), sizes)
    step = np.arange(len(of_town)) - (np.cumsum(sizes) - sizes)[of_town]
    at = start[of_town] + height[of_town] * (step + rng.uniform(size=len(step)))
    # Rounding of the long sum must not carry a point into the next town.
    last = (first + count - 1)[of_town]
    chosen = curve[np.clip(np.searchsorted(heap, at), first[of_town], last)]
    spread = rng.uniform(-0.5, 0.5, (len(chosen), 2)) * np.sqrt(_AREA_LAND / _PIECES)
    local = pull_inside(xy[chosen] + spread, of_town, outlines)
    while len(close := _too_close(local, of_town, extent)):
        local[close] += rng.uniform(-10, 10, (len(close), 2))
        local = pull_inside(local, of_town, outlines)
    return local


def _too_close(local: Floats, town: Ints, extent: float) -> Ints:
    """Numbers of the points that have one of the same town and a lower number within a metre.

    Next to 100 km, points that all but coincide are one to the triangulation.
    """
    # A third coordinate keeps towns apart, whose points are all counted from their middles.
    tree = cKDTree(np.column_stack([local, town * (extent + 1)]))
    return np.unique(tree.query_pairs(1.0, output_type="ndarray").max(axis=1))


def _rank_in_town(town: Ints, *keys: Floats | NDArray[np.bool_]) -> Floats:
    """Place (piece,), 0 to 1, in ascending order within the town; the last key counts first."""
    count = np.bincount(town)
    place = np.empty(len(town))
    place[np.lexsort((*keys, town))] = np.arange(len(town)) + 0.5
    rank: Floats = (place - (np.cumsum(count) - count)[town]) / count[town]
    return rank


def _density(score: Floats, edge: Floats, built: NDArray[np.bool_], town: Ints) -> Floats:
    """Points per hectare (piece,): built-up land by score, then the open by nearness to its rim."""
    percent = 100 * _rank_in_town(town, np.where(built, -score, -edge), ~built)
    density: Floats = np.exp(-np.interp(percent, _LAND_PERCENTS, np.log(_LAND_HECTARES)))
    return density


def _slope(values: Floats, along: Floats, town: Ints, weight: Floats) -> Floats:
    """Slope (town,) of values (piece,) along another quantity, by weighted least squares."""
    total = np.bincount(town, weights=weight)

    def mean(x: Floats) -> Floats:
        means: Floats = np.bincount(town, weights=weight * x) / total
        return means

    values = values - mean(values)[town]
    along = along - mean(along)[town]
    slope: Floats = mean(values * along) / mean(along**2)
    return slope


def _along_curve(xy: Floats, extent: float) -> Ints:
    """Place (point,) of each point along a Morton curve of 65,536 steps a side."""
    cell = np.clip((xy / extent + 0.5) * 65_536, 0, 65_535).astype(np.int64)
    place = np.zeros(len(xy), dtype=np.int64)
    for bit in range(16):
        place |= (cell[:, 0] >> bit & 1) << 2 * bit | (cell[:, 1] >> bit & 1) << 2 * bit + 1
    return place

"""Residents by age and workers of a synthetic city, given where its areas are.

Source of the calibration: the 910 output areas (2011) of Newcastle upon Tyne,
with the Office for National Statistics' mid-year population estimates by single
year of age and the workplaces of the 2011 Census. What is kept of them are
percentiles over the areas, the city's age profile, and how strongly one thing
goes with another; no area of the real city can be read from these.

Every quantity is made in the same two steps. A score says how the areas rank: a
sum of smooth noise, of nearness to a centre, and of other scores, its weights
fitted to Newcastle's correlations and Moran's I. Then the ranks are turned into
Newcastle's percentiles, so that medians and tails come out right for every seed
and size, whatever the noise did.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PERCENTS: Final = np.array([0, 1, 2.5, 5, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 100])
"""Percentages at which the percentiles below are given."""

_RESIDENTS: Final = np.array(
    [44, 118, 153, 183, 213, 250, 296, 349, 471, 555, 757, 1222, 1583, 3446]
)
"""Residents of an area. The top are halls of residence."""

_WORKERS: Final = np.array([2, 6, 8, 10, 14, 21, 37, 101, 315, 692, 1343, 3118, 5226, 11258])
"""Workers of an area, by workplace. No area is without any: Newcastle has none such."""

_STUDENT_SHARE: Final = (
    np.array([4, 20, 30, 37, 43, 58, 78, 106, 330, 496, 657, 764, 813, 893]) / 1000
)
"""Share of an area's residents who are 18 to 24."""

_CHILD_SHARE: Final = (
    np.array([1, 9, 24, 48, 85, 138, 194, 253, 315, 342, 366, 392, 411, 462]) / 1000
)
"""Share of 0 to 15 among the residents who are not 18 to 24."""

_ELDER_SHARE: Final = (
    np.array([4, 15, 26, 35, 53, 98, 159, 231, 313, 371, 427, 495, 628, 843]) / 1000
)
"""Share of 66 and over among the residents who are not 18 to 24."""

_AGES: Final = 91
"""Single years of age, 0 to 90; the last stands for 90 and over."""

# fmt: off
_PROFILE_AGES: Final = np.array([
    0, 7, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28, 32, 40, 41, 48, 57, 65, 72, 73, 80, 89, 90,
])
_PROFILE: Final = np.array([
    3200, 3550, 2850, 2950, 3850, 8250, 9950, 9650, 7950, 6550, 6000, 6100,
    6200, 4300, 3250, 2830, 3420, 3400, 2600, 2500, 1930, 1440, 620, 2360,
])
# fmt: on
"""Residents of the whole city at the ages above, in between linear: the shape inside a group."""

_GROUPS: Final = {"child": (0, 16), "student": (18, 25), "elder": (66, 91)}
"""First age of each group, and the first age past it."""

_STUDENT_SPOT_AREAS: Final = 450
"""Areas for each spot where students live: Newcastle has two universities."""

_STUDENT_PART: Final = 0.1
"""Part of all areas, those closest to a spot, within which its pull falls to 0.6."""


def smooth_noise(rng: np.random.Generator, xy: Floats, scale: float, extent: float) -> Floats:
    """Smooth random values at points: white noise on a lattice, blurred by a cubic B-spline.

    The lattice repeats beyond the extent, which bounds its memory however far
    the points lie apart.

    Parameters
    ----------
    rng
        Source of the lattice's values.
    xy
        (point, 2), metres.
    scale
        Step of the lattice, metres: values farther apart than four are unrelated.
    extent
        Distance over which no value is repeated, metres.

    Returns
    -------
    NDArray[float64]
        (point,), about mean 0 and standard deviation 0.5.
    """
    steps = int(np.ceil(extent / scale)) + 4
    lattice = rng.standard_normal((steps, steps))
    start = rng.uniform(0, steps, size=2)
    where = xy.T / scale + start[:, np.newaxis]
    values: Floats = map_coordinates(lattice, where, order=3, mode="grid-wrap", prefilter=False)
    return values


def standardise(values: Floats) -> Floats:
    """The same values with mean 0 and standard deviation 1; zeros where all are alike."""
    spread = values.std()
    if not spread > 1e-12 * (1 + abs(values).max()):
        return np.zeros_like(values)
    scaled: Floats = (values - values.mean()) / spread
    return scaled


def by_rank(score: Floats, percentiles: Floats) -> Floats:
    """Turn scores (area,) into values with the given percentiles, keeping their order.

    In between, the logarithm is linear, since all these quantities are skewed.
    """
    rank = np.empty(len(score))
    rank[np.argsort(score, kind="stable")] = (np.arange(len(score)) + 0.5) / len(score)
    return np.exp(np.interp(100 * rank, _PERCENTS, np.log(percentiles)))


def _student_pull(
    rng: np.random.Generator, xy: Floats, town: Ints, reach: Floats, roomy: Floats
) -> Floats:
    """Nearness (area,), 0 to 1, to the closest spot where students live.

    The spots are closely built areas, half-way out in their town. A town too
    small for a whole spot has one with the probability that remains, as not
    every town has a university; a town that stands alone is more likely to.
    """
    sizes = np.bincount(town)
    spots = np.floor(sizes / _STUDENT_SPOT_AREAS + rng.uniform(size=len(sizes))).astype(np.int64)
    if len(sizes) == 1:
        spots = np.maximum(spots, sizes >= _STUDENT_SPOT_AREAS // 2)
    # The smallest keys of a town are its spots: half a radius from the middle, closely built.
    key = rng.uniform(size=len(xy)) + 2 * np.abs(reach - 0.5) + np.maximum(roomy, -1)
    order = np.lexsort((key, town))
    place = np.arange(len(xy)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    chosen = order[place < spots[town[order]]]
    if not len(chosen):
        return np.zeros(len(xy))
    distance = cKDTree(xy[chosen]).query(xy)[0]
    rank = np.empty(len(xy))
    rank[np.argsort(distance, kind="stable")] = np.arange(len(xy)) / len(xy)
    return np.exp(-((rank / _STUDENT_PART) ** 2) / 2)


def draw_people(
    seeds: list[np.random.SeedSequence],
    xy: Floats,
    hectares: Floats,
    town: Ints,
    reach: Floats,
    extent: float,
) -> tuple[Ints, Ints]:
    """Residents (area, age) and workers (area,).

    Parameters
    ----------
    seeds
        Five: residents, students, other ages, workers, counting.
    xy
        (area, 2), metres.
    hectares
        (area,), land of the area.
    town
        (area,), number of the area's town, ascending.
    reach
        (area,), distance from the middle of the town over the town's radius.
    extent
        Width of the widest town, metres.
    """
    for_residents, for_students, for_ages, for_workers, for_counts = map(
        np.random.default_rng, seeds
    )
    n = len(xy)

    def noise(rng: np.random.Generator, near: float, far: float, own: float) -> Floats:
        """Noise of 250 m and of 1 km steps, and of each area by itself, in these proportions."""
        parts = (
            near * standardise(smooth_noise(rng, xy, 250.0, extent)),
            far * standardise(smooth_noise(rng, xy, 1000.0, extent)),
            own * rng.standard_normal(n),
        )
        return standardise(parts[0] + parts[1] + parts[2])

    # The weights below are fitted together: each score's correlation with the others, its
    # Moran's I, and how much people and jobs crowd, which is what coverage depends on.
    out = standardise(reach)
    roomy = standardise(np.log(hectares))

    pull = _student_pull(for_students, xy, town, reach, roomy)
    student = standardise(
        noise(for_students, 0.4, 0.25, 0.65) - 0.3 * out - 0.15 * roomy + 4.0 * pull
    )
    student_share = by_rank(student, _STUDENT_SHARE)

    size = noise(for_residents, 0.25, 0.15, 0.9) + 0.45 * roomy + 0.9 * student
    total = np.rint(by_rank(size, _RESIDENTS)).astype(np.int64)

    child = noise(for_ages, 0.7, 0.55, 0.2) - 0.15 * student
    elder = noise(for_ages, 0.5, 0.2, 0.75) + 0.3 * out - 0.45 * student - 0.25 * standardise(child)
    child_share = by_rank(child, _CHILD_SHARE) * (1 - student_share)
    elder_share = by_rank(elder, _ELDER_SHARE) * (1 - student_share)
    # The two come from separate ranks; where both are large they leave room for other adults.
    room = np.minimum(1, 0.95 * (1 - student_share) / (child_share + elder_share))
    shares = np.stack([child_share * room, student_share, elder_share * room], axis=1)

    # Jobs crowd steeply in the middle, within a seventh of the town's radius.
    jobs = (
        noise(for_workers, 0.1, 0.2, 1.0) + 0.45 * roomy + 4.0 * np.exp(-reach / 0.15) - 0.15 * out
    )
    workers = np.rint(by_rank(jobs, _WORKERS)).astype(np.int64)
    return _single_years(for_counts, total, shares), workers


def _single_years(rng: np.random.Generator, total: Ints, shares: Floats) -> Ints:
    """Residents (area, age) drawn from total (area,) and shares (area, group)."""
    profile = np.interp(np.arange(_AGES), _PROFILE_AGES, _PROFILE)
    rest = np.maximum(0, 1 - shares.sum(axis=1, keepdims=True))
    chance = np.concatenate([shares, rest], axis=1)
    counts = rng.multinomial(total, chance / chance.sum(axis=1, keepdims=True))
    residents = np.zeros((len(total), _AGES), dtype=np.int64)
    others = np.ones(_AGES, dtype=bool)
    for column, (first, last) in enumerate(_GROUPS.values()):
        ages = slice(first, last)
        others[ages] = False
        within = profile[ages] / profile[ages].sum()
        residents[:, ages] = rng.multinomial(counts[:, column], within)
    within = profile[others] / profile[others].sum()
    residents[:, others] = rng.multinomial(counts[:, -1], within)
    return residents

"""From what the services sent to a city: checks, one table, one label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.data._cautions import caution_polygons
from spineq.errors import AreaMismatchError, TotalMismatchError
from spineq.fetch.authorities import Authority
from spineq.fetch.catalogue import ATTRIBUTION, CRS, DEPRIVATION_ATTRIBUTION, Edition
from spineq.fetch.failure import AGAIN
from spineq.fetch.overlays import DECILE
from spineq.model._objective_words import in_a_list
from spineq.model.city import City

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: How far a sum over areas may be from the published total, as a share of it: areas' counts are
#: rounded each by itself. And how far the areas' polygons from the authority's, both generalised.
TOTAL_OFF, OUTLINE_OFF = 1e-3, 0.05

#: Metres that an area's point may lie outside of its polygon, which is generalised.
POINT_OFF = 1000.0

#: Coordinates are kept to the millimetre: what is beyond is noise of a change of systems.
DECIMALS = 3

_TENTHS = (
    "In the column deprivation_decile 1 is the most deprived tenth of England and 10 the least; "
    "in deprived are the residents of the areas in the first three."
)


@dataclass
class Tables:
    """What was fetched, each table by the name of where it is from.

    Parameters
    ----------
    areas
        Codes of the city's areas, sorted.
    authorities
        The authorities that they belong to.
    polygons, points
        Geometry by area.
    ages
        (area, age) residents, NaN where there is no row; in the order of ``areas``.
    columns
        Further columns by name: where from, and values by area.
    date
        What the residents' counts are of.
    totals
        Published and summed residents of each authority; None where nothing is published.
    outlines
        Area of each authority's polygon and of its areas' polygons, square metres; None where
        there is none.
    """

    areas: list[str]
    authorities: list[Authority]
    polygons: dict[str, Any] = field(default_factory=dict)
    points: dict[str, Any] = field(default_factory=dict)
    ages: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 91)))
    columns: dict[str, tuple[str, pd.Series[float]]] = field(default_factory=dict)
    date: str = ""
    totals: dict[Authority, tuple[float | None, float]] = field(default_factory=dict)
    outlines: dict[Authority, tuple[float | None, float]] = field(default_factory=dict)


def assemble(
    tables: Tables,
    edition: Edition,
    sources: Sequence[Mapping[str, Any]],
    *,
    allow_partial: bool = False,
) -> City:
    """Check that everything fits together, and make a city of it.

    Parameters
    ----------
    tables
        What was fetched.
    edition
        What was asked for.
    sources
        Where it came from, for the label.
    allow_partial
        Whether areas that a table lacks are left out, and sums may be off; the label says so.

    Raises
    ------
    AreaMismatchError
        Areas are missing in a table, an authority's polygon is not filled, or a point is far from
        its polygon.
    TotalMismatchError
        Residents do not add up to the authority's published total.
    """
    notes = _check_areas(tables, edition, allow_partial)
    _check_points(tables)
    notes += _check_totals(tables, allow_partial)
    notes += _check_outlines(tables, allow_partial)
    tenths = DECILE in tables.columns
    said = [
        _TENTHS if tenths else "",
        edition.note,
        f"Residents are estimates for {tables.date}." if tables.date else "",
    ]
    label = "\n".join([*filter(None, [*notes, *said]), *map(_source, sources)])
    of_deprivation = f". {DEPRIVATION_ATTRIBUTION}" if tenths else ""
    year = max((str(source["last"])[:4] for source in sources), default="")
    return City.from_frame(
        _frame(tables),
        name=in_a_list([one.name for one in tables.authorities]),
        code="+".join(one.code for one in tables.authorities),
        attribution=f"{ATTRIBUTION} {year}".strip() + of_deprivation,
        note=label,
        columns=list(tables.columns),
    )


def warn_of_polygons(city: City) -> None:
    """Warn of polygons that are not valid, as `spineq.read_city` does.

    Warns
    -----
    SpineqWarning
        There are some.
    """
    caution_polygons(city, city.name, stacklevel=4)


def _frame(tables: Tables) -> pd.DataFrame:
    import geopandas as gpd
    import shapely

    points = np.array([tables.points[area] for area in tables.areas], dtype=object)
    shapes = np.array([tables.polygons[area] for area in tables.areas], dtype=object)
    ages = pd.DataFrame(tables.ages, columns=[f"age_{k}" for k in range(tables.ages.shape[1])])
    further = {name: values.loc[tables.areas] for name, (_, values) in tables.columns.items()}
    xy = np.round(shapely.get_coordinates(points), DECIMALS)
    made: pd.DataFrame = gpd.GeoDataFrame(
        ages.assign(**{name: values.to_numpy(float) for name, values in further.items()}),
        geometry=shapes,
        crs=CRS,
    ).assign(area_id=tables.areas, x=xy[:, 0], y=xy[:, 1])
    return made


def _check_areas(tables: Tables, edition: Edition, allow_partial: bool) -> list[str]:
    """Find areas that a table lacks; leave them out where that is allowed."""
    areas = tables.areas
    there: dict[str, set[str]] = {
        edition.polygons.name: set(tables.polygons),
        edition.centroids.name: set(tables.points),
        edition.ages.dataset: {
            area for area, row in zip(areas, tables.ages, strict=True) if np.isfinite(row).all()
        },
    }
    for source, values in tables.columns.values():
        there[source] = there.get(source, set(areas)) & set(values.dropna().index)
    missing = {source: [area for area in areas if area not in has] for source, has in there.items()}
    missing = {source: gone for source, gone in missing.items() if gone}
    if not missing:
        return []
    told = "; ".join(f"{_count(gone)} in {source}" for source, gone in missing.items())
    left_out = set().union(*missing.values())
    if not allow_partial or len(left_out) == len(areas):
        msg = f"of {len(areas):,} areas there are missing {told}"
        mend = (
            "Fetch again later with refresh=True (--refresh), or leave them out with "
            "allow_partial=True (--allow-partial)"
        )
        raise AreaMismatchError(msg, file=tables.authorities[0].name, mend=mend)
    kept = np.array([area not in left_out for area in areas])
    tables.areas = [area for area in areas if area not in left_out]
    tables.ages = tables.ages[kept]
    return [f"{len(left_out):,} of {len(areas):,} areas are left out, missing: {told}."]


def _check_points(tables: Tables) -> None:
    import shapely

    points = np.array([tables.points[area] for area in tables.areas], dtype=object)
    shapes = np.array([tables.polygons[area] for area in tables.areas], dtype=object)
    off = shapely.distance(points, shapes)
    if off.max() > POINT_OFF:
        area = tables.areas[int(off.argmax())]
        msg = f"the point of area {area} lies {off.max():,.0f} m away from its polygon"
        raise AreaMismatchError(msg, field="geometry", mend=AGAIN)


def _check_totals(tables: Tables, allow_partial: bool) -> list[str]:
    notes = []
    for one, (published, summed) in tables.totals.items():
        if published is None:
            notes.append(f"No total is published that {one.name} could be compared with.")
        elif abs(summed - published) > max(TOTAL_OFF * published, 1.0):
            msg = (
                f"the residents of {one.name}'s areas sum to {summed:,.0f}, but the published "
                f"total is {published:,.0f}"
            )
            if not allow_partial:
                mend = "Fetch again later with refresh=True, or take it with allow_partial=True"
                raise TotalMismatchError(msg, field="population", mend=mend)
            notes.append(f"{msg[0].upper()}{msg[1:]}.")
    return notes


def _check_outlines(tables: Tables, allow_partial: bool) -> list[str]:
    notes = []
    for one, (whole, summed) in tables.outlines.items():
        if whole is None:
            notes.append(
                f"There is no polygon of {one.name} that its areas could be compared with."
            )
        elif abs(summed - whole) > OUTLINE_OFF * whole:
            msg = f"the areas fill {summed / whole:.1%} of {one.name}'s own polygon"
            if not allow_partial:
                mend = "Fetch again later with refresh=True, or take it with allow_partial=True"
                raise AreaMismatchError(msg, field="geometry", mend=mend)
            notes.append(f"{msg[0].upper()}{msg[1:]}.")
    return notes


def _source(source: Mapping[str, Any]) -> str:
    """Say where a table came from, in one line."""
    many = "" if source["answers"] == 1 else f" of {source['answers']} answers"
    return (
        f"{source['source']}: {source['url']}, {source['last']}, SHA-256{many} "
        f"{source['sha256']}, {source['licence']}"
    )


def _count(areas: Sequence[str]) -> str:
    named = ", ".join(areas[:5])
    return f"{len(areas):,} ({named}{', …' if len(areas) > 5 else ''})"

"""Cities that are built in: San Francisco, and a synthetic one of any size."""

from __future__ import annotations

import warnings
from importlib import resources
from typing import Literal

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, SpineqWarning
from spineq.model.city import City


def demo_city(
    name: Literal["san-francisco", "synthetic"] = "san-francisco",
    *,
    n_areas: int | None = None,
    towns: int | None = None,
    seed: int | None = None,
) -> City:
    """Return a city that needs no files.

    Parameters
    ----------
    name
        ``"san-francisco"``: 190 zones with residents in five age bands and jobs, real, from
        a travel model's input (children and older people are estimated from split bands);
        ``"synthetic"``: a made city of any size, with the statistics of Newcastle upon Tyne.
    n_areas, towns, seed
        For the synthetic city alone: number of areas (910), number of towns they are spread
        over (1), and the seed that it is drawn from (0). The same seed gives the same city.

    Returns
    -------
    City

    Raises
    ------
    ProblemError
        A name that does not exist, a size that is none, or a size for San Francisco.
    """
    if name == "synthetic":
        return _synthetic(
            910 if n_areas is None else n_areas,
            1 if towns is None else towns,
            0 if seed is None else seed,
        )
    if name == "san-francisco":
        if any(size is not None for size in (n_areas, towns, seed)):
            msg = "San Francisco is as large as it is"
            mend = "Write demo_city('synthetic', n_areas=...) for a city of any size"
            raise ProblemError(msg, field="n_areas, towns, seed", mend=mend)
        return _san_francisco()
    msg = f"there is no demo city {name!r}"
    raise ProblemError(msg, field="name", mend="Use 'san-francisco' or 'synthetic'")


def _san_francisco() -> City:
    from spineq.data.files import read_city

    source = resources.files("spineq.data") / "embedded" / "san_francisco.parquet"
    with resources.as_file(source) as path, warnings.catch_warnings():
        # The city's note says which groups are estimates, and every result marks them.
        warnings.simplefilter("ignore", SpineqWarning)
        return read_city(path)


def _synthetic(n_areas: int, towns: int, seed: int) -> City:
    import geopandas as gpd

    from spineq.data._synthetic import CRS, synthetic_tables

    try:
        made = synthetic_tables(n_areas, towns, seed)
    except ValueError as error:
        raise ProblemError(str(error).rstrip("."), field="n_areas, towns, seed") from error
    width = len(str(n_areas))
    ages = pd.DataFrame(made.residents, columns=[f"age_{age}" for age in range(91)])
    frame = gpd.GeoDataFrame(
        ages,
        geometry=np.asarray(made.polygons, dtype=object),
        crs=CRS,
    ).assign(
        area_id=[f"A{number:0{width}d}" for number in range(1, n_areas + 1)],
        x=made.xy[:, 0],
        y=made.xy[:, 1],
        workers=made.workers,
    )
    return City.from_frame(
        frame,
        name=f"Synthetic city ({n_areas:,} areas, seed {seed})",
        code=f"synthetic-{n_areas}-{towns}-{seed}",
        attribution="Synthetic, calibrated to ONS statistics of Newcastle upon Tyne",
        note="A made city: nobody lives there.",
    )

"""Cities that are built in: San Francisco, and a synthetic one of any size."""

from __future__ import annotations

import warnings
from importlib import resources
from typing import Literal

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, SpineqWarning
from spineq.model.city import City

#: Name of the synthetic city's coordinate system: metres, and at sea off West Africa, so that
#: nobody takes it for a real place.
SYNTHETIC_CRS = "EPSG:32631"


def demo_city(
    name: Literal["san-francisco", "synthetic"] = "san-francisco",
    *,
    n_areas: int = 910,
    towns: int = 1,
    seed: int = 0,
) -> City:
    """Return a city that needs no files.

    Parameters
    ----------
    name
        ``"san-francisco"``: 190 zones with residents in five age bands and jobs, real, from
        a travel model's input (children and older people are estimated from split bands);
        ``"synthetic"``: a made city of any size, with the statistics of Newcastle upon Tyne.
    n_areas, towns, seed
        For the synthetic city: number of areas, number of towns they are spread over, and
        the seed that it is drawn from. The same seed gives the same city.

    Returns
    -------
    City

    Raises
    ------
    ProblemError
        A name that does not exist, or a size that is none.
    """
    if name == "san-francisco":
        return _san_francisco()
    if name == "synthetic":
        return _synthetic(n_areas, towns, seed)
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

    from spineq.data._synthetic import synthetic_tables

    try:
        made = synthetic_tables(n_areas, towns, seed)
    except ValueError as error:
        raise ProblemError(str(error).rstrip("."), field="n_areas, towns, seed") from error
    width = len(str(n_areas))
    ages = pd.DataFrame(made.residents, columns=[f"age_{age}" for age in range(91)])
    frame = gpd.GeoDataFrame(
        ages,
        geometry=np.asarray(made.polygons, dtype=object),
        crs=SYNTHETIC_CRS,
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

"""A city with other numbers of people in its areas, for figures only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spineq.model.city import City


def redrawn(city: City, residents: NDArray[np.float64], columns: NDArray[np.float64]) -> City:
    """Put other people into the same areas; nothing else differs, and nothing is checked.

    It is made in no time: its digest, which would cost more than all the rest, is that of
    another city, and is computed only where somebody asks for it.

    Parameters
    ----------
    city
        Where.
    residents
        (area, band) counts, 0 or more.
    columns
        (area, column) counts, 0 or more.
    """
    areas = replace(city._areas, residents=residents, values=columns)
    return replace(city, _areas=areas)

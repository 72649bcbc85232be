"""What is not wrong with a city, but should be known to whoever reads it."""

from __future__ import annotations

import warnings
from pathlib import Path

from spineq.errors import SpineqWarning
from spineq.model._objective_words import in_a_list
from spineq.model.city import City
from spineq.model.groups import GROUPS


def caution(city: City, where: Path) -> None:
    """Warn of polygons that are not valid, and of groups that are estimates.

    To be called by what the user called, so that the warning names the user's line.

    Parameters
    ----------
    city
        The city as it was read.
    where
        The file or folder that it is from.

    Warns
    -----
    SpineqWarning
        There are such polygons or groups.
    """
    caution_polygons(city, where, stacklevel=4)
    split = [
        group.label for group in GROUPS.values() if city.has(group) and city.people(group).estimated
    ]
    if split:
        warnings.warn(
            f"{where}: the age bands cut through {in_a_list(split)}; "
            "these groups are estimates, in proportion to the years.",
            SpineqWarning,
            stacklevel=3,
        )


def caution_polygons(city: City, where: object, stacklevel: int) -> None:
    """Warn of polygons that are not valid, if there are any, in the line of a caller's caller."""
    import shapely

    polygons = city.polygons
    if polygons is None:
        return
    invalid = ~shapely.is_valid(polygons.geometry.to_numpy())
    if invalid.any():
        first = ", ".join(polygons.index[invalid][:3])
        warnings.warn(
            f"{where}: {invalid.sum()} of {len(invalid)} polygons are not valid ({first}); "
            "they are drawn as they are, and no sum uses them.",
            SpineqWarning,
            stacklevel=stacklevel,
        )

"""Versions of the schema of a network's dataset, and reading the earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

#: Version of the schema that `Network.dataset` follows. 1 had no sensors that stay, no other
#: objective than the mean, and no measure of inequality.
SCHEMA = 2

#: Variables that came with schema 2: what they mean, in words, and their unit.
MEANINGS_2 = {
    "kept": ("whether the sensor stood already and stays", ""),
    "group_own_best": ("coverage that the group could have, were it alone, where known", "1"),
}


def meaning(words: str, unit: str) -> dict[str, str]:
    """Attributes of a variable, for whoever opens the file with other tools."""
    return {"long_name": words} | ({"units": unit} if unit else {})


def upgraded(data: xr.Dataset) -> xr.Dataset:
    """Bring a dataset of an earlier schema to today's.

    What an earlier version did not measure is NaN; what it could not ask is as if not asked.
    """
    if int(data.attrs["spineq_schema"]) == SCHEMA:
        return data
    attrs: dict[str, Any] = {
        "spineq_schema": SCHEMA,
        "objective_value": data.attrs["total_coverage"],
        "gini_people": np.nan,
        "worst_tenth": np.nan,
        "spent": np.nan,
    }
    made = data.assign(
        kept=("sensor", np.zeros(data.sizes["sensor"], dtype=np.bool_)),
        group_own_best=("group", np.full(data.sizes["group"], np.nan)),
    ).assign_attrs(attrs)
    for name, (words, unit) in MEANINGS_2.items():
        made[name].attrs.update(meaning(words, unit))
    return made

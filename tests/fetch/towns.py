"""Towns that a statistics office has figures of: made ones, and the real Newcastle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

import spineq as sq

AGES = [f"age_{age}" for age in range(91)]


@dataclass
class Town:
    """A local authority: ``area_id``, ``x``, ``y``, ages, ``workers`` and polygons."""

    code: str
    name: str
    frame: gpd.GeoDataFrame

    @cached_property
    def outline(self) -> Any:
        return shapely.unary_union(shapely.make_valid(self.frame.geometry.to_numpy()))

    @cached_property
    def population(self) -> dict[str, float]:
        return dict(zip(self.frame["area_id"], self.frame[AGES].sum(axis=1), strict=True))

    def lsoa(self, position: int) -> str:
        return f"E01{self.code[-3:]}{position // 5:03d}"

    def decile(self, position: int) -> int:
        return position // 5 % 10 + 1

    def city(self) -> sq.City:
        return sq.City.from_frame(self.frame, columns=["workers"])


def made_town(
    n_areas: int = 60, code: str = "E08000901", name: str = "Madeby", seed: int = 0
) -> Town:
    """Make a town that nobody lives in, with coordinates to the millimetre and whole people."""
    frame = sq.demo_city("synthetic", n_areas=n_areas, seed=seed).to_frame()
    frame["area_id"] = [f"E00{code[-3:]}{k:05d}" for k in range(n_areas)]
    frame[["x", "y"]] = frame[["x", "y"]].round(3)
    frame = frame.set_crs("EPSG:27700", allow_override=True)
    return Town(code, name, frame)


def real_town(folder: Path) -> Town:
    """Take the real Newcastle, as the original system's processed folder has it."""
    city = sq.read_city(folder)
    return Town("E08000021", "Newcastle upon Tyne", city.to_frame())

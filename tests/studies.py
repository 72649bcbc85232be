"""Studies of small cities, for tests of what a report says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import spineq as sq
from spineq.report.asked import Question
from spineq.report.study import Study


def town(n_areas: int = 60) -> sq.City:
    """A made town with polygons and six existing sensors that stand at no centroid."""
    city = sq.demo_city("synthetic", n_areas=n_areas, seed=4)
    places = _places(city, 6)
    return city.with_existing(places)


def schools(city: sq.City, number: int = 14, pupils: bool = True) -> pd.DataFrame:
    """Schools in a town, with pupils where they are to weigh differently."""
    places = _places(city, number)
    weights = np.random.default_rng(2).integers(50, 900, number) if pupils else 1
    return places.assign(weight=weights)


def _places(city: sq.City, number: int) -> pd.DataFrame:
    low, high = city.site_xy.min(axis=0), city.site_xy.max(axis=0)
    xy = np.random.default_rng(1).uniform(low, high, (number, 2))
    return pd.DataFrame(xy, columns=["x", "y"])


def study_of(city: sq.City, groups: dict[str, sq.Group] | None = None, **words: Any) -> Study:
    """A study of eight sensors that greedy places."""
    asked: dict[str, Any] = {"n_sensors": 8, "theta": 500.0, "method": "greedy"} | words
    return Study(Question(city, sq.Problem(groups=groups or dict(sq.GROUPS), **asked)))

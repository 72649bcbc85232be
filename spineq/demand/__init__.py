"""Where people really are inside their areas: tables of demand points for `City.with_demand`.

An area's people are taken to stand at its point unless the city is told better, which flatters
every figure (see `spineq.centroid_error`). Each function here returns a table that says better
where they are, in the city's coordinate system, to be looked at, written, and handed on;
`group_points` does so for points that matter by themselves, for `City.with_group_points`.

>>> import spineq as sq
>>> city = sq.demo_city()
>>> finer = city.with_demand(sq.demand.spread(city, per_area=4))
>>> finer.n_points >= 4 * city.n_areas
True
"""

from __future__ import annotations

from spineq.demand._buildings import from_osm as from_osm
from spineq.demand._points import from_points as from_points
from spineq.demand._points import group_points as group_points
from spineq.demand._spreading import spread as spread

__all__ = ["from_osm", "from_points", "group_points", "spread"]

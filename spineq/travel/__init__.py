"""Travel costs for `City.with_travel`: from tables of other tools, or walked along streets.

>>> import spineq as sq
>>> costs = sq.travel.from_streets(city, "tyne-and-wear.osm.pbf")  # doctest: +SKIP
>>> city = city.with_travel(costs)  # doctest: +SKIP
"""

from spineq.travel.tables import from_table as from_table
from spineq.travel.walking import from_streets as from_streets

__all__ = ["from_streets", "from_table"]

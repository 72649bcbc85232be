"""Why sensors stand where they do, as rows of tables and marks on the map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from spineq.insight._explain_words import share
from spineq.model._words import metres
from spineq.panel.marks import Mark

if TYPE_CHECKING:
    from spineq.insight._explanation import SensorFacts
    from spineq.insight.explain import Explanation
    from spineq.model.city import City
    from spineq.model.network import Network

#: Sensors to a page of their table.
PAGE = 10


def facts(found: Explanation | None, network: Network, k: int) -> SensorFacts | None:
    """What is known of a network's sensor, by its position.

    Those that stay may come in another order where a network was measured again.
    """
    if found is None:
        return None
    data = network.dataset
    x, y = (float(data[name].to_numpy()[k]) for name in ("sensor_x", "sensor_y"))
    near = (each for each in found.sensors if abs(each.x - x) < 1e-3 and abs(each.y - y) < 1e-3)
    return next(near, None)


def sensor_rows(
    network: Network, found: Explanation | None, page: int, chosen: int
) -> list[dict[str, Any]]:
    """Rows of one page of the table of sensors.

    Parameters
    ----------
    network, found
        The network, and what is known of its sensors.
    page, chosen
        From 0; the position of the sensor that is asked about, -1 for none.
    """
    rows = []
    kept, sites = network.dataset["kept"].to_numpy(), network.sensors
    for k in range(page * PAGE, min((page + 1) * PAGE, network.n_sensors)):
        stays, known = bool(kept[k]), facts(found, network, k)
        name = "stays" if stays else f"Sensor {k - network.n_kept + 1}"
        place = str(sites["site"].iloc[k]) or str(sites["area"].iloc[k])
        rows.append(
            {
                "id": str(k),
                "sensor": {"text": place, "second": name},
                "loss": _loss(found, known),
                "cost": _cost(found, known),
                "do": [
                    {
                        "name": "why",
                        "label": "Asked" if k == chosen else "Why?",
                        "title": f"Why {place}, {name[:1].lower()}{name[1:]}?",
                    }
                ],
            }
        )
    return rows


def _loss(found: Explanation | None, sensor: SensorFacts | None) -> str:
    if found is None or sensor is None:
        return "..." if found is None else ""
    return lost(sensor.loss, found.value)


def _cost(found: Explanation | None, sensor: SensorFacts | None) -> str | dict[str, str]:
    if found is None or sensor is None:
        return ""
    cost, again = found.cost(sensor), sensor.replacement
    if again is None:
        return "stays" if sensor.kept else ""
    if cost is None:
        return "no other network"
    said = lost(cost, found.value)
    return said if again.proven else {"text": said, "second": "not proven"}


def lost(loss: float, value: float) -> str:
    """Write a loss as a share of what the network covers; a gain is said to be one."""
    if value <= 0.0 or abs(loss) <= 1e-9 * value:
        return "nothing"
    said = share(abs(loss) / value)
    return said if loss > 0.0 else f"{said} gained"


def others(found: Explanation, sensor: SensorFacts) -> list[dict[str, Any]]:
    """Rows of the table of places that would do nearly as well as a sensor's."""
    return [
        {
            "id": each.site,
            "site": each.site,
            "far": metres(each.metres),
            "loss": lost(each.loss, found.value),
        }
        for each in sensor.substitutes
    ]


def sensor_marks(city: City, sensor: SensorFacts) -> tuple[Mark, ...]:
    """Marks for a sensor, the places that would do nearly as well, and where it would go."""
    made = [Mark(sensor.x, sensor.y, "asked", "The sensor that is asked about")]
    made += _at(
        city, [each.site for each in sensor.substitutes], "stands_in", "Nearly as good in its place"
    )
    again = sensor.replacement
    if again is not None and not sensor.substitutes:
        made += _at(city, again.comes, "comes", "A sensor would stand here without it")
    return tuple(made)


def place_marks(city: City, found: Explanation) -> tuple[Mark, ...]:
    """Marks for a place where no sensor was put, and what would come with it."""
    place = found.place
    assert place is not None
    made = _at(city, [place.site], "asked", "The place that is asked about")
    again = place.insisting
    if again is not None:
        rest = [site for site in again.comes if site != place.site]
        made += _at(city, rest, "comes", "A sensor would stand here too")
    return tuple(made)


def _at(city: City, sites: list[str] | tuple[str, ...], kind: str, title: str) -> list[Mark]:
    ids, xy = pd.Index(city.dataset["site"].to_numpy()), city.site_xy
    found = zip(sites, ids.get_indexer(pd.Index(list(sites), dtype=object)), strict=True)
    return [
        Mark(float(xy[at, 0]), float(xy[at, 1]), kind, f"{title}: {site}")
        for site, at in found
        if at >= 0
    ]

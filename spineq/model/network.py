"""Network: chosen sensors, what they cover, and how far that is from the best.

The file is long because each property says what it means, its unit and its range.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from spineq.model._inequality import gini
from spineq.model._schema import SCHEMA, upgraded
from spineq.model._sealed import Kind, read_sealed, sealed, unsealed, write_sealed
from spineq.model.problem import Problem

if TYPE_CHECKING:
    from spineq.model.city import City

_KIND = Kind("network", "spineq_schema", SCHEMA)

#: Distances, metres, within which people are counted beside coverage.
WITHIN = (250.0, 500.0, 1000.0)

#: A gap up to this is rounding (bounds carry a slack of 1e-12): the network is proven best.
PROVEN_GAP = 1e-11

#: The same with an aversion, where coverage is computed back from what was maximised.
PROVEN_GAP_OF_AVERSION = 1e-9


@dataclass(frozen=True, eq=False)
class Network:
    """Sensors in order, with their certificate.

    A network that was searched for has the order in which greedy would place its sensors, so
    that the first k of them are a sensible network too; one that was given to
    `spineq.evaluate` keeps the user's order, and one whose search was stopped the order so far.

    Everything is in `dataset`; the properties are its entries by name. A network carries
    what its tables and comparisons need, not the city's polygons: functions that draw it
    take the city too.

    Parameters
    ----------
    dataset
        Dimensions and variables:

        - ``sensor``: ``site`` and ``sensor_area`` (ids; the site is empty for a place that is
          none), ``sensor_x``, ``sensor_y`` (metres), ``kept`` (whether it stood already; these
          come first), ``gain`` (weighted mean coverage that it added), ``coverage_history``
          (weighted mean coverage by the sensors up to it, 0 to 1);
        - ``area``: ``x``, ``y`` (metres), ``area_weight`` (in the objective, sums to 1),
          ``area_coverage`` (0 to 1);
        - ``group``: ``group_title``, ``group_weight`` (in the objective, sums to 1; 0 for
          groups that are only reported), ``group_people`` (count), ``group_estimated``,
          ``group_coverage`` (0 to 1), ``group_own_best`` (coverage that it could have alone,
          NaN where that is not known), ``distance_median`` and ``distance_p90`` (to the
          nearest sensor, metres);
        - ``(sensor, group)``: ``group_history``, coverage by the sensors up to it;
        - ``(group, within)``: ``people_within``, share of people within so many metres.
    """

    dataset: xr.Dataset

    @property
    def problem(self) -> Problem:
        """What was asked."""
        return Problem.from_json(self.dataset.attrs["problem"])

    @property
    def n_sensors(self) -> int:
        """Number of sensors, those that stay included."""
        return int(self.dataset.sizes["sensor"])

    @property
    def n_kept(self) -> int:
        """Number of sensors that stood already and stay: the first ones."""
        return int(self.dataset["kept"].sum())

    @property
    def total_coverage(self) -> float:
        """Weighted mean coverage of the problem's groups, 0 to 1."""
        return float(self.dataset.attrs["total_coverage"])

    @property
    def objective_value(self) -> float:
        """What was maximised, in units of coverage.

        The weighted mean, `total_coverage`; with an aversion the equally-distributed equivalent
        coverage (see `spineq.solvers.welfare`); with ``objective="worst"`` the coverage of the
        worst-off group; with ``"worst_share"`` the smallest share that a group has of its own
        best; with a ``failure_probability`` the mean that is to be expected. 0 to 1.
        """
        return float(self.dataset.attrs["objective_value"])

    @property
    def upper_bound(self) -> float | None:
        """What `objective_value` can be at most for an allowed network; None where unknown."""
        return _known(self.dataset.attrs["upper_bound"])

    @property
    def too_few(self) -> int | None:
        """Largest number of sensors that provably cannot reach what `Problem.reach` asks.

        Sensors that stay are not counted; -1 where no new ones are needed. None where the
        number of sensors was given.
        """
        found = self.dataset.attrs.get("too_few")
        return None if found is None else int(found)

    @property
    def gap(self) -> float | None:
        """(bound - objective value) / bound, 0 to 1; None where no bound is known."""
        bound = self.upper_bound
        if bound is None:
            return None
        return (bound - self.objective_value) / bound if bound > 0 else 0.0

    @property
    def proven(self) -> bool:
        """Whether no allowed network of so many sensors is better, but for rounding.

        With an aversion, what is rounding of transformed coverage may be more of coverage: up
        to one part in 1e9. Where the fewest sensors were looked for, whether fewer cannot do it.
        """
        if self.too_few is not None:
            return not self.stopped and self.n_sensors - self.n_kept == self.too_few + 1
        noise = PROVEN_GAP if self.problem.aversion == 0.0 else PROVEN_GAP_OF_AVERSION
        return self.gap is not None and self.gap <= noise

    @property
    def stopped(self) -> bool:
        """Whether the search was cut short."""
        return bool(self.dataset.attrs["stopped"])

    @property
    def method(self) -> str:
        """Solver that chose the sensors, or ``"given"``."""
        return str(self.dataset.attrs["method"])

    @property
    def seconds(self) -> float:
        """Time that it took, seconds."""
        return float(self.dataset.attrs["seconds"])

    @property
    def sensors(self) -> pd.DataFrame:
        """Table of sensors by order (from 1): site, area, x, y, gain, coverage.

        Also kind and theta where there are kinds of sensors.
        """
        data = self.dataset
        made = pd.DataFrame(
            {
                "site": data["site"].to_numpy(),
                "area": data["sensor_area"].to_numpy(),
                "x": data["sensor_x"].to_numpy(),
                "y": data["sensor_y"].to_numpy(),
                "gain": data["gain"].to_numpy(),
                "coverage": data["coverage_history"].to_numpy(),
            },
            index=pd.RangeIndex(1, self.n_sensors + 1, name="order"),
        )
        for name in ("kind", "theta"):
            if f"sensor_{name}" in data:
                made[name] = data[f"sensor_{name}"].to_numpy()
        return made

    @property
    def gone(self) -> pd.DataFrame:
        """Table of today's sensors that are taken away or moved: sensor, area, x, y.

        Sensors at one place are one row, their ids joined by commas. Empty where the problem
        lets none go.
        """
        names, data = ("sensor", "area", "x", "y"), self.dataset
        if "gone" not in data.sizes:
            return pd.DataFrame(columns=list(names))
        return pd.DataFrame({name: data[f"gone_{name}"].to_numpy() for name in names})

    @property
    def placement_history(self) -> list[str]:
        """Ids of the sites in order; the area's id for a place that is no site."""
        site, area = self.dataset["site"].to_numpy(), self.dataset["sensor_area"].to_numpy()
        return [str(s or a) for s, a in zip(site, area, strict=True)]

    @property
    def coverage_history(self) -> list[float]:
        """Weighted mean coverage by the first, the first two, ... sensors."""
        return [float(value) for value in self.dataset["coverage_history"]]

    @property
    def group_coverage(self) -> xr.DataArray:
        """Coverage of each group, (group,), 0 to 1."""
        return self.dataset["group_coverage"]

    @property
    def area_coverage(self) -> xr.DataArray:
        """Coverage of each area, (area,), 0 to 1."""
        return self.dataset["area_coverage"]

    @property
    def worst_group(self) -> str:
        """Name of the worst covered of the problem's groups, the first where some are alike."""
        judged = np.flatnonzero(self.dataset["group_weight"].to_numpy() > 0)
        covered = self.group_coverage.to_numpy()[judged]
        return str(self.dataset["group"].to_numpy()[judged[int(np.argmin(covered))]])

    @property
    def worst_group_coverage(self) -> float:
        """Coverage of `worst_group`, 0 to 1."""
        return float(self.group_coverage.sel(group=self.worst_group))

    @property
    def share_of_own_best(self) -> xr.DataArray:
        """What share of the coverage that it could have alone each group has, (group,).

        NaN where that is not known: it is for ``objective="worst_share"``; `spineq.equity` finds
        it out.
        """
        shares: xr.DataArray = self.group_coverage / self.dataset["group_own_best"]
        return shares

    @property
    def gini_areas(self) -> float:
        """Gini coefficient of coverage over areas, each area alike: 0 (even) to 1."""
        return gini(self.area_coverage.to_numpy())

    @property
    def gini_people(self) -> float | None:
        """Gini coefficient of coverage over the people of the objective, 0 (even) to 1.

        None for a network of an early version, which did not measure it.
        """
        return _known(self.dataset.attrs["gini_people"])

    @property
    def worst_tenth(self) -> float | None:
        """Mean coverage of the worst-covered tenth of the people of the objective, 0 to 1.

        None for a network of an early version, which did not measure it.
        """
        return _known(self.dataset.attrs["worst_tenth"])

    @property
    def spent(self) -> float | None:
        """What the sensors that do not stay cost; None without a budget."""
        return _known(self.dataset.attrs["spent"])

    def table(self) -> pd.DataFrame:
        """One row a group: title, people, coverage, share within 250, 500, 1,000 m, distances.

        Shares are 0 to 1, distances metres.
        """
        data = self.dataset
        made = pd.DataFrame(
            {
                "title": data["group_title"].to_numpy(),
                "estimated": data["group_estimated"].to_numpy(),
                "weight": data["group_weight"].to_numpy(),
                "people": data["group_people"].to_numpy(),
                "coverage": data["group_coverage"].to_numpy(),
            },
            index=pd.Index(data["group"].to_numpy(), name="group"),
        )
        for metres in data["within"].to_numpy():
            made[f"within {metres:g} m"] = data["people_within"].sel(within=metres).to_numpy()
        made["median distance"] = data["distance_median"].to_numpy()
        made["90 % within"] = data["distance_p90"].to_numpy()
        return made

    def certificate(self) -> str:
        """Say in a sentence how far the network is from the best."""
        from spineq.model._objective_words import certificate

        return certificate(self)

    def summary(self) -> str:
        """Say what the network does, in plain sentences."""
        from spineq.model._words import summary

        return summary(self)

    def _repr_html_(self) -> str:
        from spineq.model._words import html

        return html(self)

    def __repr__(self) -> str:
        from spineq.model._objective_words import figure_name, in_a_sentence, maximised

        gap = "no bound" if self.gap is None else "proven" if self.proven else f"gap {self.gap:.2%}"
        if self.too_few is not None:
            gap = "proven fewest" if self.proven else f"more than {self.too_few:,} are needed"
        kind = maximised(self.problem)
        name = "coverage" if kind == "mean" else in_a_sentence(figure_name(self.problem))
        city = self.dataset.attrs["city_name"] or "a city"
        return (
            f"<Network of {self.n_sensors:,} sensor{'' if self.n_sensors == 1 else 's'} in {city}: "
            f"{name} {self.objective_value:.4f}, {gap}, {self.method}>"
        )

    def __eq__(self, other: object) -> bool:
        """Two networks are equal where everything but the time taken is, bit for bit."""
        if not isinstance(other, Network):
            return NotImplemented
        mine, theirs = (net.dataset.assign_attrs(seconds=0.0) for net in (self, other))
        return bool(mine.identical(theirs))

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """Describe the network in JSON's types, with the original system's keys and ours.

        The original's: ``lad20cd, n_sensors, theta, sensors[{x, y, oa11cd}], total_coverage,
        oa_coverage[{oa11cd, coverage}], oa_weight[{oa11cd, weight}], placement_history,
        coverage_history, pop_age_groups, population_weight, workplace_weight``. Ours:
        ``objective, aversion, aversion_form, objective_value, upper_bound, gap, proven, too_few,
        stopped, method, decay, kept, gone, spent, group_coverage, worst_group,
        worst_group_coverage, own_best, share_of_own_best, gini_areas, gini_people, worst_tenth,
        people_within, distance_median, distance_p90, estimated_groups, cutoff_error, seconds,
        version``.
        """
        from spineq.model._description import described

        return described(self)

    def to_json(self, path: str | Path) -> Path:
        """Write `to_dict` as a JSON file; an earlier file is replaced in one step."""
        from spineq.model._exports import exported, file_to_write

        path = file_to_write(path)
        with exported(path) as temporary:
            temporary.write_text(json.dumps(self.to_dict(), indent=1, allow_nan=False))
        return path

    def to_netcdf(self, path: str | Path) -> Path:
        """Write everything as NetCDF, which `read_network` reads back exactly.

        The file carries a digest of its content, so that damage is noticed.

        Raises
        ------
        StoreError
            The file cannot be written.
        """
        return write_sealed(self.dataset, path)

    def to_bytes(self) -> bytes:
        """Return the content of the file that `to_netcdf` writes; see `network_from_bytes`."""
        return sealed(self.dataset)

    def to_geojson(self, path: str | Path, city: City | None = None) -> Path:
        """Write the sensors as GeoJSON points: longitude and latitude (EPSG:4326).

        Their properties are those of the layer ``sensors`` of `to_gpkg`.

        Parameters
        ----------
        path
            File to write; an earlier one is replaced in one step.
        city
            The city that the network is of: with it, sensors that stay have their ids.

        Raises
        ------
        DataError
            The city is another one.
        StoreError
            The file cannot be written.
        """
        from spineq.model._exports import file_to_write, write_geojson

        return write_geojson(self, file_to_write(path), city)

    def to_gpkg(self, path: str | Path, city: City | None = None) -> Path:
        """Write a GeoPackage that a GIS opens coloured.

        Layers ``sensors`` (order, site, area, gain, coverage, kept; number, from 1, of those
        that do not stay) and ``areas`` (coverage, weight, metres to the nearest sensor), each
        with its default style. With the city, sensors that stay have the ids of the existing
        ones there, joined by commas (existing), areas have the people of each group, and are
        polygons where the city has them, else points.

        Parameters
        ----------
        path
            File to write; an earlier one is replaced in one step.
        city
            The city that the network is of.

        Raises
        ------
        DataError
            The city is another one.
        StoreError
            The file cannot be written.
        """
        from spineq.model._exports import file_to_write, write_gpkg

        return write_gpkg(self, file_to_write(path), city)


def read_network(path: str | Path) -> Network:
    """Read a network that `Network.to_netcdf` wrote.

    Raises
    ------
    NetworkFileError
        The file is not there, is not a network of ours, or was changed since it was written.
    """
    return Network(upgraded(read_sealed(path, _KIND)))


def network_from_bytes(data: bytes) -> Network:
    """Rebuild a network that `Network.to_bytes` described.

    Raises
    ------
    NetworkFileError
        The bytes are not a network of ours, or were changed since they were written.
    """
    return Network(upgraded(unsealed(data, _KIND)))


def _known(value: Any) -> float | None:
    return None if math.isnan(value) else float(value)

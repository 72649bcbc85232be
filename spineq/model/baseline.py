"""Baseline: many networks drawn at random, and what they cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from spineq.errors import ProblemError, shown
from spineq.model._sealed import Kind, read_sealed, sealed, unsealed, write_sealed
from spineq.model._words import counted, percent
from spineq.model.problem import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Version of the schema that `Baseline.dataset` follows.
BASELINE_SCHEMA = 1

_KIND = Kind("baseline", "spineq_baseline_schema", BASELINE_SCHEMA)


@dataclass(frozen=True, eq=False)
class Baseline:
    """Networks drawn at random, and what they cover: made by `spineq.random_networks`.

    Parameters
    ----------
    dataset
        Dimensions and variables:

        - ``network``: ``total_coverage``, the weighted mean of the problem's groups, 0 to 1;
        - ``(network, group)``: ``group_coverage``, 0 to 1;
        - ``(network, sensor)``: ``network_site``, places of its sensors, which stand in the
          order of their ids;
        - ``group``: ``group_title``, ``group_people`` (count), ``group_weight`` (in the weighted
          mean, sums to 1; 0 for groups that are only reported), ``group_estimated``;
        - ``place``: ``site`` (id), ``sensor_x``, ``sensor_y`` (metres): the sites that a network
          uses; ``network_site`` names them by their position here.
    """

    dataset: xr.Dataset

    @property
    def problem(self) -> Problem:
        """What was asked: how many sensors, theta, decay, groups, keep and forbid."""
        return Problem.from_json(self.dataset.attrs["problem"])

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups that are reported."""
        return tuple(str(name) for name in self.dataset["group"].to_numpy())

    @property
    def n_networks(self) -> int:
        """Number of networks."""
        return int(self.dataset.sizes["network"])

    @property
    def stopped(self) -> bool:
        """Whether there are fewer networks than were asked for."""
        return bool(self.dataset.attrs["stopped"])

    @property
    def seconds(self) -> float:
        """Time that it took, seconds."""
        return float(self.dataset.attrs["seconds"])

    @property
    def total_coverage(self) -> xr.DataArray:
        """Weighted mean coverage of the problem's groups by each network, (network,), 0 to 1."""
        return self.dataset["total_coverage"]

    @property
    def group_coverage(self) -> xr.DataArray:
        """Coverage of each group by each network, (network, group), 0 to 1."""
        return self.dataset["group_coverage"]

    def network(self, number: int) -> list[str]:
        """Ids of the sites of a network.

        Give them to `spineq.evaluate` for a `Network`; with ``keep`` as it was asked.

        Raises
        ------
        ProblemError
            There is no such network.
        """
        whole = isinstance(number, Integral) and not isinstance(number, bool)
        if not whole or not 0 <= number < self.n_networks:
            msg = f"the baseline has no network {shown(number)}"
            mend = f"Give 0 to {self.n_networks - 1}" if self.n_networks else "It is empty"
            raise ProblemError(msg, field="number", mend=mend)
        places = self.dataset["network_site"].to_numpy()[int(number)]
        return [str(site) for site in self.dataset["site"].to_numpy()[places]]

    def mean(self) -> pd.Series[float]:
        """Mean coverage over the networks: of the weighted mean (``total``) and of each group."""
        return self.table().mean()

    def quantiles(self, levels: Sequence[float] = (0.05, 0.5, 0.95)) -> pd.DataFrame:
        """Coverage that a share of the networks does not exceed, a row a level.

        Parameters
        ----------
        levels
            Shares of the networks, 0 to 1.

        Raises
        ------
        ProblemError
            A level that is none, or no network.
        """
        found = np.asarray(levels, dtype=np.float64)
        if found.ndim != 1 or not ((found >= 0) & (found <= 1)).all():
            msg = f"levels must be shares of the networks, not {shown(levels)}"
            raise ProblemError(msg, field="levels", mend="Give numbers from 0 to 1, such as 0.95")
        self._need_one()
        return self.table().quantile(list(found)).rename_axis("level")

    def best(self, group: str | None = None) -> int:
        """Number of the network that covers a group best, or by default all together.

        Raises
        ------
        ProblemError
            No group of the baseline, or no network.
        """
        self._need_one()
        if group is None:
            return int(np.argmax(self.total_coverage.to_numpy()))
        if group not in self.groups:
            msg = f"the baseline has no group {shown(group)}"
            raise ProblemError(msg, field="group", mend=f"Use {', '.join(self.groups)}")
        return int(np.argmax(self.group_coverage.sel(group=group).to_numpy()))

    def table(self) -> pd.DataFrame:
        """Coverage by network, 0 to 1: ``total``, and a column a group."""
        made = pd.DataFrame(
            self.group_coverage.to_numpy(),
            index=pd.RangeIndex(self.n_networks, name="network"),
            columns=list(self.groups),
        )
        # A group may be called total; the weighted mean is the first all the same.
        made.insert(0, "total", self.total_coverage.to_numpy(), allow_duplicates=True)
        return made

    def summary(self) -> str:
        """Say what random networks cover, in plain sentences."""
        attrs, n = self.dataset.attrs, self.problem.number
        where = attrs["city_name"] or "a city"
        first = (
            f"{counted(self.n_networks, 'random network')} of {counted(n, 'sensor')} in {where}, "
            f"theta {self.problem.theta:,g} {attrs['distance_unit']}."
        )
        lines = [first]
        if self.n_networks:
            low, middle, high = self.quantiles().to_numpy().T[0]
            most = float(self.total_coverage.to_numpy().max())
            lines.append(
                f"Coverage is {percent(float(middle))} in the median; nine in ten lie between "
                f"{percent(float(low))} and {percent(float(high))}, and the best of them has "
                f"{percent(most)}."
            )
        if self.stopped:
            lines.append("The drawing was stopped early.")
        return "\n".join(lines)

    def __repr__(self) -> str:
        city = self.dataset.attrs["city_name"] or "a city"
        return (
            f"<Baseline of {self.n_networks:,} random networks of {self.problem.number:,} "
            f"sensors in {city}>"
        )

    def __eq__(self, other: object) -> bool:
        """Two baselines are equal where everything but the time taken is, bit for bit."""
        if not isinstance(other, Baseline):
            return NotImplemented
        mine, theirs = (one.dataset.assign_attrs(seconds=0.0) for one in (self, other))
        return bool(mine.identical(theirs))

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """Describe the baseline in JSON's types, without its networks but for the best.

        Keys: ``lad20cd, city, n_sensors, theta, decay, n_networks, seed, total{mean, low, median,
        high, best}, groups[{name, title, people, estimated, mean, low, median, high, best}],
        best_network[], stopped, seconds, version``; low and high are those that 5 % and 95 % of
        the networks do not exceed.
        """
        data, problem = self.dataset, self.problem
        some = self.n_networks > 0
        groups = [
            {
                "name": name,
                "title": str(data["group_title"].to_numpy()[k]),
                "people": float(data["group_people"].to_numpy()[k]),
                "estimated": bool(data["group_estimated"].to_numpy()[k]),
                **_figures(self.group_coverage.to_numpy()[:, k]),
            }
            for k, name in enumerate(self.groups)
        ]
        return {
            "lad20cd": data.attrs["city_code"],
            "city": data.attrs["city_name"],
            "n_sensors": problem.number,
            "theta": problem.theta,
            "decay": problem.decay,
            "n_networks": self.n_networks,
            "seed": int(data.attrs["seed"]),
            "total": _figures(self.total_coverage.to_numpy()),
            "groups": groups,
            "best_network": self.network(self.best()) if some else None,
            "stopped": self.stopped,
            "seconds": self.seconds,
            "version": data.attrs["spineq_version"],
        }

    def to_netcdf(self, path: str | Path) -> Path:
        """Write everything as NetCDF, which `read_baseline` reads back exactly.

        Raises
        ------
        StoreError
            The path is none, or the file cannot be written.
        """
        return write_sealed(self.dataset, path)

    def to_bytes(self) -> bytes:
        """Return the content of the file that `to_netcdf` writes; see `baseline_from_bytes`."""
        return sealed(self.dataset)

    def _need_one(self) -> None:
        if self.n_networks == 0:
            msg = "the baseline is empty: the drawing was stopped"
            raise ProblemError(msg, mend="Give it more time")


def _figures(values: NDArray[np.float64]) -> dict[str, float | None]:
    names = ("mean", "low", "median", "high", "best")
    if not len(values):
        return dict.fromkeys(names)
    made = (values.mean(), *np.quantile(values, (0.05, 0.5, 0.95)), values.max())
    return {name: float(value) for name, value in zip(names, made, strict=True)}


def read_baseline(path: str | Path) -> Baseline:
    """Read a baseline that `Baseline.to_netcdf` wrote.

    Raises
    ------
    NetworkFileError
        The path is none; or the file is not there, is not a baseline of ours, or was changed
        since it was written.
    """
    return Baseline(read_sealed(path, _KIND))


def baseline_from_bytes(data: bytes) -> Baseline:
    """Rebuild a baseline that `Baseline.to_bytes` described.

    Raises
    ------
    NetworkFileError
        The bytes are not a baseline of ours, or were changed since they were written.
    """
    return Baseline(unsealed(data, _KIND))

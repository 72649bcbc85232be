"""Front: networks of which none is better for every group than another.

The file is long because it is one class and the contract of each of its methods; words,
comparisons and files are in the private modules beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from spineq.errors import MissingExtraError, ProblemError, shown
from spineq.model._exports import content_digest, exported, file_to_write
from spineq.model._front_comparison import ROUNDING, Comparison, compared
from spineq.model._front_description import described
from spineq.model._sealed import Kind, read_sealed, sealed, unsealed, write_sealed
from spineq.model.groups import real_number
from spineq.model.problem import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.network import Network

#: Version of the schema that `Front.dataset` follows.
FRONT_SCHEMA = 1

_KIND = Kind("front", "spineq_front_schema", FRONT_SCHEMA)


@dataclass(frozen=True, eq=False)
class Front:
    """Networks between which one has to choose: what one group gains another one loses.

    The networks are in the order of their worth: the first k are the k that were chosen first
    for the hypervolume that they add. All that were found and that nothing dominates are in
    `archive`. A network is known by its number, its place in that order.

    Parameters
    ----------
    dataset
        Dimensions and variables:

        - ``(network, group)``: ``group_coverage``, 0 to 1; ``(network, sensor)``:
          ``network_site``, places of its sensors, -1 where it has fewer;
        - ``group``: ``group_title``, ``group_people`` (count), ``group_estimated``;
        - ``place``: ``site``, ``sensor_area`` (ids), ``sensor_x``, ``sensor_y`` (metres): the sites
          that a network uses; the other variables name them by their position here;
        - ``(found, group)``: ``archive_coverage`` to 12 decimals; ``found``: ``archive_base``
          (position of a base), ``archive_slot`` (position of the sensor that goes) and
          ``archive_site`` (place that comes), both -1 for the base itself;
        - ``(base, sensor)``: ``base_site``, places of the bases' sensors;
        - ``kept``: ``kept_x``, ``kept_y``: sensors that stood already and stay (metres).
    """

    dataset: xr.Dataset

    @property
    def problem(self) -> Problem:
        """What was asked, but for the groups' weights, which play no part."""
        return Problem.from_json(self.dataset.attrs["problem"])

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups."""
        return tuple(str(name) for name in self.dataset["group"].to_numpy())

    @property
    def group_coverage(self) -> xr.DataArray:
        """Coverage of each group by each network, (network, group), 0 to 1."""
        return self.dataset["group_coverage"]

    @property
    def n_networks(self) -> int:
        """Number of networks of the front."""
        return int(self.dataset.sizes["network"])

    @property
    def stopped(self) -> bool:
        """Whether the search was cut short."""
        return bool(self.dataset.attrs["stopped"])

    @property
    def method(self) -> str:
        """How the networks were found."""
        return str(self.dataset.attrs["method"])

    @property
    def seconds(self) -> float:
        """Time that it took, seconds."""
        return float(self.dataset.attrs["seconds"])

    @property
    def tolerance(self) -> float | None:
        """No network covers every group by more than so much beyond the front; None: not known.

        That is proven: whatever network there may be, one of the archive reaches its coverage
        in every group but for this much.
        """
        found = float(self.dataset.attrs["tolerance"])
        return None if np.isnan(found) else found

    @property
    def archive(self) -> xr.Dataset:
        """Every network found that none other dominates.

        ``coverage`` (found, group), to 12 decimals (in a city so large that far pairs were left
        out of the search, without these); ``base`` (found,), the network around which
        it was found; ``out`` and ``into`` (found,), ids of the sites that leave that base and
        that come; empty for a base itself. `archived` puts a network's sites together.
        """
        data = self.dataset
        base, slot = data["archive_base"].to_numpy(), data["archive_slot"].to_numpy()
        out = data["base_site"].to_numpy()[base, np.maximum(slot, 0)]
        return xr.Dataset(
            {
                "coverage": data["archive_coverage"],
                "base": ("found", base),
                "out": ("found", self._ids(np.where(slot < 0, -1, out))),
                "into": ("found", self._ids(data["archive_site"].to_numpy())),
            },
            coords={"group": data["group"]},
        )

    @property
    def hypervolume(self) -> float:
        """Volume of what the networks dominate, from no coverage (0, ..., 0) on."""
        return hypervolume(self.group_coverage.to_numpy())

    @property
    def digest(self) -> str:
        """SHA-256 of everything but the time taken, 64 hex digits."""
        return content_digest(self.dataset.assign_attrs(seconds=0.0))

    def network(self, number: int) -> list[str]:
        """Ids of the sites of a network of the front.

        Give them to `spineq.evaluate` for a `Network`.

        Raises
        ------
        ProblemError
            There is no such network.
        """
        k = _number(number, self.n_networks, "the front")
        places = self.dataset["network_site"].to_numpy()[k]
        return [str(site) for site in self._ids(places[places >= 0])]

    def archived(self, number: int) -> list[str]:
        """Ids of the sites of a network of the archive.

        Raises
        ------
        ProblemError
            There is no such network.
        """
        data = self.dataset
        k = _number(number, data.sizes["found"], "the archive")
        places = data["base_site"].to_numpy()[int(data["archive_base"][k])].copy()
        if (slot := int(data["archive_slot"][k])) >= 0:
            places[slot] = int(data["archive_site"][k])
        return sorted(str(site) for site in self._ids(places))

    def _ids(self, places: NDArray[Any]) -> NDArray[np.object_]:
        sites = np.append(self.dataset["site"].to_numpy().astype(object), "")
        made: NDArray[np.object_] = sites[places]
        return made

    def table(self) -> pd.DataFrame:
        """Coverage by network and group, 0 to 1: a row a network, a column a group."""
        names = pd.Index(list(self.groups), name="group")
        rows = pd.RangeIndex(self.n_networks, name="network")
        return pd.DataFrame(self.group_coverage.to_numpy(), index=rows, columns=names)

    def filter(self, at_least: Mapping[str, float]) -> Front:
        """Keep the networks, of the front and of the archive, that reach some coverage.

        Parameters
        ----------
        at_least
            Least coverage of groups by name, 0 to 1.

        Returns
        -------
        Front
            Numbered anew, in the same order; empty where nothing reaches it. Where networks of
            the archive are left out, what is proven of the whole front is no longer said.

        Raises
        ------
        ProblemError
            No group of the front, or no level.
        """
        least = self._levels(at_least, "at_least", -np.inf)
        data = self.dataset
        keep = (data["group_coverage"].to_numpy() >= least - ROUNDING).all(axis=1)
        found = (data["archive_coverage"].to_numpy() >= least - ROUNDING).all(axis=1)
        left = data.isel(network=np.flatnonzero(keep), found=np.flatnonzero(found))
        if not found.all():
            left = left.assign_attrs(tolerance=np.nan, tolerance_asked=np.nan)
        return Front(left)

    def knee(self) -> int:
        """Number of the network where the front bends most.

        With each group's coverage scaled so that the front's smallest is 0 and its largest 1,
        the one with the largest sum: that farthest from the plane through the groups' own
        bests (Das 1999). Beyond it, a little for one group costs the others much.

        Raises
        ------
        ProblemError
            The front is empty.
        """
        self._need_one()
        coverage = self.group_coverage.to_numpy()
        low, width = coverage.min(axis=0), np.ptp(coverage, axis=0)
        scaled = (coverage - low) / np.where(width > 0, width, 1.0)
        return int(np.argmax(scaled.sum(axis=1)))

    def worst_best(self) -> int:
        """Number of the network whose worst-covered group is covered best.

        Raises
        ------
        ProblemError
            The front is empty.
        """
        self._need_one()
        return int(np.argmax(self.group_coverage.to_numpy().min(axis=1)))

    def nearest(self, target: Mapping[str, float]) -> int:
        """Number of the network whose coverage is nearest to a wish.

        Parameters
        ----------
        target
            Coverage of groups by name, 0 to 1. A group that is not named does not count. The
            distance is that of coverage itself, in percentage points so to say.

        Raises
        ------
        ProblemError
            No group of the front, or no level; or the front is empty.
        """
        self._need_one()
        wish = self._levels(target, "target", np.nan)
        off = np.nan_to_num(self.group_coverage.to_numpy() - wish)
        return int(np.argmin((off**2).sum(axis=1)))

    def compare(self, network: Network) -> Comparison:
        """Hold a network against the front.

        Parameters
        ----------
        network
            A network of the same city, theta and decay, whose groups are among those that it
            reports. It may have another number of sensors.

        Returns
        -------
        Comparison
            Which networks of the front dominate it, and what moving to the nearest brings.

        Raises
        ------
        DataError
            The network is of another city.
        ProblemError
            It is no network, has another theta or decay, or does not report a group.
        """
        return compared(self, network)

    def summary(self) -> str:
        """Say what there is to choose from, in plain sentences."""
        from spineq.model._front_words import summary

        return summary(self)

    def _repr_html_(self) -> str:
        from spineq.model._front_words import html

        return html(self)

    def __repr__(self) -> str:
        city = self.dataset.attrs["city_name"] or "a city"
        return (
            f"<Front of {self.n_networks:,} networks in {city} for {', '.join(self.groups)}; "
            f"{self.dataset.sizes['found']:,} in the archive>"
        )

    def __eq__(self, other: object) -> bool:
        """Two fronts are equal where everything but the time taken is, bit for bit."""
        if not isinstance(other, Front):
            return NotImplemented
        mine, theirs = (one.dataset.assign_attrs(seconds=0.0) for one in (self, other))
        return bool(mine.identical(theirs))

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """Describe the front in JSON's types; of the archive only how many there are.

        Keys: ``lad20cd, city, n_sensors, theta, decay, groups[{name, title, people, estimated,
        best, worst}], networks[{number, coverage{}, sites[]}], hypervolume, archive, knee,
        worst_best, tolerance, method, stopped, seconds, version``.
        """
        return described(self)

    def to_json(self, path: str | Path) -> Path:
        """Write `to_dict` as a JSON file; an earlier file is replaced in one step.

        Raises
        ------
        StoreError
            The path is none, or the file cannot be written.
        """
        file = file_to_write(path)
        with exported(file) as temporary:
            temporary.write_text(json.dumps(self.to_dict(), indent=1, allow_nan=False))
        return file

    def to_netcdf(self, path: str | Path) -> Path:
        """Write everything as NetCDF, which `spineq.read_front` reads back exactly.

        The file carries a digest of its content, so that damage is noticed.

        Raises
        ------
        StoreError
            The path is none, or the file cannot be written.
        """
        return write_sealed(self.dataset, path)

    def to_bytes(self) -> bytes:
        """Return the content of the file that `to_netcdf` writes; see `front_from_bytes`."""
        return sealed(self.dataset)

    def _levels(self, given: object, field: str, otherwise: float) -> NDArray[np.float64]:
        mend = f"Write {{{self.groups[0]!r}: 0.4}}"
        if not isinstance(given, Mapping) or not given:
            msg = f"{field} must be a dictionary of groups and levels, not {shown(given)}"
            raise ProblemError(msg, field=field, mend=mend)
        made = np.full(len(self.groups), otherwise)
        for name, level in given.items():
            if name not in self.groups:
                msg = f"the front has no group {shown(name)}"
                mend = f"Use {', '.join(self.groups)}"
                raise ProblemError(msg, field=field, mend=mend)
            number = real_number(level, f"{field} of {name!r}", mend)
            if not 0 <= number <= 1:
                msg = f"{field} of {name!r} must be 0 to 1, not {number:g}"
                raise ProblemError(msg, field=field, mend=mend)
            made[self.groups.index(name)] = number
        return made

    def _need_one(self) -> None:
        if self.n_networks == 0:
            why = "the search was stopped" if self.stopped else "no network passed the filter"
            msg = f"the front is empty: {why}"
            raise ProblemError(msg, mend="Ask less of it, or give the search more time")


def hypervolume(coverage: NDArray[np.float64]) -> float:
    """Volume of what a set of networks dominates, from no coverage at all (0, ..., 0) on.

    Parameters
    ----------
    coverage
        (network, group), 0 to 1.

    Raises
    ------
    MissingExtraError
        moocore is not installed.

    References
    ----------
    Zitzler and Thiele 1998; computed by moocore, exactly.
    """
    try:
        import moocore
    except ImportError as error:
        msg = "hypervolumes need the package moocore"
        raise MissingExtraError(msg, mend='Install it: pip install "spineq[front]"') from error
    if len(coverage) == 0:
        return 0.0
    points = np.ascontiguousarray(coverage)
    return float(moocore.hypervolume(points, ref=np.zeros(points.shape[1]), maximise=True))


def _number(number: object, most: int, what: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        msg = f"a network of {what} is known by its number, not {shown(number)}"
        raise ProblemError(msg, field="number", mend="Give a whole number, 0 up")
    if not 0 <= number < most:
        msg = f"{what} has no network {number}"
        mend = f"Give 0 to {most - 1}" if most else "It is empty: ask less of it"
        raise ProblemError(msg, field="number", mend=mend)
    return int(number)


def read_front(path: str | Path) -> Front:
    """Read a front that `Front.to_netcdf` wrote.

    Raises
    ------
    NetworkFileError
        The path is none; or the file is not there, is not a front of ours, or was changed since
        it was written.
    """
    return Front(read_sealed(path, _KIND))


def front_from_bytes(data: bytes) -> Front:
    """Rebuild a front that `Front.to_bytes` described.

    Raises
    ------
    NetworkFileError
        The bytes are not a front of ours, or were changed since they were written.
    """
    return Front(unsealed(data, _KIND))

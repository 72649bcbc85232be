"""Every network found that no other one dominates, each as a base and one swap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from spineq.fronts.subset import nondominated

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Decimals of coverage by which networks are compared: the same network, reached by two swaps,
#: differs in the last bits.
DECIMALS = 12


@dataclass
class Found:
    """Networks as a base and one swap.

    Parameters
    ----------
    coverage
        (network, group), 0 to 1, to 12 decimals.
    base
        (network,) number of the base.
    slot
        (network,) position of the sensor that goes; -1 where the network is the base itself.
    site
        (network,) the site that comes; -1 likewise.
    """

    coverage: NDArray[np.float64]
    base: NDArray[np.int32]
    slot: NDArray[np.int32]
    site: NDArray[np.int32]

    def __len__(self) -> int:
        """Number of networks."""
        return len(self.base)

    def taken(self, which: NDArray[np.generic]) -> Found:
        """Those at some positions, or those marked."""
        return Found(self.coverage[which], self.base[which], self.slot[which], self.site[which])

    @classmethod
    def joined(cls, parts: Sequence[Found]) -> Found:
        """The networks of several, one after the other."""
        return cls(
            np.concatenate([part.coverage for part in parts]),
            np.concatenate([part.base for part in parts]),
            np.concatenate([part.slot for part in parts]),
            np.concatenate([part.site for part in parts]),
        )

    def best(self) -> Found:
        """Those that no other one matches in every group."""
        return self.taken(nondominated(self.coverage))

    @classmethod
    def none(cls, groups: int) -> Found:
        """No network, of so many groups."""
        nothing = np.empty(0, dtype=np.int32)
        return cls(np.empty((0, groups)), nothing, nothing, nothing)


@dataclass
class Archive:
    """Bases, and the networks around them that nothing dominates.

    Parameters
    ----------
    n_sensors, groups
        Sensors of a network, and number of groups.
    """

    n_sensors: int
    groups: int
    bases: list[NDArray[np.int64]] = field(default_factory=list)
    coverage: list[NDArray[np.float64]] = field(default_factory=list)
    found: Found = field(init=False)
    _number: dict[bytes, int] = field(default_factory=dict, repr=False)
    _looked_at: set[int] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.found = Found.none(self.groups)

    def add(self, sites: NDArray[np.int64], coverage: NDArray[np.float64]) -> int:
        """Take a network up as a base; returns its number, the old one if it is known.

        Parameters
        ----------
        sites
            (sensor,) in the order of their numbers.
        coverage
            (group,).
        """
        key = sites.tobytes()
        number = self._number.setdefault(key, len(self.bases))
        if number == len(self.bases):
            self.bases.append(sites)
            self.coverage.append(np.round(coverage, DECIMALS))
        return number

    def known(self) -> NDArray[np.float64]:
        """Coverage by the bases, (base, group)."""
        return np.array(self.coverage).reshape(len(self.bases), self.groups)

    def of_bases(self, numbers: Sequence[int]) -> Found:
        """Some of the bases, as networks."""
        nothing = np.full(len(numbers), -1, dtype=np.int32)
        known = self.known()[list(numbers)]
        return Found(known, np.array(numbers, dtype=np.int32), nothing, nothing)

    def with_bases(self, low: int) -> Found:
        """What has been found together with the bases from number ``low`` on."""
        return Found.joined([self.found, self.of_bases(range(low, len(self.bases)))])

    def sites(self, k: int) -> NDArray[np.int64]:
        """Sites of one of the networks found, in the order of their numbers."""
        sites = self.bases[int(self.found.base[k])].copy()
        if self.found.slot[k] >= 0:
            sites[self.found.slot[k]] = self.found.site[k]
        return np.sort(sites)

    def mark_looked_at(self, numbers: list[int]) -> list[int]:
        """Note that the swaps of bases are looked at; returns those whose were not before."""
        fresh = [number for number in dict.fromkeys(numbers) if number not in self._looked_at]
        self._looked_at.update(fresh)
        return fresh

    def compact(self) -> tuple[NDArray[np.int64], Found]:
        """Bases that a network needs, (base, sensor), and the networks, with new numbers."""
        used, base = np.unique(self.found.base, return_inverse=True)
        bases = np.array([self.bases[k] for k in used], dtype=np.int64)
        found = replace(self.found, base=base.astype(np.int32))
        return bases.reshape(len(used), self.n_sensors), found

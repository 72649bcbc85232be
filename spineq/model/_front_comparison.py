"""Holding a network against a front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from spineq.errors import DataError, ProblemError
from spineq.model._exports import need_network
from spineq.model._front_words import comparison_words
from spineq.model.groups import GROUPS

if TYPE_CHECKING:
    from spineq.model.front import Front
    from spineq.model.network import Network

#: Coverage by which a network must fall short to count as worse, for the rounding of sums.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a front has to offer to somebody who has a network.

    Parameters
    ----------
    coverage
        Coverage by the network, (group,), 0 to 1.
    dominating
        Numbers of the front's networks that cover no group less and one more.
    nearest
        The one of these whose coverage is nearest, or of all where there are none; None where
        the front is empty.
    change
        What moving there changes for each group, (group,), -1 to 1.
    """

    coverage: xr.DataArray
    dominating: tuple[int, ...]
    nearest: int | None
    change: xr.DataArray

    @property
    def dominated(self) -> bool:
        """Whether the front has a network that is better or equal for every group."""
        return bool(self.dominating)

    def summary(self) -> str:
        """Say it in plain sentences."""
        return comparison_words(self)

    def __repr__(self) -> str:
        return f"<Comparison: {self.summary()}>"


def compared(front: Front, network: Network) -> Comparison:
    """Do the work of `Front.compare`."""
    need_network(network)
    theirs, mine = network.problem, front.problem
    if network.dataset.attrs["city_digest"] != front.dataset.attrs["city_digest"]:
        msg = "the network is of another city than the front"
        raise DataError(msg, mend="Compare networks of one city")
    for name in ("theta", "decay"):
        if getattr(theirs, name) != getattr(mine, name):
            msg = f"the network's {name} is {getattr(theirs, name)}, not {getattr(mine, name)}"
            raise ProblemError(msg, field=name, mend="Evaluate its sensors as the front was")
    reported = {str(name) for name in network.dataset["group"].to_numpy()}
    known = {k: g for k, g in {**GROUPS, **dict(theirs.groups)}.items() if k in reported}
    coverage = []
    for name, group in mine.groups:
        match = next((k for k, other in known.items() if group.same_people(other)), None)
        if match is None:
            msg = f"the network does not report the group {name!r}"
            raise ProblemError(msg, field="groups", mend="Evaluate it for the front's groups")
        coverage.append(float(network.group_coverage.sel(group=match)))
    own = np.array(coverage)
    others = front.group_coverage.to_numpy()
    no_less = (others >= own - ROUNDING).all(axis=1)
    better = np.flatnonzero(no_less & (others > own + ROUNDING).any(axis=1))
    among = better if len(better) else np.arange(len(others))
    nearest, change = None, np.full(len(own), np.nan)
    if len(among):
        nearest = int(among[np.argmin(((others[among] - own) ** 2).sum(axis=1))])
        change = others[nearest] - own
    coords = {"group": front.dataset["group"]}
    return Comparison(
        xr.DataArray(own, coords, dims="group", name="coverage"),
        tuple(int(k) for k in better),
        nearest,
        xr.DataArray(change, coords, dims="group", name="change"),
    )

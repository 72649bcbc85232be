"""What questions put on the map: marks at places, and figures that areas are coloured by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spineq.model.network import Network

#: Kinds of marks, and what the legend says of each.
MEANINGS = {
    "asked": "what is asked about",
    "stands_in": "nearly as good in its place",
    "comes": "where sensors go instead",
}


@dataclass(frozen=True)
class Mark:
    """A mark at a place.

    Parameters
    ----------
    x, y
        Where, metres.
    kind
        One of `MEANINGS`.
    title
        What it says.
    """

    x: float
    y: float
    kind: str
    title: str


@dataclass(frozen=True, eq=False)
class Overlay:
    """Shares that the map can be coloured by while a network is shown.

    Parameters
    ----------
    network
        The network that they are about.
    title
        What they are, for the list of what the map can show.
    legend
        The same for the legend, at more length.
    values
        (area,) 0 to 1; NaN where nothing is known.
    """

    network: Network
    title: str
    legend: str
    values: NDArray[np.float64]

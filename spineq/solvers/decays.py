"""Decays: how coverage falls with distance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Decay:
    """How coverage falls with distance.

    Parameters
    ----------
    name
        What the problem calls it.
    formula
        In terms of the distance d and theta, both metres (or both the travel table's unit).
    source
        Where it comes from.
    function
        Turns distances into coverage in place: ``function(distances, theta)``.
    radius
        Distance beyond which coverage is at most a given level: ``radius(theta, level)``.
    ends
        Coverage is exactly zero beyond the radius.
    """

    name: str
    formula: str
    source: str
    function: Callable[[NDArray[np.float64], float], NDArray[np.float64]]
    radius: Callable[[float, float], float]
    ends: bool = False

    def __call__(self, distances: NDArray[np.float64], theta: float) -> NDArray[np.float64]:
        """Coverage at distances, any shape, 0 to 1; an infinite distance gives 0."""
        return self.apply(np.array(distances, dtype=np.float64), theta)

    def apply(self, distances: NDArray[np.float64], theta: float) -> NDArray[np.float64]:
        """Turn distances into coverage in place."""
        # A tiny theta makes a distance infinitely many thetas, which is what is meant.
        with np.errstate(over="ignore", under="ignore"):
            return self.function(distances, theta)


def _exponential(d: NDArray[np.float64], theta: float) -> NDArray[np.float64]:
    np.divide(d, -theta, out=d)
    return np.exp(d, out=d)


def _step(d: NDArray[np.float64], theta: float) -> NDArray[np.float64]:
    d[...] = d <= theta
    return d


def _linear(d: NDArray[np.float64], theta: float) -> NDArray[np.float64]:
    np.divide(d, -theta, out=d)
    np.add(d, 1.0, out=d)
    return np.maximum(d, 0.0, out=d)


def _gaussian(d: NDArray[np.float64], theta: float) -> NDArray[np.float64]:
    np.divide(d, theta, out=d)
    np.multiply(d, d, out=d)
    np.multiply(d, -0.5, out=d)
    return np.exp(d, out=d)


#: The decays by name.
DECAYS: dict[str, Decay] = {
    decay.name: decay
    for decay in (
        Decay(
            "exponential",
            "exp(-d / theta): 37 % at theta, 1 % at 4.6 theta",
            "Spatial Inequality in the Smart City project (Alan Turing Institute, 2020)",
            _exponential,
            lambda theta, level: -theta * float(np.log(level)),
        ),
        Decay(
            "step",
            "1 up to d = theta, then 0: theta is a radius",
            "maximal covering location problem (Church and ReVelle 1974)",
            _step,
            lambda theta, level: theta,
            ends=True,
        ),
        Decay(
            "linear",
            "max(0, 1 - d / theta): nothing left at theta",
            "gradual covering (Berman and Krass 2002)",
            _linear,
            lambda theta, level: theta,
            ends=True,
        ),
        Decay(
            "gaussian",
            "exp(-(d / theta)^2 / 2): 61 % at theta, 1 % at 3 theta",
            "Gaussian distance weights of accessibility studies (Dai 2010)",
            _gaussian,
            lambda theta, level: theta * float(np.sqrt(-2.0 * np.log(level))),
        ),
    )
}

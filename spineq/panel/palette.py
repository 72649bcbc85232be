"""Colours of the map's classes, and the words of its legend."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Viridis in 24 steps: even in lightness, and readable for colour-blind people.
SEQUENTIAL = (
    "#46085c", "#48186a", "#482576", "#46337f", "#424086", "#3e4c8a", "#38588c", "#33638d",
    "#2e6d8e", "#2a778e", "#26828e", "#228b8d", "#1f958b", "#1fa088", "#23a983", "#2eb37c",
    "#3fbc73", "#52c569", "#69cd5b", "#84d44b", "#9dd93b", "#bade28", "#d8e219", "#f1e51d",
)  # fmt: skip

#: ColorBrewer's PuOr in 23 steps, so that one of them is no change; what falls is orange.
DIVERGING = (
    "#894108", "#a04d07", "#b65a07", "#c96d0d", "#de8013", "#eb9733", "#f8ae55", "#fdc278",
    "#fed39c", "#fde3be", "#faedda", "#f6f6f7", "#e9eaf2", "#dcddec", "#cccbe3", "#bcb7d8",
    "#a9a1cb", "#9489bb", "#7e70ab", "#6a4c9a", "#572b8a", "#451871", "#350857",
)  # fmt: skip

#: Colour where nothing is known, and where there is nothing to show yet.
UNKNOWN = "#bfc4c9"

#: Class where a value is not known.
NO_DATA = 255

#: Class of what belongs to no area, in pictures.
NO_AREA = 254

#: Steps that a scale may end at, times a power of ten: few, so that it seldom changes.
_ENDS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)

#: A pair of colour and label, the label empty for most steps of a long scale.
Legend = list[tuple[str, str]]


def palette(diverging: bool = False) -> tuple[str, ...]:
    """Colours of the classes from the smallest value to the largest."""
    return DIVERGING if diverging else SEQUENTIAL


def classes(values: NDArray[np.float64], top: float, diverging: bool = False) -> NDArray[np.uint8]:
    """Sort values into classes of equal width.

    Parameters
    ----------
    values
        (area,), any unit; NaN where not known.
    top
        End of the scale, above 0, in the same unit; what is beyond it is in the last class. The
        scale begins at 0, or at ``-top`` if it diverges.
    diverging
        Whether 0 is in the middle.

    Returns
    -------
    ndarray
        (area,) positions in `palette`; NO_DATA where a value is NaN.
    """
    n = len(palette(diverging))
    share = (values + top) / (2.0 * top) if diverging else values / top
    known = ~np.isnan(share)
    made = np.full(len(values), NO_DATA, dtype=np.uint8)
    made[known] = np.clip(np.floor(share[known] * n), 0, n - 1).astype(np.uint8)
    return made


def end_of_scale(most: float, least: float = 1e-3) -> float:
    """Round number at which a scale up to ``most`` ends; at least ``least``."""
    if not math.isfinite(most) or most <= least:
        return least
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in _ENDS if step * power >= most * (1.0 - 1e-9))


def shares_legend(top: float) -> Legend:
    """Label a scale of shares from 0 to ``top``; with a decimal where its middle needs one."""
    middle, end = 50 * top, 100 * top
    whole = abs(middle - round(middle)) < 1e-6
    decimals = 0 if whole else 1 if end >= 1 else 2
    texts = [f"{each:.{decimals}f} %" for each in (0.0, middle, end)]
    return _labelled(SEQUENTIAL, dict(zip((0, 12, 23), texts, strict=True)))


def changes_legend(top: float) -> Legend:
    """Label a scale of changes of a share, in percentage points, 0 in the middle."""
    decimals = 1 if 100 * top >= 0.1 else 2
    end = f"{100 * top:.{decimals}f}"
    return _labelled(DIVERGING, {0: f"\N{MINUS SIGN}{end}", 11: "0", 22: f"+{end}"})


def _labelled(colours: tuple[str, ...], labels: dict[int, str]) -> Legend:
    return [(colour, labels.get(k, "")) for k, colour in enumerate(colours)]


def breaks(values: NDArray[np.float64], most: int = 7) -> list[float]:
    """Rounded numbers that cut values into classes of about as many areas each.

    Parameters
    ----------
    values
        (area,), 0 or more; NaN where not known.
    most
        Largest number of classes.

    Returns
    -------
    list of float
        Increasing, above 0, each rounded to two digits; empty where all values are alike.
    """
    known = values[np.isfinite(values)]
    if len(known) == 0 or known.min() == known.max():
        return []
    found = np.quantile(known, np.arange(1, most) / most)
    rounded = sorted({_two_digits(float(each)) for each in found})
    return [each for each in rounded if known.min() < each <= known.max()]


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")


def classes_between(
    values: NDArray[np.float64], edges: list[float]
) -> tuple[NDArray[np.uint8], Legend]:
    """Sort values into the classes between edges, and label them.

    Returns
    -------
    tuple
        Positions in `SEQUENTIAL`, (area,), NO_DATA where a value is NaN, spread over all of it;
        and the legend, one pair a class.
    """
    n = len(edges) + 1
    colour = np.round(np.linspace(0, len(SEQUENTIAL) - 1, n)).astype(np.uint8)
    known = ~np.isnan(values)
    made = np.full(len(values), NO_DATA, dtype=np.uint8)
    made[known] = colour[np.searchsorted(np.array(edges), values[known], side="right")]
    return made, [(SEQUENTIAL[c], text) for c, text in zip(colour, _ranges(edges), strict=True)]


def _ranges(edges: list[float]) -> list[str]:
    if not edges:
        return ["all alike"]
    texts = [f"{edge:,.0f}" if edge >= 10 else f"{edge:g}" for edge in edges]
    between = [f"{low} to {high}" for low, high in pairwise(texts)]
    return [f"below {texts[0]}", *between, f"{texts[-1]} or more"]

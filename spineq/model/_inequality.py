"""How unequally something is spread: Gini coefficient, the worst-off, tenths of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def gini(values: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> float:
    """Gini coefficient: half the mean difference between two people, over the mean.

    ``sum_ij w_i w_j |x_i - x_j| / (2 sum_i w_i x_i)`` with weights that sum to 1 (Gini 1912; in
    this form Sen 1973, On Economic Inequality).

    Parameters
    ----------
    values
        (item,) 0 or more.
    weights
        (item,) 0 or more, not all 0; by default each item counts once.

    Returns
    -------
    float
        0 where all have the same (or nothing at all), up to 1 where one has everything.
    """
    shares = np.ones(len(values)) if weights is None else weights
    shares = shares / shares.sum()
    mean = float((shares * values).sum())
    if mean <= 0:
        return 0.0
    order = np.argsort(values, kind="stable")
    below = np.minimum(np.cumsum(shares[order])[:-1], 1.0)
    # Every step up divides those below it from those above: a sum without a negative term.
    apart = float((np.diff(values[order]) * below * (1.0 - below)).sum())
    return apart / mean


def mean_of_lowest(
    values: NDArray[np.float64], weights: NDArray[np.float64], share: float
) -> float:
    """Mean of the lowest values that make up a share of the weight.

    Of the item that reaches beyond the share as much counts as lies within.

    Parameters
    ----------
    values, weights
        (item,); weights are 0 or more, not all 0.
    share
        Above 0, up to 1.
    """
    order = np.argsort(values, kind="stable")
    ordered = weights[order]
    room = share * float(ordered.sum())
    before = np.cumsum(ordered) - ordered
    inside = np.clip(room - before, 0.0, ordered)
    return float((inside * values[order]).sum() / inside.sum())


class Parts(NamedTuple):
    """Equal parts of people, in the order of what they have.

    Parameters
    ----------
    people
        (part,) people in each.
    lowest, highest
        (part,) least and most that someone in the part has.
    mean
        (part,) mean of the values of the part's people.
    """

    people: NDArray[np.float64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    mean: NDArray[np.float64]


def equal_parts(
    by: NDArray[np.float64],
    people: NDArray[np.float64],
    values: NDArray[np.float64],
    n: int = 10,
) -> Parts:
    """Divide people into parts of as many each, from the least to the most of something.

    People of one area, and all who have just as much, are alike: where a border falls between
    them, each part gets the same mixture of them. So no order of areas has a say.

    Parameters
    ----------
    by
        (area,) what the people of the area have.
    people
        (area,) 0 or more, not all 0.
    values
        (area,) what is averaged over a part's people.
    n
        Number of parts.
    """
    some = people > 0
    level, block = np.unique(by[some], return_inverse=True)
    counts = np.bincount(block, weights=people[some])
    sums = np.bincount(block, weights=people[some] * values[some])
    upto = np.concatenate([[0.0], np.cumsum(counts)])
    total = float(upto[-1])
    borders = total * np.arange(n + 1) / n
    reached = np.interp(borders, upto, np.concatenate([[0.0], np.cumsum(sums)]))
    # Sums that meet a border but for rounding meet it.
    slack = total * 1e-12
    first = np.searchsorted(upto[1:], borders[:-1] + slack, side="right")
    last = np.searchsorted(upto[1:], borders[1:] - slack, side="left")
    size = total / n
    # A mean lies between the values, whatever was rounded.
    mean = np.clip(np.diff(reached) / size, values[some].min(), values[some].max())
    top = len(level) - 1
    return Parts(
        np.full(n, size), level[np.minimum(first, top)], level[np.minimum(last, top)], mean
    )

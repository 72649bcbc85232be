"""Welfare: increasing concave transforms of coverage, for an aversion to inequality.

With g increasing and concave, ``W = sum_j w_j g(c_j)`` rises more when someone who is badly
covered gains than when someone who is well covered gains as much. ``g^-1(W)`` is the
equally-distributed equivalent coverage (EDE): had everyone just that, W would be the same
(Atkinson 1970, Journal of Economic Theory 2). It is the mean where all are covered alike, and
below it elsewhere; how far below is what inequality costs (for environmental risks: Sheriff and
Maguire 2020, Risk Analysis 40; for services in cities: Logan, Anderson, Williams and Conrow 2021,
Computers, Environment and Urban Systems 86; where services are to be placed: arXiv:2401.15452).

Since g rises, g of the largest coverage is the largest g of a coverage: with its values
transformed, the problem is the same facility location problem, and every solver and every bound
holds for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from spineq.errors import ProblemError
from spineq.progress import Progress, SilentProgress
from spineq.solvers.coverage import Coverage

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The transforms by name.
WelfareForm = Literal["kolm_pollak", "atkinson"]

# Values that are transformed between two looks at the watcher: some milliseconds.
_PIECE = 250_000

# A Kolm-Pollak aversion below this changes no coverage by a rounding error: g(c) is
# c + aversion c (1 - c) / 2 and less.
_NONE = 2.0**-53


@dataclass(frozen=True)
class Welfare:
    """An increasing concave transform g of coverage, with g(0) = 0 and g(1) = 1.

    Parameters
    ----------
    form
        ``"kolm_pollak"``: g(c) = (1 - exp(-k c)) / (1 - exp(-k)), with which a gain for all by
        the same amount changes no inequality (Kolm 1976, Journal of Economic Theory 12; the
        utility is Pollak's 1971, Review of Economic Studies 38).
        ``"atkinson"``: g(c) = c^(1 - e), with which a gain for all by the same factor changes
        none (Atkinson 1970).
    aversion
        k, above 0; or e, above 0 and below 1.

    Raises
    ------
    ProblemError
        A form that does not exist, or an aversion out of its range.
    """

    form: WelfareForm
    aversion: float

    def __post_init__(self) -> None:
        """Check what was given."""
        if self.form not in ("kolm_pollak", "atkinson"):
            msg = f"aversion_form {self.form!r} does not exist"
            mend = "Use one of kolm_pollak, atkinson"
            raise ProblemError(msg, field="aversion_form", mend=mend)
        most = 1.0 if self.form == "atkinson" else np.inf
        if not 0.0 < self.aversion < most:
            msg = f"an aversion of {self.aversion:g} is out of range"
            limit = " and below 1" if self.form == "atkinson" else ""
            raise ProblemError(msg, field="aversion", mend=f"Give a number above 0{limit}")

    def __call__(self, coverage: NDArray[np.float64]) -> NDArray[np.float64]:
        """Transform coverage, any shape, 0 to 1; a new array, 0 to 1."""
        return self.apply(np.array(coverage, dtype=np.float64))

    def apply(self, coverage: NDArray[np.float64]) -> NDArray[np.float64]:
        """Transform coverage, 0 to 1, in place."""
        # A number so small that it is rounded to 0 is meant to be.
        with np.errstate(under="ignore"):
            if self.form == "atkinson":
                return np.power(coverage, 1.0 - self.aversion, out=coverage)
            if self.aversion < _NONE:
                return coverage
            # Not 1 - exp: for a small k c that would leave no digits.
            np.multiply(coverage, -self.aversion, out=coverage)
            np.expm1(coverage, out=coverage)
            return np.divide(coverage, np.expm1(-self.aversion), out=coverage)

    def inverse(self, welfare: float) -> float:
        """Coverage whose transform is a welfare: the EDE of a sum of shares.

        Where k times the coverage is large, welfare is so near to 1 that its rounding error e
        counts as much as ``e exp(k c) / k`` of coverage: `equivalent` has no such loss.

        Parameters
        ----------
        welfare
            0 to 1; what lies outside, as a bound may by its slack, counts as the end.

        Returns
        -------
        float
            0 to 1.
        """
        share = min(max(float(welfare), 0.0), 1.0)
        if self.form == "atkinson":
            return float(share ** (1.0 / (1.0 - self.aversion)))
        if self.aversion < _NONE:
            return share
        with np.errstate(divide="ignore"):
            made = -np.log1p(share * np.expm1(-self.aversion)) / self.aversion
        return float(min(made, 1.0))

    def equivalent(self, weight: NDArray[np.float64], coverage: NDArray[np.float64]) -> float:
        """Equally-distributed equivalent coverage, ``g^-1(sum_j w_j g(c_j))``.

        Parameters
        ----------
        weight
            (point,) 0 or more, not all 0; scaled to sum to 1.
        coverage
            (point,) 0 to 1.

        Returns
        -------
        float
            From the least coverage of a positive weight to the weighted mean.
        """
        weight, coverage = weight[weight > 0], coverage[weight > 0]
        total, least = float(weight.sum()), float(coverage.min())
        mean = float((weight * coverage).sum()) / total
        if self.form == "kolm_pollak":
            # Of what exceeds the least: sums of exp(-k c) are not rounded to 0, nor 1 - them.
            with np.errstate(under="ignore"):
                lost = np.expm1(-self.aversion * (coverage - least))
            made = least - float(np.log1p((weight * lost).sum() / total)) / self.aversion
        else:
            made = self.inverse(float((weight * self(coverage)).sum()) / total)
        # The law holds for the rounded number too.
        return max(min(made, mean), min(least, mean))


def welfare_of(form: WelfareForm, aversion: float) -> Welfare | None:
    """Make the transform that a problem's words mean; None where there is no aversion."""
    return Welfare(form, aversion) if aversion > 0 else None


def transformed(
    coverage: Coverage, welfare: Welfare, progress: Progress | None = None
) -> Coverage | None:
    """Coverage whose values, and whose cut-off's level, are transformed.

    Its bounds are valid: what was left out of lists covers at most g(floor). An objective's
    ``base`` is to be transformed by the same ``welfare(base)``.

    Parameters
    ----------
    coverage
        With values from 0 to 1; it stays as it is.
    welfare
        The transform.
    progress
        Watcher; None for nobody.

    Returns
    -------
    Coverage or None
        None where the watcher asked to stop.
    """
    progress = progress or SilentProgress()
    value = np.empty_like(coverage.value)
    for low in range(0, coverage.n_pairs, _PIECE):
        piece = slice(low, min(low + _PIECE, coverage.n_pairs))
        value[piece] = coverage.value[piece]
        welfare.apply(value[piece])
        if progress.report(piece.stop / coverage.n_pairs, "weighing inequality"):
            return None
    floor = float(welfare(np.array([coverage.floor]))[0])
    return replace(coverage, value=value, floor=floor)

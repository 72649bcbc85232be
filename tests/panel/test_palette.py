"""Classes of values, their colours and labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineq.panel import palette as p


def test_the_colours_are_those_of_the_static_pictures() -> None:
    """Both scales are matplotlib's, sampled in the middle of each class."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    for name, colours in (("viridis", p.SEQUENTIAL), ("PuOr", p.DIVERGING)):
        n = len(colours)
        assert colours == tuple(to_hex(colormaps[name]((k + 0.5) / n)) for k in range(n))
    assert len(p.DIVERGING) % 2 == 1, "no change has a colour of its own"


@given(st.lists(st.floats(-2, 2) | st.just(float("nan")), max_size=40), st.floats(0.001, 2))
def test_classes_follow_the_values(values: list[float], top: float) -> None:
    """A larger value is never in a lower class; an unknown one is in none."""
    for diverging in (False, True):
        made = p.classes(np.array(values, dtype=np.float64), top, diverging)
        assert made.dtype == np.uint8
        known = ~np.isnan(values) if values else np.array([], dtype=bool)
        assert (made[~known] == p.NO_DATA).all()
        assert (made[known] < len(p.palette(diverging))).all()
        order = np.argsort(np.array(values)[known], kind="stable")
        assert (np.diff(made[known][order].astype(int)) >= 0).all()


def test_ends_of_the_scales() -> None:
    """Nothing, everything and no change are in the first, last and middle class."""
    assert p.classes(np.array([0.0, 1.0]), 1.0).tolist() == [0, 23]
    assert p.classes(np.array([-0.2, 0.0, 0.2]), 0.2, diverging=True).tolist() == [0, 11, 22]


@pytest.mark.parametrize(
    ("most", "end"), [(0.0437, 0.05), (0.12, 0.15), (1.0, 1.0), (0.0, 0.001), (0.3, 0.3)]
)
def test_scales_end_at_round_numbers(most: float, end: float) -> None:
    """The end is not below the largest value, and seldom changes."""
    assert p.end_of_scale(most) == pytest.approx(end)


def test_labels() -> None:
    """Percent with a decimal where it is needed, percentage points with a proper minus sign."""
    texts = [[text for _, text in legend if text] for legend in (
        p.shares_legend(1.0), p.shares_legend(0.05), p.shares_legend(0.004), p.changes_legend(0.15),
    )]  # fmt: skip
    assert texts == [
        ["0 %", "50 %", "100 %"],
        ["0.0 %", "2.5 %", "5.0 %"],
        ["0.00 %", "0.20 %", "0.40 %"],
        ["\N{MINUS SIGN}15.0", "0", "+15.0"],
    ]


def test_quantiles_have_round_edges() -> None:
    """Edges have two digits, each class has about as many areas, and labels say from where to."""
    values = np.random.default_rng(3).lognormal(8, 1, 700)
    edges = p.breaks(values)
    assert all(edge == float(f"{edge:.2g}") for edge in edges)
    classes, legend = p.classes_between(np.append(values, np.nan), edges)
    assert classes[-1] == p.NO_DATA
    counts = np.unique(classes[:-1], return_counts=True)[1]
    assert len(counts) == len(legend) == 7
    assert counts.min() > 70
    assert legend[0][1].startswith("below 1,")
    assert legend[-1][1].endswith("or more")
    assert p.breaks(np.full(5, 3.0)) == []
    assert p.classes_between(np.full(5, 3.0), [])[1] == [(p.SEQUENTIAL[0], "all alike")]

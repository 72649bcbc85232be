"""Lattice: weightings of the groups."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spineq.fronts.lattice import best_of, between, lattice, levels


@pytest.mark.parametrize(("groups", "parts"), [(2, 5), (3, 4), (4, 12), (6, 3)])
def test_lattice_has_every_weighting_once(groups: int, parts: int) -> None:
    """There are as many as ways to give the parts away, and each gives all of them away."""
    made = lattice(groups, parts)
    assert len({tuple(row) for row in made.tolist()}) == math.comb(parts + groups - 1, groups - 1)
    assert (made >= 0).all()
    assert (made.sum(axis=1) == parts).all()


def test_four_groups_have_455_weightings() -> None:
    """The levels go from the corners to steps of 1/12, which are 455 weightings in all."""
    made = levels(4, 1.0)
    assert np.array_equal(np.sort(made[0], axis=0)[-1], [12, 12, 12, 12])
    assert len(made[0]) == 4
    every = np.concatenate(made)
    assert len(every) == 455
    assert {tuple(row) for row in every.tolist()} == {tuple(r) for r in lattice(4, 12).tolist()}


@pytest.mark.parametrize("groups", [2, 5, 9])
def test_little_effort_still_has_the_corners(groups: int) -> None:
    """Each group alone is weighed however small the effort is."""
    made = levels(groups, 1e-9)
    assert len(made) == 1
    assert np.array_equal(np.sort(made[0], axis=0), np.sort(np.eye(groups), axis=0))


def test_between_looks_where_most_is_hidden() -> None:
    """Between two corners that one network serves nothing is hidden; where two do, it is."""
    corners = lattice(3, 1)
    reached = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    made = between(corners, 1, reached, 9)
    assert {tuple(row) for row in made.tolist()} == {(0.5, 0.0, 0.5), (0.0, 0.5, 0.5)}
    assert len(between(corners, 1, reached, 1)) == 1


def test_best_of_takes_the_first_of_equals() -> None:
    """Each weighting gets the network with its largest mean."""
    reached = np.array([[0.2, 0.6], [0.6, 0.2], [0.4, 0.4]])
    value, which = best_of(np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]), reached)
    assert value == pytest.approx([0.6, 0.4, 0.6])
    assert which.tolist() == [1, 0, 0]

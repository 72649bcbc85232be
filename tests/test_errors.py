"""Exceptions: the tree, the journey by pickle, the sentence."""

from __future__ import annotations

import builtins
import copy
import inspect
import pickle
import re

import pytest

from spineq import errors

CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.SpineqError)
]


def _tree() -> dict[str, tuple[str | None, str | None]]:
    """Parent and built-in of each name in the module's docstring."""
    found: dict[str, tuple[str | None, str | None]] = {}
    above: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│├└─ ]*)(\w+(?:Error|Warning))(?: +\((\w+)\))?", line)
        if match:
            depth = len(match[1]) // 4
            above[depth] = match[2]
            found[match[2]] = (above.get(depth - 1), match[3])
    return found


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    """Every class is drawn, under its parent, with the built-in that it derives from."""
    drawn = _tree()
    assert set(drawn) == {kind.__name__ for kind in CLASSES} | {"SpineqWarning"}
    for name, (parent, built_in) in drawn.items():
        kind = getattr(errors, name)
        if parent is not None:
            assert getattr(errors, parent) in kind.__bases__
        if built_in is not None:
            assert issubclass(kind, getattr(builtins, built_in))


def test_every_error_but_the_two_general_ones_derives_from_a_built_in() -> None:
    """Callers who know only Python's own exceptions can catch ours."""
    general = {"SpineqError", "DataError"}
    named = {name for name, (_, built_in) in _tree().items() if built_in}
    assert {kind.__name__ for kind in CLASSES} - named == general


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])
def test_an_error_survives_pickle_with_every_field(kind: type, again: object) -> None:
    """What comes back from a worker is the same error, field by field."""
    error = kind("-3 is below 0", file="a.csv", row=7, field="workers", mend="Correct it")
    back = again(error)
    assert type(back) is kind
    assert vars(back) == vars(error)
    assert str(back) == str(error)
    assert back.args == error.args


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_names_value_place_and_mend(kind: type) -> None:
    """The text is one plain sentence about what and where, and one about the mend."""
    error = kind("-3 is below 0", file="a.csv", row=7, field="workers", mend="Correct it")
    assert str(error) == "file a.csv, row 7, field workers: -3 is below 0. Correct it."
    assert (error.file, error.row, error.field) == ("a.csv", "7", "workers")


def test_an_error_without_a_place_begins_with_what() -> None:
    """What is not known is not mentioned."""
    assert str(errors.StoreError("the disk is full")) == "the disk is full."
    assert str(errors.DataError("x", row=0)) == "row 0: x."


def test_long_values_are_cut_in_the_middle() -> None:
    """A message stays one sentence, whatever somebody gave."""
    assert errors.shown("x" * 5000) == "'" + "x" * 28 + "…" + "x" * 28 + "'"
    assert errors.shown(10**5000) == "a number of thousands of digits"
    assert errors.shown([1, 2]) == "[1, 2]"
    assert errors.shown("a\0\udc80") == r"'a\x00\udc80'"
    assert "\n" not in errors.shown(type("Odd", (), {"__repr__": lambda _: "a\n b"})())
    text = str(errors.DataError("what", file="f" * 5000, row="r" * 5000, field="c" * 5000))
    assert len(text) < 500


def test_a_value_that_cannot_be_shown_is_named_by_its_type() -> None:
    """An error about a value does not fail over the value."""

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    assert errors.shown(Broken()) == "a Broken"

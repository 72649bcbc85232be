"""p-median files: distances by hand, the last of two edges, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineq.data.orlib import read_pmedian
from spineq.errors import MissingFileError, UnreadableFileError


def write(folder: Path, text: str) -> Path:
    path = folder / "made.txt"
    path.write_text(text)
    return path


def test_distances_are_those_of_shortest_paths(tmp_path: Path) -> None:
    """By hand: a path is shorter than an edge, an edge of no length is one, the last counts."""
    path = write(tmp_path, "4 6 2\n1 2 5\n 2 3 1 \n\n1 3 9\n3 4 0\n2 1 3\n2 2 7\n")
    name, distance, n_medians = read_pmedian(path)
    assert (name, n_medians) == ("made", 2)
    assert distance.tolist() == [[0, 3, 4, 4], [3, 0, 1, 1], [4, 1, 0, 0], [4, 1, 0, 0]]


def test_published_instances(shared: Path) -> None:
    """The matrices are symmetric metrics of the published size."""
    for name, size, p in [("pmed1", 100, 5), ("pmed6", 200, 5), ("pmed16", 400, 5)]:
        read = read_pmedian(shared / "data" / "orlib" / f"{name}.txt")
        assert (read.name, read.distance.shape, read.n_medians) == (name, (size, size), p)
        assert (read.distance == read.distance.T).all()
        assert not read.distance.diagonal().any()
    optimum = json.loads((shared / "reference.json").read_text())["orlib_pmedian"]["optimum"]
    assert set(optimum) >= {"pmed1", "pmed6", "pmed16"}


@given(st.data())
def test_every_triangle_holds(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """No distance is longer than by way of a third place, nor than the edge, if it is the last."""
    n = data.draw(st.integers(2, 6))
    place = st.integers(1, n)
    more = data.draw(st.lists(st.tuples(place, place, st.integers(0, 9)), max_size=8))
    edges = [(k, k + 1, 10) for k in range(1, n)] + more
    text = f"{n} {len(edges)} 1\n" + "\n".join("{} {} {}".format(*edge) for edge in edges)
    distance = read_pmedian(write(tmp_path_factory.mktemp("orlib"), text)).distance
    assert (distance <= (distance[:, :, None] + distance[None]).min(axis=1)).all()
    last = {(min(i, j), max(i, j)): length for i, j, length in edges if i != j}
    assert all(distance[i - 1, j - 1] <= length for (i, j), length in last.items())
    assert (distance == np.rint(distance)).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "row 1: the file is empty"),
        ("3 1 1\n1 2", "row 2: '1 2' is not three whole numbers"),
        ("3 1 1\n1 2 x", "is not three whole numbers"),
        ("3 1 1\n1 2 --5", "is not three whole numbers"),
        ("3 1 1\n1 2 1.5", "is not three whole numbers"),
        ("3 1 1\n1 2 " + "9" * 30, "has too large a number"),
        ("0 0 1", "0 places are not 1 to 5,000"),
        ("99999 0 1", "99,999 places are not 1 to 5,000"),
        ("3 1 4\n1 2 1", "row 1: 4 medians of 3 places cannot be"),
        ("3 1 0\n1 2 1", "0 medians of 3 places cannot be"),
        ("3 5 1\n1 2 1", "5 edges are announced, and 1 are there"),
        ("3 2 1\n1 2 1\n1 4 1", "row 3: there is no place 4: they are 1 to 3"),
        ("3 1 1\n\n1 2 -1", "row 3: a length of -1 is not 0 to"),
        ("3 1 1\n1 2 1", "no path leads from place 1 to place 3"),
    ],
)
def test_what_is_not_of_the_format_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """The file, the row and what is wrong with it are named."""
    path = write(tmp_path, text)
    with pytest.raises(UnreadableFileError) as caught:
        read_pmedian(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "row row" not in str(caught.value)


def test_a_byte_order_mark_is_no_number(tmp_path: Path) -> None:
    """Windows' editors write one before the first number."""
    path = tmp_path / "marked.txt"
    path.write_text("2 1 1\n1 2 7\n", encoding="utf-8-sig")
    assert read_pmedian(path).distance.tolist() == [[0, 7], [7, 0]]


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder, and bytes."""
    with pytest.raises(MissingFileError, match="there is no such file"):
        read_pmedian(tmp_path / "none.txt")
    with pytest.raises(UnreadableFileError, match="Name the file itself"):
        read_pmedian(tmp_path)
    (tmp_path / "bytes").write_bytes(b"\xff\x00\xfe")
    with pytest.raises(UnreadableFileError, match="cannot be read as text"):
        read_pmedian(tmp_path / "bytes")


def test_one_place(tmp_path: Path) -> None:
    """An instance of one place has no edge."""
    assert read_pmedian(write(tmp_path, "1 0 1\n")).distance.tolist() == [[0.0]]

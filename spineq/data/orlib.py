"""p-median instances in the format of the OR-Library (Beasley 1990).

The first line has the number of places, that of edges, and how many medians are wanted; then
each line is an edge: two places, counted from 1, and its length. Distances are those of the
shortest paths. Where an edge is given twice, the last one counts: the published optima of
pmed1 to pmed40 are right only so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np

from spineq.data._tables import existing_path
from spineq.errors import UnreadableFileError, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Places that an instance may have: the matrix of distances takes their square times 8 bytes.
MOST_PLACES = 5_000

#: Longest edge; sums of them are exact.
_LONGEST = 10**9


class PMedian(NamedTuple):
    """A p-median instance: every place is a site and a demand point of weight 1.

    Parameters
    ----------
    name
        Name of the file, without its ending.
    distance
        (site, point), shortest paths, whole numbers.
    n_medians
        How many medians are wanted.
    """

    name: str
    distance: NDArray[np.float64]
    n_medians: int


def read_pmedian(path: object) -> PMedian:
    """Read an instance from a file.

    Parameters
    ----------
    path
        A text file in the OR-Library's format.

    Raises
    ------
    MissingFileError
        There is no such file.
    UnreadableFileError
        It is not of that format: the sentence names the row.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    file = existing_path(path)
    if not file.is_file():
        msg = "a file is needed, and this is none"
        raise UnreadableFileError(msg, file=file, mend="Name the file itself")
    rows = _rows(file)
    if not rows:
        _refuse(file, 1, "the file is empty")
    row, (n, n_edges, p) = rows[0]
    if not 1 <= n <= MOST_PLACES:
        _refuse(file, row, f"{n:,} places are not 1 to {MOST_PLACES:,}")
    if not 1 <= p <= n:
        _refuse(file, row, f"{p:,} medians of {n:,} places cannot be")
    if n_edges != len(rows) - 1:
        _refuse(file, row, f"{n_edges:,} edges are announced, and {len(rows) - 1:,} are there")
    lengths: dict[tuple[int, int], int] = {}
    for row, (i, j, length) in rows[1:]:
        for place in (i, j):
            if not 1 <= place <= n:
                _refuse(file, row, f"there is no place {place:,}: they are 1 to {n:,}")
        if not 0 <= length <= _LONGEST:
            _refuse(file, row, f"a length of {length:,} is not 0 to {_LONGEST:,}")
        if i != j:
            lengths[min(i, j), max(i, j)] = length
    ends = np.array(list(lengths), dtype=np.int64).reshape(-1, 2) - 1
    # A sparse matrix takes 0 for no edge, so that an edge of no length gets one that is lost
    # again when distances are made whole.
    costs = np.maximum(np.array(list(lengths.values()), dtype=np.float64), 0.25 / n)
    graph = csr_array((costs, (ends[:, 0], ends[:, 1])), (n, n))
    distance = np.rint(shortest_path(graph, directed=False))
    if not np.isfinite(distance).all():
        cut_off = int(np.flatnonzero(~np.isfinite(distance[0]))[0]) + 1
        msg = f"no path leads from place 1 to place {cut_off:,}"
        raise UnreadableFileError(msg, file=file, mend="Add the edges that are missing")
    return PMedian(file.stem, distance, p)


def _rows(file: Path) -> list[tuple[int, tuple[int, int, int]]]:
    """Read all rows of three whole numbers, with the number of each."""
    try:
        # Windows' editors begin a text with a byte-order mark.
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = "the file cannot be read as text"
        raise UnreadableFileError(msg, file=file, mend="Check that it is the right file") from error
    made = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) != 3 or not all(re.fullmatch("-?[0-9]+", word) for word in words):
            _refuse(file, number, f"{shown(line.strip())} is not three whole numbers")
        # Python does not read whole numbers of more than 4,300 digits.
        if max(map(len, words)) > 18:
            _refuse(file, number, f"{shown(line.strip())} has too large a number")
        first, second, third = map(int, words)
        made.append((number, (first, second, third)))
    return made


def _refuse(file: Path, row: int, what: str) -> NoReturn:
    mend = "Write 'places edges medians' first, then 'place place length' for each edge"
    raise UnreadableFileError(what, file=file, row=row, mend=mend)

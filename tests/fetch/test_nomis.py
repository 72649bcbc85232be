"""Tables of Nomis, whole and cut at any place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineq.fetch import FetchError
from spineq.fetch.failure import EmptyAnswerError, TornAnswer
from spineq.fetch.nomis import _whole, read_csv

ROWS = [("2024", f"E{k:08d}", 101 + k % 91, 3 * k, 1234) for k in range(40)]
HEAD = '"DATE","GEOGRAPHY_CODE","C_AGE","OBS_VALUE","RECORD_COUNT"\r\n'
TABLE = (HEAD + "".join(f'"{d}","{a}",{c},{v},{n}\r\n' for d, a, c, v, n in ROWS)).encode()


@given(st.integers(0, len(TABLE)))
def test_a_table_cut_anywhere_is_never_misread(at: int) -> None:
    """It is refused, or what is read are whole rows from the beginning."""
    part = TABLE[:at]
    try:
        _whole(part)
    except (TornAnswer, EmptyAnswerError):
        return
    found = read_csv(part)
    assert [tuple(row) for row in found.itertuples(index=False)] == ROWS[: len(found)]


def test_a_whole_table_is_read() -> None:
    """Codes stay text, names of columns are small."""
    _whole(TABLE)
    _whole(TABLE, total=1234)
    assert list(read_csv(TABLE).columns) == [
        "date", "geography_code", "c_age", "obs_value", "record_count",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        (b"", EmptyAnswerError, "sent nothing"),
        (b" \r\n", EmptyAnswerError, "sent nothing"),
        (HEAD.encode(), EmptyAnswerError, "without rows"),
        (b"<html>", TornAnswer, "web page"),
        (b"Too many requests", TornAnswer, "Too many requests"),
        (b"a,b\r\n1,2\r\n", FetchError, "no table but 'a,b"),
    ],
)
def test_what_is_no_table(body: bytes, error: type[Exception], said: str) -> None:
    """Each kind has its words."""
    with pytest.raises(error, match=said):
        _whole(body)


def test_a_count_that_changes() -> None:
    """A table that grew between two pages is not mixed."""
    with pytest.raises(FetchError, match="had 1,233 rows a moment ago, and has 1,234 now"):
        _whole(TABLE, total=1233)

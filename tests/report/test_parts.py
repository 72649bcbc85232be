"""Parts of a report: the same in HTML and in words, and data are never HTML."""

from __future__ import annotations

import pytest

import spineq as sq
from spineq.report import parts

EVIL = '<script>alert(1)</script> & "5 %"'


@pytest.mark.parametrize(
    "shown",
    [
        parts.words(EVIL),
        parts.listed(EVIL),
        parts.key_figures([(EVIL, EVIL)]),
        parts.table((EVIL, "b"), [(EVIL, EVIL)], caption=EVIL),
        parts.Picture("name", b"\x89PNG" + b"\0" * 40, EVIL, EVIL),
    ],
    ids=lambda shown: type(shown).__name__,
)
def test_text_is_text(shown: parts.Shown) -> None:
    """What a file of somebody's has as a name does not become part of the page."""
    made = shown._repr_html_()
    assert "<script" not in made
    assert "&lt;script" in made
    assert "<script>" in repr(shown)


def test_numbers_stay_with_their_units() -> None:
    assert "54.6&nbsp;%" in parts.words("covered 54.6 % in all").html
    assert "within 1,000&nbsp;m" in parts.table(("within 1,000 m",), []).html
    assert "5 miles" in parts.words("5 miles").html


def test_a_table_has_heads_and_rows() -> None:
    made = parts.table(("Group", "Coverage"), [("all", "1 %"), ("some", "20 %")], "Who")
    assert made.html.count("<tr>") == 3
    assert made.html.count("scope='row'") == 2
    assert "<caption>Who</caption>" in made.html
    assert made.text.splitlines() == [
        "Who", "Group  Coverage", "all         1 %", "some       20 %",
    ]  # fmt: skip


def test_a_picture_says_what_it_shows() -> None:
    """Its title is what those read who cannot see it."""
    city = sq.demo_city()
    made = parts.picture("density", sq.plot.density(city, sq.GROUPS["workplace"]), caption="Where")
    assert made.words.startswith("San Francisco: workers")
    assert made.png.startswith(b"\x89PNG")
    assert f"alt='{made.words}'" in made.html
    assert "<figcaption>Where</figcaption>" in made.html

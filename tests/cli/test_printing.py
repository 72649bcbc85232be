"""Sentences on standard output, wrapped."""

from __future__ import annotations

import pytest

from spineq.cli.printing import wrapped

TEXT = "No network of 20 sensors can cover more than 34.9 % of them, nor any within 500 m. " * 4


@pytest.mark.parametrize(("columns", "most"), [(0, 100), (40, 40), (80, 80), (300, 100)])
def test_sentences_fit_the_terminal(
    columns: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most 100 characters a line; nothing is lost, and numbers stay with their unit."""
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = wrapped(TEXT).splitlines()
    assert most - 20 < max(map(len, lines)) <= most
    assert " ".join(lines) == TEXT.strip()
    assert not any(line.startswith(("%", "m ", "m.")) for line in lines)


def test_further_lines_are_indented_and_words_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a label; a word that is too long for a line has one of its own."""
    monkeypatch.setenv("COLUMNS", "20")
    assert wrapped("label   a-b and so on", indent=8) == "label   a-b and so\n        on"
    assert wrapped("a " + "b" * 30).splitlines() == ["a", "b" * 30]
    assert wrapped("") == ""

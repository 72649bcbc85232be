"""JSON, sentences and tables on standard output."""

from __future__ import annotations

import json
import math
import re
import shutil
import textwrap
from typing import Any

import click

#: Most characters of a line of sentences: longer ones are hard to read.
_WIDEST = 100


def print_json(made: Any) -> None:
    """Print JSON and nothing else; a number that JSON does not have becomes null."""
    click.echo(json.dumps(finite(made), allow_nan=False))


def finite(made: Any) -> Any:
    """Make null of each number that JSON does not have, and plain ones of numpy's."""
    if isinstance(made, dict):
        return {key: finite(value) for key, value in made.items()}
    if isinstance(made, list | tuple):
        return [finite(value) for value in made]
    made = made.item() if hasattr(made, "item") else made
    return None if isinstance(made, float) and not math.isfinite(made) else made


def wrapped(text: str, indent: int = 0) -> str:
    """Wrap sentences at the terminal's width, 100 characters at most.

    Words are never cut, nor are numbers parted from their unit.

    Parameters
    ----------
    text
        Sentences without line breaks.
    indent
        Spaces before all lines but the first.
    """
    width = min(shutil.get_terminal_size((_WIDEST, 0)).columns, _WIDEST)
    lines = textwrap.wrap(
        re.sub(r"(?<=\d) (?=%|m\b)", "\0", text),
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace("\0", " ")


def say(text: str) -> None:
    """Print sentences for people, wrapped."""
    click.echo(wrapped(text))


def text_table(rows: list[tuple[str, ...]]) -> str:
    """Align a table: the first column left, the others right; a line under the head."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * (sum(widths) + 2 * len(widths) - 2), *lines[1:]])

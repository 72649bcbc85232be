"""JSON and tables on standard output."""

from __future__ import annotations

import json
import math
from typing import Any

import click


def print_json(made: Any) -> None:
    """Print JSON and nothing else; a number that JSON does not have becomes null."""
    click.echo(json.dumps(_finite(made), allow_nan=False))


def _finite(made: Any) -> Any:
    if isinstance(made, dict):
        return {key: _finite(value) for key, value in made.items()}
    if isinstance(made, list | tuple):
        return [_finite(value) for value in made]
    return None if isinstance(made, float) and not math.isfinite(made) else made


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

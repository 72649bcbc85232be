"""What the commands of ``spineq bench`` share: options, facts and tables."""

from __future__ import annotations

import datetime
import os
from typing import Any, get_args

import click

from spineq.cli.printing import text_table
from spineq.model.problem import MethodName

Rows = list[tuple[str, ...]]

method_option = click.option(
    "--method", type=click.Choice(get_args(MethodName)), default="auto", show_default=True,
    help="Solver; auto is the best that there is.",
)  # fmt: skip
reference_option = click.option(
    "--reference", type=click.Path(), help="JSON file of published values to compare with."
)
markdown_option = click.option("--markdown", is_flag=True, help="Print a table in Markdown.")


def facts_of(city: str, total: float) -> dict[str, Any]:
    """Say where, when and in how many seconds something was measured."""
    return {
        "city": city,
        "date": datetime.date.today().isoformat(),
        "cores": os.cpu_count(),
        "total_seconds": total,
    }


def where_and_when(facts: dict[str, Any]) -> str:
    """Write what `facts_of` says, of what runs on one core."""
    return f"Measured {facts['date']} on one of {facts['cores']} cores."


def print_table(rows: Rows, markdown: bool, title: str) -> None:
    """Print rows, the heads first, as text or in Markdown."""
    click.echo(f"{title}\n")
    if not markdown:
        click.echo(text_table(rows))
    else:
        rule = tuple("---" if k == 0 else "---:" for k in range(len(rows[0])))
        for row in (rows[0], rule, *rows[1:]):
            click.echo(f"| {' | '.join(row)} |")
    click.echo("")

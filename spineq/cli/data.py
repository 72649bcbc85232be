"""``spineq data info``."""

from __future__ import annotations

from typing import Any

import click

from spineq.cli.options import (
    city_options,
    json_option,
    read_city_argument,
    take_city_options,
)
from spineq.cli.printing import print_json


@click.group()
def data() -> None:
    """Look at cities."""


@data.command(epilog="Example: spineq data info san-francisco")
@city_options
@json_option
def info(city: str, as_json: bool, **options: Any) -> None:
    """Say what is in CITY."""
    where = read_city_argument(city, take_city_options(options))
    groups: dict[str, dict[str, Any]] = {
        name: {
            "title": group.label,
            "people": float(where.people(group).values.sum()),
            "estimated": where.people(group).estimated,
        }
        for name, group in where.reported_groups().items()
    }
    facts: dict[str, Any] = {
        "name": where.name,
        "code": where.label.code,
        "areas": where.n_areas,
        "demand_points": where.n_points,
        "sites": where.n_sites,
        "existing_sensors": 0 if where.existing is None else len(where.existing),
        "travel_pairs": None if where.travel is None else len(where.travel.cost),
        "polygons": where.polygons is not None,
        "columns": list(where.columns),
        "crs": where.crs.to_string(),
        "groups": groups,
        "attribution": where.attribution,
        "note": where.label.note,
        "digest": where.digest,
    }
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        if key == "groups":
            for group in groups.values():
                estimated = " (estimated)" if group["estimated"] else ""
                click.echo(f"{group['title'] + estimated:32}{group['people']:,.0f}")
        elif value not in ("", None, []):
            text = ", ".join(value) if isinstance(value, list) else value
            shown = {True: "yes", False: "no"}.get(value, text) if isinstance(value, bool) else text
            number = f"{shown:,}" if isinstance(shown, int) else str(shown)
            click.echo(f"{key.replace('_', ' ').capitalize():32}{number}")

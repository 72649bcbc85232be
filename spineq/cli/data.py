"""``spineq data``: look at cities, fetch them by name, list what can be fetched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from spineq.cli.options import (
    Folder,
    city_options,
    json_option,
    read_city_argument,
    take_city_options,
)
from spineq.cli.printing import print_json, say, text_table
from spineq.model._words import counted, is_source

if TYPE_CHECKING:
    from spineq.model.city import City

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: File beside a fetched city that says where each table came from.
SOURCES = "sources.json"


@click.group()
def data() -> None:
    """Look at cities, and fetch them."""


@data.command(epilog="Example: spineq data info san-francisco")
@city_options
@json_option
def info(city: str, as_json: bool, **options: Any) -> None:
    """Say what is in CITY."""
    facts = _facts(read_city_argument(city, take_city_options(options)))
    if as_json:
        print_json(facts)
    else:
        _print(facts)


def _facts(where: City) -> dict[str, Any]:
    groups: dict[str, dict[str, Any]] = {
        name: {
            "title": group.label,
            "people": float(where.people(group).values.sum()),
            "estimated": where.people(group).estimated,
        }
        for name, group in where.reported_groups().items()
    }
    return {
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


def _print(facts: dict[str, Any]) -> None:
    for key, value in facts.items():
        if key == "groups":
            for group in value.values():
                estimated = " (estimated)" if group["estimated"] else ""
                click.echo(f"{group['title'] + estimated:32}{group['people']:,.0f}")
        elif value not in ("", None, []):
            text = ", ".join(value) if isinstance(value, list) else value
            shown = {True: "yes", False: "no"}.get(value, text) if isinstance(value, bool) else text
            number = f"{shown:,}" if isinstance(shown, int) else str(shown)
            if key == "note":
                number = _without_sources(number)
            # A note has lines of its own, which stand below each other.
            number = number.replace("\n", "\n" + " " * 32)
            click.echo(f"{key.replace('_', ' ').capitalize():32}{number}")


def _without_sources(note: str) -> str:
    """Leave out the long lines that say where tables were fetched from; --json prints them."""
    lines = note.splitlines()
    said = [line for line in lines if not is_source(line)]
    if fetched := len(lines) - len(said):
        said.append(f"{counted(fetched, 'table')} fetched; --json says where, when, and SHA-256.")
    return "\n".join(said)


def _service_options(command: _Command) -> _Command:
    """Options of every command that asks a statistics office."""
    for option in (
        click.option(
            "--service", "services", multiple=True, metavar="OLD=NEW",
            help="A feature service that has moved, as an error message proposes. May be repeated.",
        ),
        click.option("--root", metavar="URL", help="A mirror, in the place of the services."),
        click.option(
            "--cache", type=Folder(), metavar="FOLDER",
            help="Where answers are kept; by default the platform's folder for such.",
        ),
        click.option("--refresh", is_flag=True, help="Fetch again what is in the cache."),
        click.option("--offline", is_flag=True, help="Use what is in the cache only."),
        click.option(
            "--census", type=click.Choice(["2021", "2011"]), default="2021", show_default=True,
            help="Of which census the areas are.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def _take_service_options(words: dict[str, Any]) -> dict[str, Any]:
    pairs = [text.partition("=") for text in words.pop("services")]
    for old, _, new in pairs:
        if not old or not new:
            msg = f"--service takes OLD=NEW, not {old or '='}."
            raise click.UsageError(msg)
    return {
        "census": int(words.pop("census")),
        "store": words.pop("cache"),
        "services": {old: new for old, _, new in pairs},
        **{name: words.pop(name) for name in ("offline", "refresh", "root")},
    }


@data.command(epilog='Example: spineq data fetch "Newcastle upon Tyne" --output newcastle')
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--column", "columns", multiple=True, metavar="COLUMN",
    help="Optional columns: deprivation (people in the three most deprived tenths, and each area's "
    "tenth), ethnicity, disability or health. May be repeated.",
)  # fmt: skip
@click.option(
    "--allow-partial", is_flag=True,
    help="Leave out areas that a table lacks, and say so in the city's note.",
)  # fmt: skip
@_service_options
@click.option(
    "--output", type=Folder(),
    help="Write the city (areas.parquet) and where it came from (sources.json) into this folder.",
)  # fmt: skip
@json_option
def fetch(
    names: tuple[str, ...],
    columns: tuple[str, ...],
    allow_partial: bool,
    output: Path | None,
    as_json: bool,
    **words: Any,
) -> None:
    """Fetch the city NAME: a local authority of England or Wales, by name or code.

    Several names make one city. Its areas, residents by age and workers come from the Office for
    National Statistics and Nomis. What arrives is kept, so that another time it is there at once.
    """
    from spineq.fetch.assembly import warn_of_polygons
    from spineq.fetch.fetching import fetch_with_sources
    from spineq.progress import TextProgress

    with TextProgress() as bar:
        city, sources = fetch_with_sources(
            names, columns=columns, allow_partial=allow_partial, progress=bar,
            **_take_service_options(words),
        )  # fmt: skip
    warn_of_polygons(city)
    if output is not None:
        _write(city, sources, output)
    facts = _facts(city)
    if as_json:
        folder = None if output is None else str(output)
        print_json(facts | {"sources": sources, "folder": folder})
        return
    _print(facts)
    if output is None:
        say("Kept in the cache; --output FOLDER writes it for the other commands.")
    else:
        say(f"Written to {output}. Next: spineq optimise {output} -n 20")


def _write(city: City, sources: list[dict[str, Any]], output: Path) -> None:
    from spineq.store import whole_file

    city.to_geoparquet(output)
    with whole_file(output / SOURCES) as temporary:
        temporary.write_text(json.dumps(sources, indent=2) + "\n", encoding="utf-8")


@data.command("list", epilog="Example: spineq data list --search newcastle")
@click.option("--search", default="", metavar="TEXT", help="Part of a name or code.")
@_service_options
@json_option
def list_(search: str, as_json: bool, **words: Any) -> None:
    """List the local authorities that can be fetched."""
    from spineq.fetch.fetching import list_authorities

    found = list_authorities(search, **_take_service_options(words))
    if as_json:
        print_json([{"code": one.code, "name": one.name} for one in found])
    elif found:
        click.echo(text_table([("Name", "Code"), *((one.name, one.code) for one in found)]))
    else:
        say("No local authority of England or Wales is called so. Try a shorter part of its name.")

"""Networks as the commands print and write them: tables and files."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spineq.cli.printing import print_json, text_table
from spineq.errors import StoreError
from spineq.model._objective_words import (
    budget_words,
    figure_name,
    maximised,
    rules_words,
    sensors_words,
)
from spineq.model._words import metres, percent, shown_table, theta_words

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network

#: Most sensors that are listed on a terminal.
_LISTED = 30


def write_outputs(network: Network, city: City, folder: Path) -> list[Path]:
    """Write network.nc, .gpkg, .geojson and .png; each is whole or not there."""
    import matplotlib as mpl

    mpl.use("Agg")
    from spineq import plot

    # First all of them beside the place, then into it: a set of files is of one network.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder) as beside:
            made = [
                network.to_netcdf(Path(beside) / "network.nc"),
                network.to_gpkg(Path(beside) / "network.gpkg", city),
                network.to_geojson(Path(beside) / "network.geojson"),
                Path(beside) / "network.png",
            ]
            plot.save(plot.network(network, city), made[-1])
            return [path.replace(folder / path.name) for path in made]
    except StoreError:
        raise
    except OSError as error:
        msg = f"the folder {folder} cannot be written ({error.strerror or error})"
        raise StoreError(msg, mend="Name another folder with --output") from error


def finish(network: Network, city: City, folder: Path | None, *, as_json: bool) -> None:
    """Write the files, and print JSON alone, or for people a table with the certificate."""
    files = [] if folder is None else write_outputs(network, city, folder)
    if as_json:
        print_json(network.to_dict())
        return
    sensors = f"{sensors_words(network)} in {city.name}{budget_words(network)}"
    click.echo(f"{sensors}, theta {theta_words(network)}\n")
    click.echo(f"{sensor_table(network)}\n")
    click.echo(f"{group_table(network)}\n")
    given = int(network.dataset.attrs["sensors_given"])
    if given > network.n_sensors:
        click.echo(f"{given:,} sensors were given; those in one place count once.")
    if network.stopped:
        click.echo("The search was stopped early; this is the best network so far.")
    click.echo(network.certificate())
    for line in rules_words(network):
        click.echo(line)
    if folder is None:
        click.echo("Write maps and data with --output FOLDER.")
    else:
        click.echo(f"Written to {folder}: {', '.join(path.name for path in files)}")


def group_table(network: Network) -> str:
    """Format coverage by group for a terminal."""
    table = shown_table(network)
    table["share"] = network.share_of_own_best.to_series()
    shares = bool(table["share"].notna().any())
    head = ("group", "people or total", "coverage", "within 500 m", "median distance")
    rows: list[tuple[str, ...]] = [(*head, *(["of own best"] if shares else []))]
    for row in table.to_dict("records"):
        cells = (
            f"{row['title']}{' (estimated)' if row['estimated'] else ''}",
            f"{row['people']:,.0f}",
            percent(row["coverage"]),
            percent(row["within 500 m"]),
            metres(row["median distance"]),
        )
        share = "-" if math.isnan(row["share"]) else percent(row["share"])
        rows.append((*cells, *([share] if shares else [])))
    beside = ("", "", *([""] if shares else []))
    kind = maximised(network.problem)
    if kind != "mean":
        rows.append((figure_name(network.problem), "", percent(network.objective_value), *beside))
    if (table["weight"] > 0).sum() > 1:
        name = "What was maximised" if kind == "mean" else "Weighted mean"
        rows.append((name, "", percent(network.total_coverage), *beside))
    return text_table(rows)


def sensor_table(network: Network) -> str:
    """Format the sensors for a terminal."""
    rows: list[tuple[str, ...]] = [("sensor", "site", "area", "x", "y")]
    for order, row in network.sensors.head(_LISTED).iterrows():
        name = f"{order} (stays)" if int(str(order)) <= network.n_kept else str(order)
        xy = f"{row['x']:.0f}", f"{row['y']:.0f}"
        rows.append((name, row["site"] or "-", row["area"], *xy))
    more = network.n_sensors - _LISTED
    return text_table(rows) + (f"\n... and {more:,} more" if more > 0 else "")

"""Networks and fronts as the commands print and write them: tables and files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spineq.cli.files import say_where, written
from spineq.cli.printing import print_json, say, text_table
from spineq.cli.question_results import finish_question, finish_scenarios, is_question
from spineq.errors import ProblemError
from spineq.model import _front_words
from spineq.model._objective_words import (
    budget_words,
    figure_name,
    maximised,
    rules_words,
    sensors_words,
)
from spineq.model._words import counted, metres, percent, shown_table, theta_words

if TYPE_CHECKING:
    from spineq.jobs.snapshot import JobSnapshot
    from spineq.model.baseline import Baseline
    from spineq.model.city import City
    from spineq.model.front import Front
    from spineq.model.network import Network
    from spineq.report.bundle import Bundle

#: Most sensors that are listed on a terminal.
_LISTED = 30


def write_outputs(network: Network, city: City, folder: Path) -> list[Path]:
    """Write network.nc, .gpkg, .geojson and .png; each is whole or not there."""

    def make(beside: Path) -> list[Path]:
        from spineq import plot

        made = [
            network.to_netcdf(beside / "network.nc"),
            network.to_gpkg(beside / "network.gpkg", city),
            network.to_geojson(beside / "network.geojson", city),
            beside / "network.png",
        ]
        plot.save(plot.network(network, city), made[-1])
        return made

    return written(folder, make)


def write_front(front: Front, city: City, folder: Path) -> list[Path]:
    """Write front.nc and the pictures; each is whole or not there."""

    def make(beside: Path) -> list[Path]:
        from spineq import plot

        made = [front.to_netcdf(beside / "front.nc")]
        if front.n_networks:
            made += [beside / f"{name}.png" for name in ("parallel", "pairs", "maps")]
            plot.save(plot.front_parallel(front), made[1])
            plot.save(plot.front_pairs(front)[-1, 0], made[2])
            plot.save(plot.front_maps(front, city)[0], made[3])
        return made

    return written(folder, make)


def finish(network: Network, city: City, folder: Path | None, *, as_json: bool) -> None:
    """Write the files, and print JSON alone, or for people a table with the certificate."""
    files = [] if folder is None else write_outputs(network, city, folder)
    if as_json:
        print_json(network.to_dict())
        return
    what = sensors_words(network)
    if network.n_sensors == network.n_kept > 0:
        what = f"{counted(network.n_kept, 'sensor')} that stay{'s' * (network.n_kept == 1)}"
    sensors = f"{what} in {city.name}{budget_words(network)}"
    say(f"{sensors}, theta {theta_words(network)}")
    click.echo()
    click.echo(f"{sensor_table(network)}\n")
    click.echo(f"{group_table(network)}\n")
    given = int(network.dataset.attrs["sensors_given"])
    if given > network.n_sensors:
        say(f"{given:,} sensors were given; those in one place count once.")
    if network.stopped:
        say("The search was stopped early; this is the best network so far.")
    say(network.certificate())
    for line in rules_words(network):
        say(line)
    say_where(folder, files, "maps and data")


def finish_answer(
    answer: Any, job: JobSnapshot, city: City | None, folder: Path | None, *, as_json: bool
) -> None:
    """Write and print the answer of a job, of whichever task it is.

    Parameters
    ----------
    answer, job, city
        The answer, its job, and the city that it is about, if any.
    folder
        Where its files go; None for no files.
    as_json
        Whether to print JSON.

    Raises
    ------
    ProblemError
        A folder is named for an answer that has no files.
    """
    from spineq.model.baseline import Baseline
    from spineq.model.front import Front
    from spineq.model.network import Network
    from spineq.report.bundle import Bundle

    if isinstance(answer, Network):
        assert city is not None  # that is what the network is of
        finish(answer, city, folder, as_json=as_json)
    elif isinstance(answer, Front):
        assert city is not None
        asked = job.parameters.get("tolerance")
        finish_front(answer, city, folder, asked=asked, as_json=as_json)
    elif isinstance(answer, Baseline):
        finish_baseline(answer, folder, as_json=as_json)
    elif isinstance(answer, Bundle):
        finish_report(answer, folder, job.id, as_json=as_json)
    elif is_question(answer):
        assert city is not None
        finish_question(answer, city, folder, as_json=as_json)
    elif job.task == "scenario" and isinstance(answer, tuple):
        finish_scenarios(answer, folder, as_json=as_json)
    elif folder is None:
        print_json(answer)
    else:
        msg = f"the answer of job {job.id} is no network, so there is nothing to draw"
        raise ProblemError(msg, field="--output", mend="Leave it out")


def finish_front(
    front: Front, city: City, folder: Path | None, *, asked: float | None, as_json: bool
) -> None:
    """Write a front's files, and print JSON alone, or for people a table with the proof.

    Parameters
    ----------
    front, city, folder
        What was found, where, and where its files go; None for no files.
    asked
        Tolerance that was to be proven.
    as_json
        Whether to print JSON.
    """
    files = [] if folder is None else write_front(front, city, folder)
    if as_json:
        print_json(front.to_dict())
        return
    networks = counted(front.n_networks, "network")
    sensors = counted(front.problem.n_sensors or 0, "sensor")
    say(f"{networks} of {sensors} in {city.name}, theta {_front_words.theta_words(front)}")
    click.echo()
    if front.n_networks:
        click.echo(f"{front_table(front)}\n")
        say(_front_words.marked_words(front))
        if front.stopped:
            say("The search was stopped early; these are the best networks so far.")
        say(_front_words.proof(front, asked))
    else:
        say("The search was stopped before it found a network.")
    say_where(folder, files, "networks and pictures")


def finish_baseline(baseline: Baseline, folder: Path | None, *, as_json: bool) -> None:
    """Write random networks' file, and print JSON alone, or for people a table."""
    files = []
    if folder is not None:
        files = written(folder, lambda beside: [baseline.to_netcdf(beside / "baseline.nc")])
    if as_json:
        print_json(baseline.to_dict())
        return
    say(baseline.summary())
    if baseline.n_networks:
        click.echo(f"\n{baseline_table(baseline)}\n")
    say_where(folder, files, "the networks")


def baseline_table(baseline: Baseline) -> str:
    """Format coverage by random networks for a terminal, a row a group."""
    described = baseline.to_dict()
    figures = ("low", "median", "high", "best")
    rows: list[tuple[str, ...]] = [("group", "5 % below", "median", "95 % below", "best")]
    for row in [*described["groups"], described["total"] | {"title": "all together"}]:
        title = f"{row['title']}{' (estimated)' if row.get('estimated') else ''}"
        rows.append((title, *(percent(row[name]) for name in figures)))
    return text_table(rows)


def finish_report(bundle: Bundle, folder: Path | None, job: str, *, as_json: bool) -> None:
    """Write the files of a report; without a folder, name them.

    Parameters
    ----------
    bundle, folder
        The report, and where its files go.
    job
        Id of the job that made it.
    as_json
        Whether to print JSON.
    """
    if folder is not None:
        bundle.write(folder)
    names = sorted(bundle.files)
    if as_json:
        print_json({"job": job, "folder": None if folder is None else str(folder), "files": names})
        return
    if folder is None:
        say(f"A report of {counted(len(names), 'file')}. Write it with --output FOLDER.")
    else:
        say(f"Written to {folder}: {counted(len(names), 'file')}, report.html among them")


def front_table(front: Front) -> str:
    """Format coverage by group for a terminal: from lowest to highest, and two networks'."""
    coverage = front.group_coverage.to_numpy()
    shown = list(dict.fromkeys([front.knee(), front.worst_best()]))
    heads = ("group", "lowest", "highest", *(f"network {number}" for number in shown))
    rows: list[tuple[str, ...]] = [heads]
    marks = front.dataset["group_estimated"].to_numpy()
    for k, title in enumerate(_front_words.titles(front)):
        column = coverage[:, k]
        cells = (column.min(), column.max(), *column[shown])
        name = f"{title}{' (estimated)' if marks[k] else ''}"
        rows.append((name, *(percent(float(cell)) for cell in cells)))
    return text_table(rows)


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
    """Format the sensors that are placed for a terminal, and count those that stay."""
    kept = network.n_kept
    placed = network.sensors.iloc[kept:]
    kinds = ["kind"] if "kind" in placed else []
    rows: list[tuple[str, ...]] = [("sensor", "site", "area", *kinds, "x", "y")]
    for order, row in placed.head(_LISTED).iterrows():
        xy = f"{row['x']:.0f}", f"{row['y']:.0f}"
        rows.append((str(order), row["site"] or "-", row["area"], *row[kinds], *xy))
    lines = [text_table(rows)] if len(rows) > 1 or not kept else []
    if (more := len(placed) - _LISTED) > 0:
        lines.append(f"... and {more:,} more")
    if kept:
        lines.append(f"{counted(kept, 'sensor')} {'stays' if kept == 1 else 'stay'}")
    gone = network.gone["sensor"].tolist()
    if gone:
        rest = f", and {len(gone) - _LISTED:,} more" if len(gone) > _LISTED else ""
        lines.append(f"No longer there: {'; '.join(gone[:_LISTED])}{rest}")
    return "\n".join(lines)

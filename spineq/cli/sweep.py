"""``spineq sweep``: many questions at once, as jobs, and one table of the answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spineq.cli.options import Folder, cluster_options, json_option, stoppable_progress
from spineq.cli.printing import print_json, say, text_table
from spineq.errors import ProblemError

if TYPE_CHECKING:
    import pandas as pd

    from spineq.progress import TextProgress
    from spineq.sweeps.preparing import Prepared
    from spineq.sweeps.table import SweepResult

#: Most points that are listed on a terminal.
_LISTED = 30


#: Written out, for a docstring with a backslash would be raw.
_HELP = """Compute every point of CONFIG.yml: cities x theta x numbers of sensors x groups.

\b
cities: [san-francisco]
grid:
  theta: [250, 500]
  n_sensors: [10, 20, 40]
  groups:
    children first: {children: {ages: [0, 15], weight: 2}, jobs: {column: workers}}
    jobs: {jobs: {column: workers}}
points:
  - {task: trade_off, theta: 500, n_sensors: 20}
  - {task: random, theta: 500, n_sensors: 20, n_networks: 1000}

Other words of a problem may stand in the grid too, and those of all points under "fixed". The
config.yml of the original system is taken as it is. Whatever ends the command, the same
command goes on with it: no point that has finished is computed again.
"""


@click.command(
    help=_HELP,
    short_help="Ask many questions at once, and get one table.",
    epilog="Example: spineq sweep sweep.yml --output results",
)
@click.argument("config", metavar="CONFIG.yml", type=click.Path(path_type=Path))
@click.option(
    "--output", type=Folder(), required=True,
    help="Folder for summary.html, points.csv, points.parquet, grid.nc and the networks; with the "
    "jobs in it, unless --store is given.",
)  # fmt: skip
@click.option(
    "--city", "cities", multiple=True, metavar="[NAME=]FILE_OR_FOLDER",
    help="Data of a city that CONFIG.yml only names. May be repeated, with NAME=.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(min=1),
    help="Worker processes of the cluster that is started here; by default one a core.",
)  # fmt: skip
@click.option(
    "--anew", is_flag=True,
    help="Compute everything again, and replace the results of this or another sweep in the "
    "folder.",
)  # fmt: skip
@click.option(
    "--store", metavar="FOLDER_OR_URL",
    help="Where the jobs are kept; by default a folder in that of --output.",
)  # fmt: skip
@cluster_options
@json_option
def sweep(
    config: Path,
    output: Path,
    cities: tuple[str, ...],
    workers: int | None,
    anew: bool,
    store: str | None,
    scheduler: str | None,
    allow_remote: bool,
    as_json: bool,
) -> None:
    """Compute every point of a configuration, as jobs, and write one table."""
    from spineq.cli.job_access import working
    from spineq.sweeps.files import STORE, claim
    from spineq.sweeps.preparing import prepare
    from spineq.sweeps.running import run

    if workers is not None and scheduler is not None:
        msg = "--workers is for a cluster that is started here, and --scheduler names another."
        raise click.UsageError(msg)
    if store is not None and not store.strip():
        msg = "--store has no name."
        raise click.UsageError(msg)
    prepared = prepare(config, _cities(cities, config))
    for note in prepared.plan.notes:
        click.echo(f"spineq: note: {note}", err=True)
    claim(output, prepared.digest, prepared.plan.text, anew=anew)
    where = store or str(output / STORE)
    options = {} if workers is None else {"n_workers": workers}
    with stoppable_progress("what has finished is kept") as bar:
        bar.report(0.0, "starting")
        with working(where, scheduler, allow_remote=allow_remote, **options) as queue:
            own = queue.owns_cluster
            result = run(prepared, output, queue, bar, anew=anew)
        page = None if result.stopped else _summary(result, bar)
    if result.stopped:
        _say_stopped(result, own=own)
        sys.exit(130)
    if as_json:
        print_json(_described(result, prepared))
    else:
        _print(result, page)
    if len(result.failed):
        sys.exit(1)


def _cities(texts: tuple[str, ...], config: Path) -> Any:
    """Read ``[NAME=]FILE_OR_FOLDER``: a text for one without a name, else files by name."""
    from spineq.sweeps.config import read_plan

    if not texts:
        return None
    names = [source.name for source in read_plan(config).cities]
    made: dict[str, str] = {}
    plain = []
    for text in texts:
        name, equals, path = text.partition("=")
        if equals and name.strip() in names:
            if name.strip() in made:
                msg = f"the city {name.strip()!r} is given twice"
                raise ProblemError(msg, field="--city", mend="Give it once")
            made[name.strip()] = path
        else:
            plain.append(text)
    if plain and (made or len(plain) > 1):
        msg = f"{plain[0]!r} does not say which city it is"
        mend = f'Write --city "{names[0]}={plain[0]}"'
        raise ProblemError(msg, field="--city", mend=mend)
    return plain[0] if plain else made


def _say_stopped(result: SweepResult, *, own: bool) -> None:
    done = int((result.table["state"] == "finished").sum())
    others = "" if own else " The cluster goes on with the jobs that it has."
    click.echo(
        f"spineq: stopped with {done:,} of {result.n_points:,} points finished, which are kept; "
        f"run the same command again to go on.{others}",
        err=True,
    )


def _summary(result: SweepResult, bar: TextProgress) -> Path | None:
    """Write the summary page; the table is there without it, so that its failure is a note."""
    from spineq.errors import SpineqError
    from spineq.sweeps.page import write_summary

    try:
        return write_summary(result, progress=bar)
    except SpineqError as error:
        click.echo(f"spineq: note: there is no summary page: {error}", err=True)
        return None


def _print(result: SweepResult, page: Path | None) -> None:
    click.echo(f"{point_table(result.table)}\n")
    for line in result.summary().splitlines():
        say(line)
    files = ["points.csv", "points.parquet", *(["grid.nc"] if result.dataset is not None else [])]
    files += [] if page is None else [page.name]
    # In one line, for a path is copied.
    click.echo(f"Written to {result.folder}: {', '.join(files)}")


def point_table(table: pd.DataFrame) -> str:
    """Format the points for a terminal: where, what, and how far it came."""
    several = table["city"].nunique() > 1
    words = [name for name in ("theta", "n_sensors") if name in table]
    head = ["point", *(["city"] if several else []), "task", "groups"]
    rows: list[tuple[str, ...]] = [(*head, *words, "value", "gap", "seconds", "state")]
    for number, row in table.head(_LISTED).iterrows():
        texts = [str(number), *([row["city"]] if several else []), row["task"], row["groups"]]
        cells = [
            *(_short(text) for text in texts),
            *(_number(row[word], "g") for word in words),
            _number(row["value"], ".4f"),
            "proven" if row["proven"] is True else _number(row["gap"], ".2%"),
            _number(row["seconds"], ".1f"),
            str(row["state"]),
        ]
        rows.append(tuple(cells))
    lines = [text_table(rows)]
    if (more := len(table) - _LISTED) > 0:
        lines.append(f"... and {more:,} more")
    return "\n".join(lines)


def _short(text: str, most: int = 28) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _number(value: Any, form: str) -> str:
    if str(value) in ("", "None", "nan", "<NA>"):
        return "-"
    return str(value) if isinstance(value, str) else format(value, form)


def _described(result: SweepResult, prepared: Prepared) -> dict[str, Any]:
    """Describe a sweep in JSON's types: a dictionary a point, as the table has it."""
    table = result.table.reset_index().astype(object)
    table = table.where(table.notna(), None)
    return {
        "folder": str(result.folder),
        "digest": prepared.digest,
        "n_points": result.n_points,
        "failed": [int(number) for number in result.failed.index],
        "notes": list(result.notes),
        "points": table.to_dict("records"),
    }

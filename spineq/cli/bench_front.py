"""``spineq bench front``: fronts against time, beside pymoo's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spineq.cli.bench_parts import Rows, facts_of, markdown_option, print_table, reference_option
from spineq.cli.options import json_option, read_city_argument
from spineq.cli.printing import print_json
from spineq.cli.problem_words import parse_groups, rivals_option
from spineq.progress import TextProgress

if TYPE_CHECKING:
    from spineq.bench_front import Reached


class _Picture(click.ParamType[Path]):
    """A PNG to write, refused before a race rather than after it."""

    name = "file"

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """Refuse a name that does not end in .png."""
        path = Path(value)
        if path.suffix.lower() != ".png":
            self.fail(f"{str(value)!r} does not end in .png", param, ctx)
        return path


@click.command(
    short_help="Fronts against time, beside pymoo's NSGA-II and NSGA-III.",
    epilog="Example: spineq bench front synthetic:200 -n 10 --effort 0.1 --output race.png",
)
@click.argument("city")
@click.option("-n", "--n-sensors", type=int, default=55, show_default=True)
@click.option("--theta", type=float, default=500.0, show_default=True)
@rivals_option
@click.option(
    "--effort", type=float, default=1.0, show_default=True,
    help="How hard everybody looks, as a multiple of the usual.",
)  # fmt: skip
@reference_option
@click.option("--output", type=_Picture(), help="Draw hypervolume against seconds here, a .png.")
@markdown_option
@json_option
def front(
    city: str,
    n_sensors: int,
    theta: float,
    groups: tuple[str, ...],
    effort: float,
    reference: str | None,
    output: Path | None,
    markdown: bool,
    as_json: bool,
) -> None:
    """Let our search and pymoo's genetic algorithms look for the front of CITY, one after the
    other, each with several efforts.

    Hypervolume is from no coverage on; the genetic algorithms have a population of 200, and
    begin at random or from our networks. A reference holds hypervolume.NAME.
    """  # noqa: D205
    from spineq.bench_front import race
    from spineq.bench_reference import read_front_reference
    from spineq.solvers.threads import threads

    published = read_front_reference(reference) if reference else {}
    who = parse_groups(groups) or None
    where = read_city_argument(city, {})
    began = time.perf_counter()
    with TextProgress() as progress:
        reached = race(where, n_sensors, theta, who, effort=effort, progress=progress)
    facts = facts_of(where.name, time.perf_counter() - began)
    title = f"{where.name}: {n_sensors} of {where.n_sites:,} sites (theta {theta:g} m)"
    if output is not None:
        _draw_race(reached, title, published, output)
    if as_json:
        listed = [asdict(run) for run in reached]
        words = {"n_sensors": n_sensors, "theta": theta, "published": published, "runs": listed}
        print_json(facts | words)
        return
    rows: Rows = [("source", "effort", "seconds", "networks", "hypervolume")]
    for run in reached:
        rows.append((
            run.source, f"{run.effort:g}", f"{run.seconds:.2f}", f"{run.networks:,}",
            f"{run.hypervolume:.6f}",
        ))  # fmt: skip
    rows += [(f"published: {n}", "", "", "", f"{volume:.6f}") for n, volume in published.items()]
    print_table(rows, markdown, title)
    used = f"ours on {threads()} of {facts['cores']} cores, the others on one"
    click.echo(f"Measured {facts['date']}: {used}.")
    if output is not None:
        click.echo(f"Drawn in {output}")


def _draw_race(
    reached: Sequence[Reached], title: str, published: dict[str, float], path: Path
) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from spineq import plot
    from spineq.bench_front import draw

    plot.save(draw(reached, title, published), path)

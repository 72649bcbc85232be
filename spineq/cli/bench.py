"""``spineq bench``: ratios, proofs, HiGHS and pymoo beside us, p-medians, scale."""

from __future__ import annotations

import datetime
import importlib
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from spineq.cli.options import json_option, read_city_argument
from spineq.cli.printing import print_json, text_table
from spineq.cli.problem_words import parse_groups
from spineq.model.problem import MethodName
from spineq.progress import TextProgress

if TYPE_CHECKING:
    from spineq.bench_front import Reached
    from spineq.bench_proof import MedianProof, Plain, Proof

Rows = list[tuple[str, ...]]


class _Bench(click.Group):
    """A group whose command ``ratios`` is meant where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in that is left out."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["ratios", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_Bench,
    short_help="Time the solvers, in ratios and in proofs.",
    epilog="Example: spineq bench synthetic:910 -n 55",
)
def bench() -> None:
    """Time the solvers; without a command `ratios` is meant."""


@bench.command(
    short_help="Greedy against other ways to the same sensors.",
    epilog="Example: spineq bench ratios synthetic:910 -n 55",
)
@click.argument("city", default="san-francisco")
@click.option("-n", "--n-sensors", type=int, default=55, show_default=True)
@click.option("--theta", type=float, default=500.0, show_default=True)
@json_option
def ratios(city: str, n_sensors: int, theta: float, as_json: bool) -> None:
    """Time greedy in CITY against other ways to place the same sensors, all in this run.

    In a large city, whose whole matrix nobody could hold, the yardstick is one pass over the
    pairs of site and point that are near each other.
    """
    from spineq.bench import bench as bench_matrix
    from spineq.bench import bench_lists, peak_memory
    from spineq.solvers.coverage import DENSE_PAIRS

    # What the libraries themselves take is not what the city takes: import them first.
    for name in ("geopandas", "pyarrow.parquet", "scipy.spatial", "numba", "spineq.solvers"):
        importlib.import_module(name)
    memory = peak_memory()
    where = read_city_argument(city, {})
    if where.n_sites * where.n_points <= DENSE_PAIRS:
        timings = bench_matrix(where, n_sensors, theta)
    else:
        timings = bench_lists(where, n_sensors, theta, memory=memory)
    if as_json:
        print_json([asdict(timing) for timing in timings])
        return
    click.echo(f"{where.name}: {n_sensors} of {where.n_sites:,} sites, theta {theta:g} m\n")
    rows: Rows = [("", "seconds", "ratio")]
    rows += [(t.name, f"{t.seconds:.3g}", f"{t.ratio:,.1f} x") for t in timings]
    for line, remark in zip(
        text_table(rows).splitlines(), ["", "", *(t.remark for t in timings)], strict=True
    ):
        click.echo(f"{line}   {remark}".rstrip())


_method_option = click.option(
    "--method", type=click.Choice(get_args(MethodName)), default="auto", show_default=True,
    help="Solver; auto is the best that there is.",
)  # fmt: skip
_reference_option = click.option(
    "--reference", type=click.Path(), help="JSON file of published values to compare with."
)
_markdown_option = click.option("--markdown", is_flag=True, help="Print a table in Markdown.")


@bench.command(
    short_help="A table of problems with their proofs.",
    epilog="Example: spineq bench proof synthetic:910 --markdown",
)
@click.argument("cities", nargs=-1, required=True, metavar="CITY...")
@_method_option
@_reference_option
@_markdown_option
@json_option
def proof(
    cities: tuple[str, ...], method: str, reference: str | None, markdown: bool, as_json: bool
) -> None:
    """Solve 24 problems in each CITY, and say what is proven: the original's four groups, theta
    500 and 100, 10, 20 and 55 sensors.

    Seconds are those of the solver; the total is all there is to it, matrices of coverage and
    greedy's own runs included.
    """  # noqa: D205
    from spineq.bench_proof import prove
    from spineq.bench_reference import read_reference

    published = read_reference(reference) if reference else None
    found = []
    for city in cities:
        where = read_city_argument(city, {})
        began = time.perf_counter()
        with TextProgress() as progress:
            proofs = prove(where, method=method, reference=published, progress=progress)
        total = time.perf_counter() - began
        facts = _facts(where.name, total)
        if as_json:
            listed = [asdict(p) | {"equal": p.equal} for p in proofs]
            found.append(facts | {"method": method, "problems": listed})
            continue
        head = ("group", "theta", "n", "greedy", "value", "bound", "gap", "nodes", "seconds")
        rows: Rows = [head + (("published",) if published else ())]
        for p in proofs:
            rows.append(_proof_cells(p) + ((_same(p.equal),) if published else ()))
        _print_table(rows, markdown, f"{where.name}: {where.n_sites:,} sites")
        slowest = max((p.seconds for p in proofs), default=0.0)
        click.echo(
            f"{_proven(proofs)} of {len(proofs)} proven, {total:.1f} s in all, the slowest "
            f"{slowest:.2f} s. {_where_and_when(facts)}"
        )
    if as_json:
        print_json(found)


@bench.command(
    short_help="The same problems by HiGHS, without our reductions.",
    epilog="Example: spineq bench highs synthetic:300 --limit 10",
)
@click.argument("city")
@click.option(
    "--limit", type=click.FloatRange(min=0.1), default=60.0, show_default=True,
    help="Seconds that HiGHS gets for each problem.",
)  # fmt: skip
@_markdown_option
@json_option
def highs(city: str, limit: float, markdown: bool, as_json: bool) -> None:
    """Solve the problems of `proof` in CITY by our solver and by HiGHS, one after the other.

    HiGHS gets the whole integer programme: the form of assignment, the fastest for it that we
    know, one thread, a gap of 0, nothing reduced and no network to start from. Where it meets
    the limit, the ratio is at least what is printed.
    """
    from spineq.bench_proof import prove_beside_highs

    where = read_city_argument(city, {})
    began = time.perf_counter()
    with TextProgress() as progress:
        pairs = prove_beside_highs(where, limit=limit, progress=progress)
    facts = _facts(where.name, time.perf_counter() - began)
    ratio = statistics.median(plain.seconds / ours.seconds for ours, plain in pairs)
    if as_json:
        listed = [asdict(ours) | {"highs": asdict(plain)} for ours, plain in pairs]
        print_json(facts | {"limit": limit, "median_ratio": ratio, "problems": listed})
        return
    rows: Rows = [("group", "theta", "n", "seconds", "HiGHS seconds", "ratio", "HiGHS gap")]
    for ours, plain in pairs:
        least = "" if plain.proven else "> "
        rows.append((
            ours.group, f"{ours.theta:g}", str(ours.n_sensors), f"{ours.seconds:.2f}",
            f"{least}{plain.seconds:.1f}", f"{least}{plain.seconds / ours.seconds:,.0f} x",
            _highs_gap(plain),
        ))  # fmt: skip
    _print_table(rows, markdown, f"{where.name}: {where.n_sites:,} sites, HiGHS up to {limit:g} s")
    proven = sum(plain.proven for _, plain in pairs)
    click.echo(
        f"Ours proves {_proven([ours for ours, _ in pairs])} of {len(pairs)}, HiGHS {proven}; "
        f"median ratio at least {ratio:,.0f} x. {_where_and_when(facts)}"
    )


class _Picture(click.ParamType[Path]):
    """A PNG to write, refused before a race rather than after it."""

    name = "file"

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """Refuse a name that does not end in .png."""
        path = Path(value)
        if path.suffix.lower() != ".png":
            self.fail(f"{str(value)!r} does not end in .png", param, ctx)
        return path


@bench.command(
    short_help="Fronts against time, beside pymoo's NSGA-II and NSGA-III.",
    epilog="Example: spineq bench front synthetic:200 -n 10 --effort 0.1 --output race.png",
)
@click.argument("city")
@click.option("-n", "--n-sensors", type=int, default=55, show_default=True)
@click.option("--theta", type=float, default=500.0, show_default=True)
@click.option(
    "--group", "groups", multiple=True, metavar="NAME:WHO",
    help="Who competes, twice at least: older:66-90 or jobs:workers. By default everybody, "
    "children, older people and workers.",
)  # fmt: skip
@click.option(
    "--effort", type=float, default=1.0, show_default=True,
    help="How hard everybody looks, as a multiple of the usual.",
)  # fmt: skip
@_reference_option
@click.option("--output", type=_Picture(), help="Draw hypervolume against seconds here, a .png.")
@_markdown_option
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
    facts = _facts(where.name, time.perf_counter() - began)
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
    _print_table(rows, markdown, title)
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


@bench.command(
    short_help="p-median instances of the OR-Library.",
    epilog="Example: spineq bench pmed pmed1.txt pmed2.txt --json",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_method_option
@_reference_option
@json_option
def pmed(files: tuple[str, ...], method: str, reference: str | None, as_json: bool) -> None:
    """Solve p-median instances in the OR-Library's format, one line for each FILE.

    Value and bound are sums of distances: the bound is from below.
    """
    from spineq.bench_proof import prove_medians
    from spineq.bench_reference import read_median_reference

    published = read_median_reference(reference) if reference else None
    with TextProgress() as progress:
        proofs = prove_medians(files, method=method, reference=published, progress=progress)
    if as_json:
        print_json([asdict(p) | {"equal": p.equal} for p in proofs])
        return
    head = ("name", "sites", "n", "value", "bound", "gap", "proven", "nodes", "seconds")
    rows: Rows = [head + (("published",) if published else ())]
    for p in proofs:
        cells = (
            p.name, f"{p.sites:,}", str(p.n_medians), f"{p.value:,}", f"{p.bound:,}",
            f"{p.gap:.4%}", "yes" if p.proven else "no", f"{p.nodes:,}", f"{p.seconds:.2f}",
        )  # fmt: skip
        rows.append(cells + ((_same(p.equal),) if published else ()))
    click.echo(text_table(rows))


@bench.command(
    short_help="Synthetic instances up to the size of a nation.",
    epilog="Example: spineq bench scale --areas 25000 -n 500",
)
@click.option("--areas", type=click.IntRange(min=1), help="Areas of an instance of your own.")
@click.option(
    "--towns", type=click.IntRange(min=1), default=1, show_default=True,
    help="Towns that they are spread over.",
)  # fmt: skip
@click.option("-n", "--n-sensors", type=click.IntRange(min=1), default=500, show_default=True)
@click.option("--theta", type=float, default=500.0, show_default=True)
@click.option(
    "--points", type=click.IntRange(min=1), default=1, show_default=True,
    help="Demand points in each area.",
)  # fmt: skip
@click.option(
    "--sites", type=click.IntRange(min=0), default=0, show_default=True,
    help="Sites; 0 for the areas' own points.",
)  # fmt: skip
@json_option
def scale(
    areas: int | None,
    towns: int,
    n_sensors: int,
    theta: float,
    points: int,
    sites: int,
    as_json: bool,
) -> None:
    """Solve large synthetic instances, three or one of your own, each in its own process.

    MB is the peak of the whole process; silent is the longest time between two reports of
    progress, and still that without the bar, the value or the bound moving.
    """
    from spineq.bench_scale import INSTANCES, Instance, run
    from spineq.solvers.threads import threads

    instances: Sequence[Instance] = INSTANCES
    if areas is not None:
        instances = [Instance(areas, towns, n_sensors, theta, points, sites)]
    found = [run(instance) for instance in instances]
    if as_json:
        print_json([asdict(each) for each in found])
        return
    head = ("areas", "points", "sites", "n", "theta", "value", "gap", "seconds", "MB")
    rows: Rows = [(*head, "silent", "still")]
    for each in found:
        what = each.instance
        rows.append((
            f"{what.areas:,}", f"{what.areas * what.points:,}", f"{what.sites or what.areas:,}",
            f"{what.n_sensors:,}", f"{what.theta:g}", f"{each.value:.6f}", f"{each.gap:.4%}",
            f"{each.seconds:.1f}", f"{each.megabytes:,.0f}", f"{each.silence:.2f}",
            f"{each.still:.2f}",
        ))  # fmt: skip
    click.echo(text_table(rows))
    today = datetime.date.today().isoformat()
    click.echo(f"Measured {today} with up to {threads()} threads.")


def _proof_cells(p: Proof) -> tuple[str, ...]:
    return (
        p.group, f"{p.theta:g}", str(p.n_sensors), f"{p.greedy:.6f}", f"{p.value:.9f}",
        f"{p.bound:.9f}", "proven" if p.proven else f"{p.gap:.4%}", f"{p.nodes:,}",
        f"{p.seconds:.2f}",
    )  # fmt: skip


def _same(equal: bool | None) -> str:
    return {None: "", True: "equal", False: "differs"}[equal]


def _highs_gap(plain: Plain) -> str:
    if plain.proven:
        return "proven"
    if plain.value is None or plain.bound is None or plain.bound <= 0:
        return "no bound" if plain.bound is None else "no network"
    return f"{(plain.bound - plain.value) / plain.bound:.2%}"


def _proven(proofs: Sequence[Proof | MedianProof]) -> int:
    return sum(p.proven for p in proofs)


def _facts(city: str, total: float) -> dict[str, Any]:
    return {
        "city": city,
        "date": datetime.date.today().isoformat(),
        "cores": os.cpu_count(),
        "total_seconds": total,
    }


def _where_and_when(facts: dict[str, Any]) -> str:
    return f"Measured {facts['date']} on one of {facts['cores']} cores."


def _print_table(rows: Rows, markdown: bool, title: str) -> None:
    click.echo(f"{title}\n")
    if not markdown:
        click.echo(text_table(rows))
    else:
        rule = tuple("---" if k == 0 else "---:" for k in range(len(rows[0])))
        for row in (rows[0], rule, *rows[1:]):
            click.echo(f"| {' | '.join(row)} |")
    click.echo("")

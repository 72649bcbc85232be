"""``spineq bench``: ratios, proofs, HiGHS beside us, p-medians, scale."""

from __future__ import annotations

import datetime
import importlib
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from spineq.cli.bench_front import front
from spineq.cli.bench_parts import (
    Rows,
    facts_of,
    markdown_option,
    method_option,
    print_table,
    reference_option,
    where_and_when,
)
from spineq.cli.options import json_option, read_city_argument
from spineq.cli.printing import print_json, text_table
from spineq.progress import TextProgress

if TYPE_CHECKING:
    from spineq.bench_proof import MedianProof, Plain, Proof


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


bench.add_command(front)


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


@bench.command(
    short_help="A table of problems with their proofs.",
    epilog="Example: spineq bench proof synthetic:910 --markdown",
)
@click.argument("cities", nargs=-1, required=True, metavar="CITY...")
@method_option
@reference_option
@markdown_option
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
        facts = facts_of(where.name, total)
        if as_json:
            listed = [asdict(p) | {"equal": p.equal} for p in proofs]
            found.append(facts | {"method": method, "problems": listed})
            continue
        head = ("group", "theta", "n", "greedy", "value", "bound", "gap", "nodes", "seconds")
        rows: Rows = [head + (("published",) if published else ())]
        for p in proofs:
            rows.append(_proof_cells(p) + ((_same(p.equal),) if published else ()))
        print_table(rows, markdown, f"{where.name}: {where.n_sites:,} sites")
        slowest = max((p.seconds for p in proofs), default=0.0)
        click.echo(
            f"{_proven(proofs)} of {len(proofs)} proven, {total:.1f} s in all, the slowest "
            f"{slowest:.2f} s. {where_and_when(facts)}"
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
@markdown_option
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
    facts = facts_of(where.name, time.perf_counter() - began)
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
    print_table(rows, markdown, f"{where.name}: {where.n_sites:,} sites, HiGHS up to {limit:g} s")
    proven = sum(plain.proven for _, plain in pairs)
    click.echo(
        f"Ours proves {_proven([ours for ours, _ in pairs])} of {len(pairs)}, HiGHS {proven}; "
        f"median ratio at least {ratio:,.0f} x. {where_and_when(facts)}"
    )


@bench.command(
    short_help="p-median instances of the OR-Library.",
    epilog="Example: spineq bench pmed pmed1.txt pmed2.txt --json",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@method_option
@reference_option
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

"""``spineq demo``: the main job on real data, through a Dask cluster."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import click

from spineq.cli.options import json_option, output_option
from spineq.cli.results import finish
from spineq.progress import TextProgress

_TOPIC = "spineq-demo"


@click.command(epilog="Example: spineq demo --output my-folder")
@click.option("-n", "--n-sensors", type=int, default=20, show_default=True)
@click.option("--theta", type=float, default=500.0, show_default=True, help="Metres.")
@output_option(Path("spineq-demo"))
@json_option
def demo(n_sensors: int, theta: float, output: Path, as_json: bool) -> None:
    """Place sensors in San Francisco: a Dask cluster, a job, a map."""
    import spineq as sq
    from spineq.instance import check

    def say(text: str = "") -> None:
        click.echo(text, err=as_json)

    city = sq.demo_city()
    words: dict[str, Any] = {"n_sensors": n_sensors, "theta": theta, "groups": sq.GROUPS}
    # Checked here, so that bad input starts no cluster.
    check(city, sq.Problem.from_words(**words))
    say(f"{city.name}: {city.n_areas} zones. {city.label.note}")
    say("Starting a Dask cluster on this machine (loopback only) ...")
    began = time.perf_counter()
    # What fails comes back as an exception; Dask's own words on it are not for this screen.
    with (
        sq.connect(n_workers=2, silence_logs=logging.CRITICAL) as client,
        TextProgress() as bar,
    ):
        workers = len(client.scheduler_info()["workers"])
        say(f"  {workers} workers; dashboard at {client.dashboard_link}")
        say("Submitting the job; the first run on a machine compiles the solvers once ...")
        client.subscribe_topic(_TOPIC, lambda event: _move(bar, event))
        future = client.submit(
            sq.optimise,
            client.scatter(city),
            progress=sq.DaskProgress(_TOPIC),
            **words,
        )
        network = future.result()
        client.unsubscribe_topic(_TOPIC)
    say(f"  done in {time.perf_counter() - began:.1f} s, the solver took {network.seconds:.2f} s")
    say("The four groups below count alike.\n")
    finish(network, city, output, as_json=as_json)


def _move(bar: TextProgress, event: tuple[float, dict[str, Any]]) -> None:
    _, report = event
    bar.report(report["fraction"], report["message"], report["value"], report["bound"])

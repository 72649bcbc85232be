"""``spineq serve``: the queue over HTTP and Socket.IO."""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote

import click

from spineq.cli.options import (
    city_options,
    cluster_options,
    read_city_argument,
    store_option,
    take_city_options,
)
from spineq.cli.printing import say
from spineq.cli.signals import ending
from spineq.errors import MissingExtraError
from spineq.gateway.settings import Limits, Settings, set_up
from spineq.model.problem import MethodName

if TYPE_CHECKING:
    from spineq.model.city import City

_DEFAULTS = Limits()

#: What the extra brings.
_PACKAGES = ("fastapi", "fastapi_offline", "pydantic", "socketio", "uvicorn", "websockets")


@click.command(
    short_help="Answer clients over HTTP and Socket.IO.",
    epilog="Example: spineq serve san-francisco --store my-jobs",
)
@click.option("--host", default=Settings.host, show_default=True, help="Address to listen to.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=Settings.port,
    show_default=True,
    help="Port; 0 for any that is free.",
)
@click.option(
    "--token",
    help="What requests must bring, 16 or more characters; or in SPINEQ_TOKEN. By default none on "
    "this machine alone, else one is made and printed.",
)
@click.option(
    "--cors",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Origin of a web page that may use it, such as https://city.example. May be repeated.",
)
@click.option(
    "--compat",
    is_flag=True,
    help="Be as open as the original was: to pages of any origin, and deleting by GET.",
)
@click.option(
    "--proxy",
    default="",
    metavar="ADDRESS",
    help="Address of a server with HTTPS before this one, whose X-Forwarded-For says who asks. "
    "Name the origin of its pages with --cors.",
)
@click.option(
    "--also", "more", multiple=True, metavar="CITY", help="Another city to know. May be repeated."
)
@click.option(
    "--method",
    type=click.Choice(get_args(MethodName)),
    default=Settings.method,
    show_default=True,
    help="Solver of jobs of the original's clients.",
)
@click.option(
    "--max-body",
    type=click.IntRange(min=1),
    default=_DEFAULTS.body,
    show_default=True,
    help="Bytes of a request at most.",
)
@click.option(
    "--max-sensors",
    type=click.IntRange(min=1),
    default=_DEFAULTS.sensors,
    show_default=True,
    help="Sensors of a job at most.",
)
@click.option(
    "--max-waiting",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    help="Jobs at most that have not ended.",
)
@click.option(
    "--max-per-client",
    type=click.IntRange(min=1),
    default=1_000,
    show_default=True,
    help="Jobs at most of one address that have not ended.",
)
@click.option(
    "--max-seconds",
    type=click.IntRange(min=1),
    default=_DEFAULTS.seconds,
    show_default=True,
    help="Time for which a job may compute; then it has the best so far.",
)
@store_option
@cluster_options
@city_options
def serve(
    city: str,
    host: str,
    port: int,
    token: str | None,
    origins: tuple[str, ...],
    compat: bool,
    proxy: str,
    more: tuple[str, ...],
    method: MethodName,
    max_body: int,
    max_sensors: int,
    max_waiting: int,
    max_per_client: int,
    max_seconds: int,
    store: str | None,
    scheduler: str | None,
    allow_remote: bool,
    **words: Any,
) -> None:
    """Serve the queue to web pages and programmes, until Ctrl-C.

    Clients of the original system find its routes and Socket.IO events; new ones a documented API
    under /api/v1, with its documentation at /docs.
    """
    from spineq.cli.job_access import store_named, working

    limits = Limits(max_body, max_sensors, max_seconds)
    given = os.environ.get("SPINEQ_TOKEN", "") if token is None else token
    settings = set_up(Settings(host, port, given, compat, origins, method, limits, proxy))
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            msg = f"the package {package} is not installed"
            raise MissingExtraError(msg, mend='Install it: pip install "spineq[gateway]"')
    from spineq.gateway.serving import Gateway, listen

    cities = {city: read_city_argument(city, take_city_options(words))}
    cities |= {name: read_city_argument(name, {}) for name in more}
    where = store_named(store)
    room = {"max_waiting": max_waiting, "max_waiting_per_user": max_per_client}
    listening, settings = listen(settings)
    say("Starting the workers, and what they compute with.")
    with listening, working(where, scheduler, allow_remote=allow_remote, **room) as queue:
        gateway = Gateway(queue, cities, listening, settings)
        _say(settings, cities, where)
        # Ctrl-C and SIGTERM the server hears itself, and sends them on afterwards.
        with ending(lambda *_: gateway.stop()):
            gateway.run()
    say("The gateway has ended; jobs that have not are kept in the store.")


def _say(made: Settings, cities: Mapping[str, City], store: str) -> None:
    """Say where the gateway is, and to whom it is open."""
    say(f"{'; '.join(map(_named, cities, cities.values()))}. Jobs in {store}.")
    token = f"?token={quote(made.token)}" if made.token else ""
    say(f"Open {made.url}/{token} (documentation: {made.url}/docs{token})")
    if made.token:
        say(f"Programmes send the header  Authorization: Bearer {made.token}")
    if not made.is_local:
        say(f"From other machines it is http://{socket.gethostname()}:{made.port}/")
    if not made.is_local and not made.proxy:
        say(
            "Other machines can reach it, and whoever reads along on the way reads the token: put "
            "a server with HTTPS before it."
        )
    if made.compat and made.token:
        say(
            "--compat: pages of any origin that know the token may submit and delete jobs, by GET "
            "too."
        )
    elif made.compat:
        say(
            "--compat: pages of any origin may submit and delete jobs with the browsers of whoever "
            "reads them, and links can delete: GET /queue/deleteall empties the queue."
        )
    say("Ctrl-C ends it.")


def _named(name: str, city: City) -> str:
    """A city, and how requests name it."""
    code = city.label.code
    return f"{city.name or 'A city without a name'} ({f'{code} or ' if code else ''}{name})"

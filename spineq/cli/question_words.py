"""Options of the commands that ask about a network: which network, and numbers in lists."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click
from click.core import ParameterSource

from spineq.cli.options import problem_options, take_problem_words
from spineq.cli.problem_words import need_number, sensors_named
from spineq.errors import shown
from spineq.model.problem import MethodName
from spineq.progress import SpanProgress

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.progress import TextProgress

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: Options of `network_options` that are for sensors of one's own too; the file of a network knows
#: them.
OF_GIVEN = (
    "objective", "aversion", "aversion_form", "failure_probability", "max_age", "min_age",
    "workplace_weight", "population_weight", "groups", "decay", "theta", "keep",
)  # fmt: skip

#: The others, which are for a network that is to be placed.
OF_PLACED = (
    "n_sensors", "method", "gap_limit", "effort", "bound", "at_least", "kinds", "move_at_most",
    "retire", "reach", "start", "forbid", "min_spacing", "min_per_region", "max_per_region",
    "region", "site_cost", "budget",
)  # fmt: skip

#: Commands that solve a network's problem again, and options whose problems they cannot.
_SO_MANY = ("explain", "alternatives", "stability")
_OTHERWISE = ("reach", "retire", "move_at_most", "kinds", "failure_probability")

#: Share of the work that placing the network is taken to be.
_PLACING = 0.3


def placing_options(command: _Command) -> _Command:
    """What `spineq optimise` asks, but for the seed of the random method."""
    for option in (
        click.option(
            "--method", type=click.Choice(get_args(MethodName)), default="auto",
            show_default=True, help="Solver that places the network.",
        ),
        problem_options,
        click.option("-n", "--n-sensors", type=int, help="Number of sensors to place."),
    ):  # fmt: skip
        command = option(command)
    return command


def network_options(command: _Command) -> _Command:
    """``--network``, or else what `spineq optimise` asks: which network the question is about."""
    option = click.option(
        "--network",
        metavar="FILE_OR_SENSORS",
        help="The network: its file (network.nc), or sensors as for evaluate: ids of sites with "
        "commas between, a file of points, or 'existing'. Without it a network is placed first, "
        "as by spineq optimise with -n and the options that follow.",
    )
    return option(placing_options(command))


@dataclass(frozen=True)
class Subject:
    """Which network a question is about.

    Parameters
    ----------
    network
        What ``--network`` says; empty where one is to be placed.
    words
        Those of a problem.
    """

    network: str
    words: dict[str, Any]

    def of(self, city: City, bar: TextProgress) -> tuple[Network, float]:
        """Read, measure or place it; ends the command at a Ctrl-C before it is whole.

        Parameters
        ----------
        city
            Where.
        bar
            To be moved.

        Returns
        -------
        tuple
            The network, and how far the bar has come.
        """
        from spineq.model.network import read_network
        from spineq.solve import evaluate, optimise

        if _is_file(self.network):
            return read_network(self.network), 0.0
        span = SpanProgress(bar, 0.0, _PLACING)
        if self.network:
            made = evaluate(city, sensors_named(self.network), progress=span, **self.words)
        else:
            made = optimise(city, progress=span, **self.words)
        if made.stopped:
            click.echo("spineq: stopped before there was a network to ask about.", err=True)
            sys.exit(130)
        return made, _PLACING


def _is_file(text: str) -> bool:
    return text.lower().endswith(".nc")


def take_subject(words: dict[str, Any]) -> Subject:
    """Read the options of `network_options`, of which a command's words are the last.

    Raises
    ------
    click.UsageError
        Neither a network nor a number of sensors; an option beside a network that has it
        already, or that it need not keep; or one whose problem the command cannot solve again.
    ProblemError
        Something that is not of its form.
    """
    network = words.pop("network")
    if network is None:
        need_number(words)
        name = click.get_current_context().command.name
        if name in _SO_MANY and (flag := _given(_OTHERWISE)):
            # Before anything is placed, which may take a while.
            msg = (
                f"{flag} is for another network than the best of so many sensors, and {name} asks "
            )
            msg += (
                "about such ones. Place it with spineq optimise, and give the ids of its sensors "
            )
            msg += "as --network ID,ID,..."
            raise click.UsageError(msg)
        return Subject("", take_problem_words(words))
    if not network.strip(" ,"):
        msg = "--network names no file and no sensors."
        raise click.UsageError(msg)
    is_file = _is_file(network)
    if flag := _given((*OF_PLACED, *(OF_GIVEN if is_file else ()))):
        what = "its file says what was asked" if is_file else "the sensors are given"
        msg = f"{flag} is for a network that is to be placed, and with --network {what}."
        raise click.UsageError(msg)
    kept = {} if is_file else {name: words[name] for name in OF_GIVEN}
    return Subject(network.strip(), take_problem_words(kept))


def _given(names: tuple[str, ...]) -> str:
    """First of some options that the command line has; empty if none."""
    context = click.get_current_context()
    for param in context.command.params:
        source = context.get_parameter_source(param.name or "")
        if param.name in names and source is ParameterSource.COMMANDLINE:
            return param.opts[0]
    return ""


class Numbers(click.ParamType[Any]):
    """Numbers with a sign between them, each within a range.

    Parameters
    ----------
    what
        What help calls them, and what an error says is needed.
    kind
        ``int`` or ``float``.
    low, high
        Least and largest, both allowed.
    between
        The sign.
    exactly
        How many there must be; None for any number from one.
    """

    def __init__(
        self,
        what: str,
        kind: type[int] | type[float],
        low: float,
        high: float,
        between: str = ",",
        exactly: int | None = None,
    ) -> None:
        self.name = what
        self._kind, self._low, self._high = kind, low, high
        self._between, self._exactly = between, exactly

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Read them as a tuple."""
        if isinstance(value, tuple):
            return value
        parts = str(value).split(self._between)
        try:
            made = tuple(self._kind(part) for part in parts)
        except ValueError:
            self.fail(f"{shown(value)} is not {self.name}", param, ctx)
        if self._exactly not in (None, len(made)):
            self.fail(f"{shown(value)} is not {self.name}", param, ctx)
        for part, number in zip(parts, made, strict=True):
            if not self._low <= number <= self._high:
                bounds = f"{self._low:,g} to {self._high:,g}"
                self.fail(f"{shown(part.strip())} is out of range, {bounds}", param, ctx)
        return made

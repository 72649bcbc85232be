"""Options that say what is asked, and the words of a `spineq.Problem` that they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from spineq.errors import ProblemError, shown
from spineq.model._problem_checks import MOST_PER_REGION
from spineq.model.groups import Group
from spineq.model.problem import AversionForm, BoundName, DecayName, ObjectiveName

if TYPE_CHECKING:
    from spineq.model.network import Network

_Command = TypeVar("_Command", bound=Callable[..., Any])

_KEEP = click.option(
    "--keep",
    multiple=True,
    metavar="SITES",
    help="Sensors that stay and are not counted in -n: ids of sites with commas between, the file "
    "of a network (network.nc), or 'existing', those of the city. May be repeated.",
)


def group_options(command: _Command) -> _Command:
    """Options that say who matters, and how much: for whatever measures a network."""
    for option in (
        click.option(
            "--objective", type=click.Choice(get_args(ObjectiveName)),
            help="What is maximised: the mean of the groups (default), the worst-off group, or the "
            "smallest share that a group has of what it could have alone.",
        ),
        click.option(
            "--aversion-form", type=click.Choice(get_args(AversionForm)),
            help="Form of the aversion: kolm_pollak by default.",
        ),
        click.option(
            "--aversion", type=float,
            help="Aversion to inequality between people: 0 (none) to 100, atkinson below 1.",
        ),
        click.option(
            "--failure-probability", type=float, metavar="P",
            help="Each sensor fails with this probability, whether or not others do: what is "
            "expected to be covered counts. 0 by default.",
        ),
        click.option("--max-age", type=int, help="Oldest age that counts (without --group)."),
        click.option("--min-age", type=int, help="Youngest age that counts (without --group)."),
        click.option("--workplace-weight", type=float, help="Weight of workers (without --group)."),
        click.option("--population-weight", type=float, help="Weight of residents, likewise."),
        click.option(
            "--group",
            "groups",
            multiple=True,
            metavar="NAME:WHO[:WEIGHT]",
            help="Who matters: children:0-15:2, older:66-90 (90 and older included), or a column, "
            "jobs:workers:0.5. Weights are importance, not head counts. May be repeated.",
        ),
        click.option(
            "--decay", type=click.Choice(get_args(DecayName)), default="exponential",
            show_default=True,
            help="How coverage falls with distance: at theta, exponential is down to 37 %, "
            "gaussian to 61 %, linear to nothing; step covers everyone up to theta.",
        ),
        click.option(
            "--theta", type=float,
            help="Distance at which coverage has fallen to what --decay says: 500 metres by "
            "default, to be given in the unit of travel costs where there are any.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def measure_options(command: _Command) -> _Command:
    """Options for a network that is there already: who matters, and what stays beside it."""
    return group_options(_KEEP(command))


def problem_options(command: _Command) -> _Command:
    """Options that say what is asked, but for the number of sensors, the method and the seed."""
    for option in (
        click.option(
            "--gap-limit", type=float, help="Gap at which the search may end, 0 to 1; 0 by default."
        ),
        click.option(
            "--effort", type=float,
            help="Work that may be done, as a multiple of the usual; 1 by default.",
        ),
        click.option(
            "--bound", type=click.Choice(get_args(BoundName)),
            help="Which bound the answer is to have; by default what the method brings.",
        ),
        click.option(
            "--at-least", multiple=True, metavar="GROUP=LEVEL",
            help="Coverage that a group must reach: pop_elderly=0.45, or the file of a network "
            "(network.nc), below which no group may be. May be repeated.",
        ),
        click.option(
            "--kind", "kinds", multiple=True, metavar="NAME:THETA[:N[:COST]]",
            help="Sensors of several kinds, each with a theta of its own: reference:800:5 and "
            "low-cost:300:50, or with a price and --budget: reference:800::2000. May be repeated.",
        ),
        click.option(
            "--move-at-most", type=int, metavar="N",
            help="How many of the city's existing sensors may move; the others stay.",
        ),
        click.option(
            "--retire", type=int, metavar="N",
            help="How many of the city's existing sensors are taken away, with the least loss; "
            "-n new ones come beside it.",
        ),
        click.option(
            "--reach", multiple=True, metavar="GROUP=LEVEL",
            help="Instead of -n: the fewest sensors with which a group reaches a coverage, "
            "pop_elderly=0.45; or 'existing', what today's sensors give every group; or the file "
            "of a network. May be repeated.",
        ),
        click.option(
            "--start", metavar="SITES",
            help="Network to improve: its file (network.nc), or ids of its sites with commas "
            "between.",
        ),
        click.option(
            "--forbid", multiple=True, metavar="SITES",
            help="Where no sensor may stand: ids of sites with commas between. May be repeated.",
        ),
        _KEEP,
        click.option(
            "--min-spacing", type=float, metavar="METRES",
            help="Least distance between two sensors, as the crow flies; -n are the most then.",
        ),
        click.option(
            "--min-per-region", multiple=True, metavar="[REGION=]N",
            help="Sensors at least in every region, or in one by name. May be repeated.",
        ),
        click.option(
            "--max-per-region", multiple=True, metavar="[REGION=]N",
            help="Sensors at most in every region, or in one by name: 2, or Byker=2. May be "
            "repeated.",
        ),
        click.option(
            "--region", metavar="COLUMN",
            help="Column of the sites that says in which region each lies.",
        ),
        click.option(
            "--site-cost", metavar="COLUMN",
            help="Column of the sites that says what a sensor costs there.",
        ),
        click.option(
            "--budget", type=float,
            help="What all sensors together may cost, instead of -n; with --site-cost.",
        ),
    ):  # fmt: skip
        command = option(command)
    return group_options(command)


def take_problem_words(words: dict[str, Any]) -> dict[str, Any]:
    """Turn a command's words into those of `spineq.Problem`.

    Raises
    ------
    ProblemError
        Something that is not of its form.
    NetworkFileError
        A file that is no network.
    """
    made = {name: word for name, word in words.items() if word is not None and word != ()}
    if "groups" in made:
        made["groups"] = parse_groups(made["groups"])
    for name in ("max_per_region", "min_per_region"):
        if name in made:
            made[name] = _per_region(made[name], name)
    for name in ("keep", "forbid", "start"):
        if name in made:
            texts = made[name]
            made[name] = _sites([texts] if isinstance(texts, str) else texts, name)
    if "at_least" in made:
        made["at_least"] = _levels(made["at_least"], "at_least")
    if "reach" in made:
        today = made["reach"] == ("existing",)
        made["reach"] = "existing" if today else _levels(made["reach"], "reach")
    if "kinds" in made:
        made["kinds"] = _kinds(made["kinds"])
        if "theta" in made and "keep" not in made:
            msg = "each kind has a theta of its own, and --theta is that of sensors that stay"
            raise ProblemError(msg, field="theta", mend="Leave it out, or say which stay (--keep)")
    return made


#: What may be asked instead of a number of sensors.
INSTEAD_OF_A_NUMBER = ("budget", "reach", "retire", "move_at_most", "kinds")


def need_number(words: dict[str, Any]) -> None:
    """Refuse a command's words that do not say how many sensors there may be.

    Raises
    ------
    click.UsageError
        They do not.
    """
    if words["n_sensors"] is None and not any(words.get(name) for name in INSTEAD_OF_A_NUMBER):
        msg = "Missing option '-n' / '--n-sensors', or '--budget' with '--site-cost', '--reach', "
        msg += "'--retire', '--move-at-most' or '--kind'."
        raise click.UsageError(msg)


#: Who competes for the sensors of a front; each is read by `parse_group`.
rivals_option = click.option(
    "--group", "groups", multiple=True, metavar="NAME:WHO",
    help="Who competes, twice at least: older:66-90 (90 and older included), or a column, "
    "jobs:workers. By default everybody, children, older people and workers.",
)  # fmt: skip


def parse_group(text: str) -> tuple[str, Group]:
    """Read ``NAME:WHO[:WEIGHT]``, where WHO is an age range or a column.

    Raises
    ------
    ProblemError
        It is not of that form.
    """
    parts = text.split(":")
    mend = "Write children:0-15:2 or jobs:workers:0.5"
    if len(parts) not in (2, 3) or not all(parts):
        msg = f"{text!r} is not a group"
        raise ProblemError(msg, field="group", mend=mend)
    try:
        weight = float(parts[2]) if len(parts) == 3 else 1.0
    except ValueError as error:
        msg = f"the weight {parts[2]!r} of {text!r} is not a number"
        raise ProblemError(msg, field="group", mend=mend) from error
    ages = re.fullmatch(r"(\d{1,3})-(\d{1,3})", parts[1])
    if ages:
        return parts[0], Group(ages=(int(ages[1]), int(ages[2])), weight=weight)
    return parts[0], Group(column=parts[1], weight=weight)


def parse_groups(texts: Sequence[str]) -> dict[str, Group]:
    """Read groups by name, each as `parse_group` does.

    Raises
    ------
    ProblemError
        One is not of its form, or two have the same name.
    """
    made: dict[str, Group] = {}
    for text in texts:
        name, group = parse_group(text)
        if name in made:
            msg = f"{shown(text)} names the group {shown(name)} a second time"
            raise ProblemError(msg, field="group", mend="Give each group a name of its own")
        made[name] = group
    return made


def sensors_named(text: str) -> Any:
    """Read the sensors of a network of one's own, as `spineq.evaluate` takes them.

    Parameters
    ----------
    text
        ``existing`` or ``existing-points``, the file of a table of points, or ids with commas
        between.
    """
    from spineq.data.files import read_table

    if text in ("existing", "existing-points"):
        return text
    file = Path(text)
    there = False
    # Many ids are too long for the name of a file.
    with suppress(OSError):
        there = bool(file.suffix) and file.exists()
    if there:
        return read_table(file)
    return [name.strip() for name in text.split(",") if name.strip()]


def _is_file(text: str) -> bool:
    return text.lower().endswith(".nc")


def _network(text: str) -> Network:
    from spineq.model.network import read_network

    return read_network(text)


def _sites(texts: Sequence[str], field: str) -> Any:
    """Read ids of sites with commas between, a network's file, or ``existing`` to keep."""
    existing = field == "keep" and "existing" in texts
    if existing or any(_is_file(text) for text in texts):
        if len(texts) > 1:
            msg = f"{texts[0]!r} and {texts[1]!r} are given together"
            mend = "Give one network, or ids of sites with commas between"
            if existing:
                mend = "The word 'existing' stands alone: give it without ids or networks"
            raise ProblemError(msg, field=field, mend=mend)
        return _network(texts[0]) if _is_file(texts[0]) else texts[0]
    ids = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    if not ids:
        msg = "no site is named"
        raise ProblemError(msg, field=field, mend="Give ids of sites with commas between")
    return ids


def _per_region(texts: Sequence[str], field: str) -> int | dict[str, int]:
    """Read ``N`` for every region, or ``REGION=N`` for each that is named."""
    made: dict[str, int] = {}
    for text in texts:
        region, _, number = text.rpartition("=")
        if not re.fullmatch(r"\s*\d+\s*", number) or (not region.strip() and "=" in text):
            msg = f"{text!r} is not a number of sensors"
            raise ProblemError(msg, field=field, mend="Write 2 for every region, or Byker=2")
        # By its length first: Python reads no whole number of more than 4,300 digits.
        if len(number.strip().lstrip("0")) > 10 or int(number) > MOST_PER_REGION:
            msg = f"{shown(text)} is too large a number of sensors"
            mend = f"Give {MOST_PER_REGION:,} or less"
            raise ProblemError(msg, field=field, mend=mend)
        if region.strip() in made:
            msg = f"{texts[0]!r} and {text!r} are about the same region"
            raise ProblemError(msg, field=field, mend="Name each region once")
        made[region.strip()] = int(number)
    if "" in made and len(made) > 1:
        msg = "there is a number for every region, and one for a region by name"
        raise ProblemError(msg, field=field, mend="Give one number for all, or name the regions")
    return made.get("", made)


def _kinds(texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Read ``NAME:THETA[:N[:COST]]`` for each kind."""
    made: dict[str, dict[str, float]] = {}
    mend = "Write reference:800:5, or with a price and no number reference:800::2000"
    for text in texts:
        name, *figures = (part.strip() for part in text.split(":"))
        if not name or not 1 <= len(figures) <= 3 or name in made:
            why = "names a kind a second time" if name in made else "is not a kind of sensors"
            msg = f"{shown(text)} {why}"
            raise ProblemError(msg, field="kinds", mend=mend)
        kind: dict[str, float] = {}
        fields = [("theta", float), ("n_sensors", int), ("cost", float)]
        for (key, read), figure in zip(fields, figures, strict=False):
            try:
                kind |= {key: read(figure)} if figure or key == "theta" else {}
            except ValueError as error:
                msg = f"{shown(figure)} of {shown(text)} is not a {'whole ' * (read is int)}number"
                raise ProblemError(msg, field="kinds", mend=mend) from error
        made[name] = kind
    return made


def _levels(texts: Sequence[str], field: str) -> Network | dict[str, float]:
    """Read ``GROUP=LEVEL`` for each group that is named, or a network's file."""
    if len(texts) == 1 and _is_file(texts[0]):
        return _network(texts[0])
    made: dict[str, float] = {}
    mend = "Write pop_elderly=0.45, or give the file of one network"
    for text in texts:
        name, _, level = text.rpartition("=")
        try:
            number = float(level)
        except ValueError as error:
            msg = f"{text!r} is not the coverage of a group"
            raise ProblemError(msg, field=field, mend=mend) from error
        if not name or name in made:
            msg = f"{text!r} names {'a group a second time' if name else 'no group'}"
            raise ProblemError(msg, field=field, mend=mend)
        made[name] = number
    return made

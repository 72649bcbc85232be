"""A network's sensors without the rules that they were found by: what can be asked or edited."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from spineq.errors import ProblemError

if TYPE_CHECKING:
    import pandas as pd

    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.model.problem import Problem

#: Why nothing is asked about a network of several kinds.
KINDS = (
    "This network has sensors of several kinds, and what is asked here is about sensors of one "
    "kind, so it cannot be answered for it"
)


class Plain(NamedTuple):
    """A network as one of so many sensors.

    Parameters
    ----------
    problem
        For the best of so many sensors, those that stay named, without a coverage to reach and
        without sensors that go.
    placed
        The sensors that do not stay: site, area, x, y, in the network's order.
    n_kept
        How many sensors stay, the first of the network.
    """

    problem: Problem
    placed: pd.DataFrame
    n_kept: int

    @property
    def given(self) -> list[str] | pd.DataFrame:
        """The placed sensors as `spineq.evaluate` takes them."""
        if (self.placed["site"] == "").any():
            return self.placed[["x", "y"]]
        return [str(site) for site in self.placed["site"]]


def has_another_question(network: Network) -> bool:
    """Whether a network is no answer to how well so many sensors can cover."""
    problem = network.problem
    return bool(problem.reach) or problem.changes_existing or bool(problem.kinds)


def plain(network: Network) -> Plain:
    """Take a network as one of so many sensors.

    Sensors of today that were left where they are stay; where they stand at no sites, or where all
    others were given up, every sensor counts as placed.

    Raises
    ------
    ProblemError
        Its sensors are of several kinds.
    """
    problem, table = network.problem, network.sensors[["site", "area", "x", "y"]]
    if problem.kinds:
        raise ProblemError(KINDS, mend="Show a network with one kind of sensor")
    stay, placed = table.iloc[: network.n_kept], table.iloc[network.n_kept :]
    if not problem.reach and not problem.changes_existing:
        return Plain(problem, placed, network.n_kept)
    keep = problem.keep
    if problem.changes_existing:
        keep = tuple(str(site) for site in stay["site"])
        if "" in keep or placed.empty:
            keep, stay, placed = (), stay.iloc[:0], table
    made = replace(
        problem,
        n_sensors=max(len(placed), 1),
        keep=keep,
        reach=(),
        retire=0,
        move_at_most=0,
        # About new places alone, as they were asked.
        forbid=tuple(set(problem.forbid) - set(keep) - set(placed["site"])),
    )
    return Plain(made, placed, len(stay))


def what_else(network: Network | None) -> str:
    """Say that a network was found for another question than the best of so many; else nothing."""
    if network is None or not has_another_question(network):
        return ""
    problem = network.problem
    if problem.kinds:
        return f"{KINDS}."
    if problem.reach:
        return (
            "This network is the fewest sensors that reach a coverage. What follows is about the "
            "best that so many sensors can do, whether or not they still reach it."
        )
    if plain(network).n_kept:
        return (
            "In this network some of today's sensors go or move. In what follows those that keep "
            "their place stay, and the new ones may stand anywhere."
        )
    return (
        "In this network some of today's sensors go or move. What follows is about the best that "
        "so many sensors can do, wherever they stand."
    )


def askable(city: City, network: Network) -> Network:
    """Return a network about which questions can be asked: the same sensors.

    Parameters
    ----------
    city, network
        The network, and the city that it was made for.

    Raises
    ------
    ProblemError
        Its sensors are of several kinds, or it places none.
    """
    from spineq.solve import evaluate

    if not has_another_question(network):
        return network
    made = plain(network)
    if made.placed.empty:
        msg = "this network has no sensor that was placed, so there is nothing to ask"
        raise ProblemError(msg, mend="Show a network with a sensor that was placed")
    return evaluate(city, made.given, replace(made.problem, bound=None))

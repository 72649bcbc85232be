"""What it would take that no group is worse off than with the sensors of today.

An answer says what is proven and what was only found: that a solver finds no network of so many
sensors does not mean that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from spineq.errors import ProblemError
from spineq.model._objective_words import counted, in_a_sentence, owed, percent
from spineq.panel.asked_about import has_another_question, plain
from spineq.panel.comparing import existing_network, measured_like
from spineq.progress import Progress, Report, SilentProgress, SpanProgress, Watcher

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.model.problem import Problem

#: How solvers begin the sentence that no network can do it, by proof. A test holds them to it.
PROVEN_WORDS = ("no network of ", "no network keeps all rules")

#: Coverage that rounding may take from what is owed.
_ROUNDING = 1e-9

#: Gap with which an answer is shown: costs are told to a tenth of a point.
_NEAR = 0.002


@dataclass(frozen=True, eq=False)
class Today:
    """How many sensors leave no group worse off than the existing ones.

    Parameters
    ----------
    shown
        The network whose question was asked again.
    existing
        The existing sensors, measured like it.
    asked
        Number of sensors that the question has, those that stay not counted.
    network
        The network found, the smallest where ``asked`` are too few; None where none was.
    enough
        How many sensors it has.
    proven_short
        Largest number of sensors that are too few by proof; 0 where nothing is proven.
    tried
        Largest number that was tried without finding a network; 0 where none was.
    unfair
        Title of a group that is worse off with the shown network, and by how much (share);
        empty where none is.
    notes
        What had to be asked otherwise, in sentences.
    stopped
        Whether somebody stopped it.
    """

    shown: Network
    existing: Network
    asked: int
    network: Network | None = None
    enough: int = 0
    proven_short: int = 0
    tried: int = 0
    unfair: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()
    stopped: bool = False

    def words(self) -> list[str]:
        """Say it in plain sentences."""
        lines = [self._now_words(), *self._found_words(), *self.notes]
        if self.stopped:
            lines.append("The search was stopped early: fewer sensors may do.")
        return [line for line in lines if line]

    def _now_words(self) -> str:
        if not self.unfair:
            return "With the network shown, no group is worse off than today."
        listed = ", ".join(f"{title} by {100 * lost:.1f} points" for title, lost in self.unfair)
        return f"With the network shown, some are worse off than today: {listed}."

    def _found_words(self) -> list[str]:
        if self.network is self.shown:
            return []
        if self.network is None:
            if self.stopped and not self.tried:
                return []
            said = f"No network of up to {counted(self.tried, 'sensor')} was found that leaves no "
            said += "group worse off than today"
            proven = self.proven_short == self.tried
            return [f"{said}; {'that is proven' if proven else 'there may be one'}."]
        cost = self._cost_words()
        if self.enough <= self.asked:
            number = counted(self.enough, "sensor")
            return [f"{number} can leave no group worse off than today; {cost}."]
        return [self._more_words(), f"With {self.enough:,} sensors {cost}."]

    def _more_words(self) -> str:
        fewer, number = self.enough - 1, counted(self.enough, "sensor")
        if self.proven_short >= fewer:
            return (
                f"It takes at least {number} to leave no group worse off than today: "
                f"{self.enough:,} are enough, and fewer cannot do it, which is proven."
            )
        said = (
            f"A network that leaves no group worse off than today was found with {number}; with "
            f"fewer none was found"
        )
        if self.proven_short >= self.asked:
            return f"{said}, and it takes at least {self.proven_short + 1:,}, which is proven."
        return f"{said}, which is no proof that there is none."

    def _cost_words(self) -> str:
        assert self.network is not None
        mine, theirs = self.network.total_coverage, self.shown.total_coverage
        change = 100 * (mine - theirs)
        of = f"{percent(mine)} instead of {percent(theirs)}"
        if abs(change) < 0.05:
            return f"the mean coverage stays the same ({percent(mine)})"
        if change < 0:
            return f"it costs {-change:.1f} points of mean coverage ({of})"
        return f"the mean coverage is {change:.1f} points higher ({of})"


def worse_off(network: Network, existing: Network) -> tuple[tuple[str, float], ...]:
    """Titles of groups that a network covers less than another, and by how much (share)."""
    titles, theirs = existing.table()["title"], existing.table()["coverage"]
    mine = network.table()["coverage"]
    return tuple(
        (in_a_sentence(str(titles[name])), float(theirs[name] - mine[name]))
        for name in theirs.index
        if name in mine.index and mine[name] < theirs[name] * (1.0 - _ROUNDING)
    )


def what_it_takes(city: City, shown: Network, progress: Progress | None = None) -> Today:
    """Find out how many sensors can leave no group worse off than the existing ones.

    Parameters
    ----------
    city, shown
        A network, whose question is asked again, and the city that it was made for.
    progress
        Watcher; when it asks to stop, what is found by then is returned, marked.

    Returns
    -------
    Today
        First for as many sensors as were asked for. Where those are too few, the number is
        doubled until they are enough, and then halved in between; each step takes the first
        network that is good enough.

    Raises
    ------
    SpineqError
        There are no existing sensors, the rules of the problem cannot be kept at all, or the
        network's sensors are of several kinds.
    """
    watcher = progress or SilentProgress()
    existing = existing_network(city, shown.problem)
    problem, notes = _question(shown, existing)
    asked = problem.number
    # What is owed to groups of the question's own floors is not measured in a given network.
    like = measured_like(city, shown, existing.problem)
    begun = Today(shown, existing, asked, unfair=worse_off(like, existing), notes=notes)
    if not begun.unfair:
        return replace(begun, network=shown, enough=asked)
    first = _tried(city, problem, SpanProgress(watcher, 0.0, 0.3))
    if first.stopped:
        return replace(begun, stopped=True)
    if first.network is None:
        so_far = replace(begun, tried=asked, proven_short=asked if first.proven else 0)
        return _smallest(city, problem, so_far, watcher)
    made = replace(begun, network=first.network, enough=asked)
    return _bettered(city, problem, made, SpanProgress(watcher, 0.3, 0.999))


def _question(shown: Network, existing: Network) -> tuple[Problem, tuple[str, ...]]:
    """Ask what was asked, with the groups' coverage of today as the least of each."""
    made, notes = plain(shown), []
    problem = made.problem
    if has_another_question(shown):
        number = counted(len(made.placed), "sensor")
        notes.append(f"The network shown counts here as one of {number}, wherever they stand.")
    words: dict[str, Any] = {"method": "auto", "bound": None, "start": (), "seed": 0}
    if problem.budget is not None or problem.n_sensors is None:
        words["n_sensors"] = max(shown.n_sensors - shown.n_kept, 1)
        words |= {"budget": None, "site_cost": None}
        notes.append("Sensors are counted here, whatever they cost.")
    if problem.aversion > 0:
        words["aversion"] = 0.0
        notes.append("The mean coverage is maximised here, without aversion to inequality.")
    if problem.keep == "existing":
        notes.append("The existing sensors stay in this question, so that nobody can lose.")
    # A Problem keeps a network that it is given as the floors of its groups.
    words["at_least"] = existing
    return replace(problem, **words), tuple(notes)


class _GoodEnough(Watcher):
    """Stops a search that has a network in which every group has what it is owed.

    A gap limit would end it too, but also the search for what all groups can have at once, whose
    proofs are wanted here.
    """

    def __init__(self, whole: Progress) -> None:
        self._whole = whole
        self.by_person = False

    def hear(self, report: Report) -> bool:
        """Pass on how far it is; the figures are of steps on the way, and no news to anybody."""
        self.by_person |= self._whole.report(report.fraction, report.message)
        # Greedy's own network comes without a bound, and what is owed has no figures of its own.
        return self.by_person or (report.value is not None and report.bound is not None)


class _Try(NamedTuple):
    """A network, or whether it is proven that there is none; or that a person stopped."""

    network: Network | None = None
    proven: bool = False
    stopped: bool = False


def _tried(city: City, problem: Problem, progress: Progress) -> _Try:
    """Look for any network in which every group has what it is owed.

    Raises
    ------
    ProblemError
        Something else is wrong than that the groups ask for too much.
    """
    from spineq.solve import optimise

    words = f"trying {counted(problem.number, 'sensor')}"
    watch = _GoodEnough(SpanProgress(progress, 0.0, 0.999, words))
    try:
        found = optimise(city, replace(problem, bound="none", gap_limit=0.0), progress=watch)
        if not watch.by_person and _falls_short(found):
            # What was stopped at was no network yet: let the search end by itself.
            watch = _GoodEnough(SpanProgress(progress, 0.999, 1.0, words))
            patient = _Patient(watch)
            found = optimise(city, replace(problem, bound="none", gap_limit=0.0), progress=patient)
    except ProblemError as error:
        if error.field != "at_least":
            raise
        return _Try(proven=error.what.startswith(PROVEN_WORDS))
    if _falls_short(found):
        return _Try(stopped=watch.by_person)
    return _Try(found)


class _Patient(Watcher):
    """Stops a search when a person wants it, and not before."""

    def __init__(self, watch: _GoodEnough) -> None:
        self._watch = watch

    def hear(self, report: Report) -> bool:
        """Pass the report on."""
        self._watch.hear(report)
        return self._watch.by_person


def _falls_short(network: Network) -> bool:
    """Whether a group has less than it is owed."""
    covered = network.table()["coverage"]
    return any(
        covered[name] < level * (1.0 - _ROUNDING) for name, _, level in owed(network.problem)
    )


def _smallest(city: City, problem: Problem, made: Today, watcher: Progress) -> Today:
    """Double the number of sensors until they are enough, then narrow it down."""
    low = problem.number
    # More than can stand by the rules.
    over = city.n_sites + 1
    best: Network | None = None
    share = 0.3
    while over - low > 1:
        n = (low + over) // 2 if best is not None else min(2 * low, over - 1)
        # How many steps there will be is not known: each takes a part of what is left.
        span = SpanProgress(watcher, share, share + 0.2 * (0.95 - share))
        share = span.stop
        try:
            step = _tried(city, replace(problem, n_sensors=n), span)
        except ProblemError:
            # So many cannot stand by the rules of the question.
            over = n
            continue
        if step.stopped:
            made = replace(made, stopped=True)
            break
        if step.network is not None:
            best, over = step.network, n
        else:
            low = n
            made = replace(made, tried=n, proven_short=n if step.proven else made.proven_short)
    if best is None:
        return made
    made = replace(made, network=best, enough=best.problem.number)
    return made if made.stopped else _bettered(city, problem, made, SpanProgress(watcher, share, 1))


def _bettered(city: City, problem: Problem, made: Today, progress: Progress) -> Today:
    """Look for the best of the networks that are good enough: the first need not be it."""
    from spineq.solve import optimise

    assert made.network is not None
    start = tuple(made.network.placement_history[made.network.n_kept :])
    near = max(problem.gap_limit, _NEAR)
    better = replace(problem, n_sensors=made.enough, start=start, bound=None, gap_limit=near)
    words = f"looking for the best of {counted(made.enough, 'sensor')}"
    found = optimise(city, better, progress=SpanProgress(progress, 0.0, 0.999, words))
    if _falls_short(found):
        return made
    return replace(made, network=found)

"""Fields of a problem that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spineq.errors import ProblemError, shown

if TYPE_CHECKING:
    from spineq.model.problem import Problem


def check_together(problem: Problem) -> None:
    """Check that a problem's fields do not contradict each other.

    Raises
    ------
    ProblemError
        They do; it says which, and what to leave out.
    """
    _check_number(problem)
    _check_reach(problem)
    _check_changes(problem)
    _check_kinds(problem)
    _check_failing(problem)
    limits = [n for n in ("max_per_region", "min_per_region") if getattr(problem, n) is not None]
    if problem.region is None and limits:
        msg = f"{limits[0]} is given, but not what the regions are"
        mend = "Name the column of the sites that says so with region"
        raise ProblemError(msg, field=limits[0], mend=mend)
    if problem.region is not None and not limits:
        msg = f"the region {shown(problem.region)} is given, but no limit for it"
        mend = "Give max_per_region or min_per_region, or leave region out"
        raise ProblemError(msg, field="region", mend=mend)
    if problem.aversion > 0 and problem.objective != "mean":
        msg = f"aversion is between people, and objective {problem.objective!r} between groups"
        raise ProblemError(msg, field="aversion", mend="Give one of them")
    if problem.aversion_form == "atkinson" and problem.aversion >= 1:
        msg = f"an aversion of {problem.aversion:g} has no Atkinson form here: from 1 on, who is "
        msg += "not covered at all would weigh more than all others"
        mend = "Give an aversion below 1, or use the form kolm_pollak"
        raise ProblemError(msg, field="aversion", mend=mend)
    if problem.aversion > 0 and problem.at_least:
        msg = "at_least is about coverage, and aversion counts something else than coverage"
        raise ProblemError(msg, field="at_least", mend="Give one of them")
    kept = () if problem.keep == "existing" else problem.keep
    for name, others, word in (
        ("forbid", kept, "kept"), ("start", kept, "kept"), ("start", problem.forbid, "forbidden"),
    ):  # fmt: skip
        both = sorted(set(getattr(problem, name)) & set(others))
        if both:
            role = "to start from" if name == "start" else "forbidden"
            msg = f"site {shown(both[0])} is both {role} and {word}"
            raise ProblemError(msg, field=name, mend="Leave it out of one of them")


def _check_number(problem: Problem) -> None:
    """Check what says how many sensors there may be."""
    other = problem.budget is not None or bool(problem.reach) or problem.changes_existing
    if problem.n_sensors is None and not other:
        msg = "the number of sensors is missing"
        mend = "Say how many sensors to place, or give a budget and site_cost"
        raise ProblemError(msg, field="n_sensors", mend=mend)
    if problem.n_sensors is not None and problem.budget is not None:
        msg = f"both n_sensors ({problem.n_sensors}) and a budget ({problem.budget:g}) are given"
        raise ProblemError(msg, field="budget", mend="Give one of them")
    by_kind = problem.site_cost is None and any(kind.cost > 0 for _, kind in problem.kinds)
    if (problem.budget is None) != (problem.site_cost is None) and not by_kind:
        if problem.site_cost is None:
            msg, field = "there is a budget, but not what a sensor costs at each site", "budget"
            mend = "Name the column of the sites that says so with site_cost"
        else:
            msg, field = "there is a site_cost, but no budget to pay from", "site_cost"
            mend = "Give a budget instead of n_sensors, or leave site_cost out"
        raise ProblemError(msg, field=field, mend=mend)


def _check_reach(problem: Problem) -> None:
    """Check what cannot be asked beside the fewest sensors."""
    if not problem.reach:
        return
    if problem.n_sensors is not None or problem.budget is not None:
        field = "n_sensors" if problem.n_sensors is not None else "budget"
        msg = f"reach asks for the fewest sensors, and {field} says how many there may be"
        raise ProblemError(msg, field=field, mend="Give one of them")
    if problem.objective != "mean" or problem.aversion > 0 or problem.at_least:
        field = "at_least" if problem.at_least else "objective"
        field = "aversion" if problem.aversion > 0 else field
        msg = f"reach asks for the fewest sensors, and {field} for the best of so many"
        raise ProblemError(msg, field=field, mend="Give one of them")
    if problem.start:
        msg = "the fewest sensors are looked for from nothing, and there is a network to start from"
        raise ProblemError(msg, field="start", mend="Leave start out")


def _check_changes(problem: Problem) -> None:
    """Check what cannot be asked where existing sensors are taken away or moved."""
    if not problem.changes_existing:
        return
    which = "retire" if problem.retire else "move_at_most"
    if problem.keep == "existing":
        msg = f"keep says that all existing sensors stay, and {which} that some do not"
        mend = "Leave keep out: whatever is not taken away or moved stays"
        raise ProblemError(msg, field=which, mend=mend)
    beside = {
        "reach": bool(problem.reach),
        "budget": problem.budget is not None,
        "region": problem.region is not None,
        "start": bool(problem.start),
    }
    for field, given in beside.items():
        if given:
            msg = f"{which} is about the sensors of today, which {field} does not go with"
            raise ProblemError(msg, field=field, mend="Give one of them")


def _check_kinds(problem: Problem) -> None:
    """Check what cannot be asked with several kinds of sensors."""
    if not problem.kinds:
        return
    beside = {
        "reach": bool(problem.reach),
        "retire": problem.retire > 0,
        "move_at_most": problem.move_at_most > 0,
        "region": problem.region is not None,
        "start": bool(problem.start),
    }
    for field, given in beside.items():
        if given:
            msg = f"kinds of sensors and {field} do not go together"
            raise ProblemError(msg, field=field, mend="Give one of them")
    costs = any(kind.cost > 0 for _, kind in problem.kinds)
    if costs and problem.budget is None:
        msg = "the kinds have a cost, but there is no budget to pay from"
        raise ProblemError(msg, field="kinds", mend="Give a budget, or leave the costs out")
    limits = [kind.n_sensors for _, kind in problem.kinds]
    most = None if None in limits else sum(limit or 0 for limit in limits)
    if problem.n_sensors is not None and most is not None and problem.n_sensors > most:
        msg = f"n_sensors is {problem.n_sensors:,}, and the kinds have {most:,} together"
        raise ProblemError(msg, field="n_sensors", mend="Ask for fewer, or for more of a kind")


def _check_failing(problem: Problem) -> None:
    """Check what cannot be asked where sensors may fail."""
    chance = problem.failure_probability
    if chance == 0.0:
        return
    if chance >= 1.0:
        msg = "failure_probability must be below 1: sensors that fail for sure cover nobody"
        raise ProblemError(msg, field="failure_probability", mend="Give for example 0.05")
    beside = {
        "objective": problem.objective != "mean",
        "aversion": problem.aversion > 0,
        "at_least": bool(problem.at_least),
        "reach": bool(problem.reach),
        "retire": problem.retire > 0,
        "move_at_most": problem.move_at_most > 0,
        "kinds": bool(problem.kinds),
    }
    for field, given in beside.items():
        if given:
            msg = f"failure_probability is about the mean coverage to be expected, and {field} "
            msg += "is honoured only for sensors that never fail"
            raise ProblemError(msg, field=field, mend="Give one of them")
    if problem.method in ("branch_bound", "milp", "random"):
        msg = f"the method {problem.method!r} cannot honour that sensors may fail"
        mend = 'Ask for method "auto", which is "lagrangian" then, "exchange" or "greedy"'
        raise ProblemError(msg, field="method", mend=mend)

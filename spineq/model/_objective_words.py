"""What a network was asked to be, in words: its sensors, its rules, what is maximised."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from spineq.model.groups import Group, title_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from spineq.model.network import Network
    from spineq.model.problem import Problem

#: What a problem may maximise.
Maximised = Literal["mean", "equivalent", "expected", "worst", "worst_share"]

# What cannot be, what the best is, and a name for the figure, by what was maximised.
_CANNOT = {
    "mean": "can cover more than {bound}",
    "equivalent": "can bring the equally-distributed equivalent coverage above {bound}",
    "expected": "can be expected to cover more than {bound}",
    "worst": "can bring the worst-off group above {bound}",
    "worst_share": "can give every group more than {bound} of what it could have alone",
}
_BEST = {
    "mean": "covers more",
    "equivalent": "has a higher equally-distributed equivalent coverage",
    "expected": "can be expected to cover more",
    "worst": "covers its worst-off group better",
    "worst_share": "gives every group a larger share of what it could have alone",
}
_FIGURE = {
    "mean": "What was maximised",
    "equivalent": "Equally-distributed equivalent",
    "expected": "Coverage to be expected",
    "worst": "Worst-off group",
    "worst_share": "Smallest share of own best",
}


def counted(n: int, what: str) -> str:
    """Count things: ``1 sensor``, ``2,000 sensors``."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def in_a_list(words: Sequence[str]) -> str:
    """List one or more words: ``A``, ``A and B``, ``A, B and C``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def percent(value: float) -> str:
    """Format a share as percent with one decimal."""
    return f"{100 * value:.1f} %"


def points(change: float) -> str:
    """Write a change of a share in percentage points: ``+1.2``, ``0.0``, with a proper minus."""
    rounded = round(100 * change, 1)
    sign = "" if rounded == 0 else "+" if rounded > 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(rounded):.1f}"


def percent_up(value: float, decimals: int) -> str:
    """Format a share as percent, rounded up: what is claimed as a bound must be one."""
    return f"{math.ceil(value * 100 * 10**decimals - 1e-6) / 10**decimals:.{decimals}f} %"


def gap_words(gap: float) -> str:
    """Format a gap as percent, rounded up: one decimal, or one figure that is not 0."""
    figures = math.ceil(-math.log10(max(100 * gap, 1e-4)) - 1e-9)
    return percent_up(gap, max(figures, 1))


def in_a_sentence(title: str) -> str:
    """Write a group's title as it stands within a sentence: ``NHS staff`` stays as it is."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def owed(problem: Problem) -> tuple[tuple[str, Group, float], ...]:
    """Floors of groups, with the name that each group has in an answer.

    A group that is owed something may have the name of another group of the problem.
    """
    own = dict(problem.groups)
    return tuple(
        (name if name not in own or own[name].same_people(group) else f"{name} owed", group, level)
        for name, group, level in problem.at_least
    )


def maximised(problem: Problem) -> Maximised:
    """What a problem maximises: ``mean``, ``equivalent``, ``expected``, ``worst``, ``worst_share``.

    ``expected`` is the mean coverage to be expected where sensors may fail.
    """
    if problem.objective != "mean":
        return problem.objective
    if problem.failure_probability > 0.0:
        return "expected"
    return "equivalent" if problem.aversion > 0 else "mean"


def figure_name(problem: Problem) -> str:
    """Name what is maximised, for a table."""
    return _FIGURE[maximised(problem)]


def objective_table(network: Network) -> pd.DataFrame:
    """`Network.table` of the groups in the objective."""
    table = network.table()
    return table[table["weight"] > 0]


def objective_words(network: Network) -> str:
    """Name the groups of the objective."""
    weighted = objective_table(network)
    if len(weighted) == 1:
        return in_a_sentence(str(weighted["title"].iloc[0]))
    listed = ", ".join(
        f"{_weight(row['weight'])} {in_a_sentence(str(row['title']))}"
        for row in weighted.to_dict("records")
    )
    return f"the groups (weighted {listed})"


def _weight(share: float) -> str:
    """Write a weight as percent, without decimals where it has none."""
    whole = abs(100 * share - round(100 * share)) < 0.05
    return f"{100 * share:.0f} %" if whole else percent(share)


def worst_title(network: Network) -> str:
    """Title of the worst-off group, as it stands within a sentence."""
    titles = network.dataset["group_title"]
    return in_a_sentence(str(titles.sel(group=network.worst_group).item()))


def worst_of(network: Network) -> str:
    """Begin a sentence about the worst-off group: of all, or of those that were asked for."""
    some = bool((network.table()["weight"] == 0).any())
    return "Of the groups that count here, the worst-off" if some else "The worst-off group"


def value_words(network: Network) -> str:
    """Say how good a network is, in the terms of what was maximised."""
    value, mean = percent(network.objective_value), percent(network.total_coverage)
    whom, problem = objective_words(network), network.problem
    kind = maximised(problem)
    if kind == "mean":
        return f"the mean coverage of {whom} is {mean}"
    if kind == "equivalent":
        form = ", Atkinson's" if problem.aversion_form == "atkinson" else ""
        return (
            f"the equally-distributed equivalent coverage of {whom} is {value} "
            f"(inequality aversion {problem.aversion:g}{form}), the mean {mean}"
        )
    if kind == "expected":
        return (
            f"the coverage of {whom} to be expected when each sensor fails with a probability of "
            f"{100 * problem.failure_probability:g} % is {value}, with all at work {mean}"
        )
    if kind == "worst":
        said = f"the worst-off group ({worst_title(network)}) is covered {value}"
    else:
        said = f"every group has at least {value} of the coverage that it could have alone"
    return f"{said}; the mean coverage of {whom} is {mean}"


def explained(network: Network) -> str:
    """Say what the figure that was maximised means, where that is not plain; else nothing."""
    if maximised(network.problem) == "expected":
        stay = ", also those that stay" if network.n_kept else ""
        return (
            f"Sensors fail independently of each other{stay}; who is near several counts by the "
            "best of those at work. The figures below are with all at work."
        )
    if maximised(network.problem) != "equivalent":
        return ""
    return (
        f"Were everyone covered {percent(network.objective_value)}, that would be as good to "
        "someone of this aversion to inequality."
    )


def stay_words(kept: int) -> str:
    """Say how many sensors stand already, ``""`` without any: `` beside the 5 that stay``."""
    if kept == 0:
        return ""
    return " beside the one that stays" if kept == 1 else f" beside the {kept:,} that stay"


def sensors_words(network: Network) -> str:
    """Count a network's sensors, those that stay apart: ``20 sensors beside the 5 that stay``."""
    n, kept = network.n_sensors - network.n_kept, network.n_kept
    return f"{counted(n, 'sensor')}{kinds_words(network)}{stay_words(kept)}"


def kinds_words(network: Network) -> str:
    """Count the sensors of each kind, ``""`` without kinds: `` (5 reference, 50 low-cost)``."""
    if "sensor_kind" not in network.dataset:
        return ""
    found = network.dataset["sensor_kind"].to_numpy().tolist()
    return f" ({', '.join(f'{found.count(k):,} {k}' for k, _ in network.problem.kinds)})"


def budget_words(network: Network) -> str:
    """Say what there was to spend and what is spent, ``""`` without a budget."""
    budget = network.problem.budget
    if budget is None:
        return ""
    spent = network.spent
    of_it = "" if spent is None else f", of which {spent:,g} {'is' if spent == 1 else 'are'} spent"
    return f" for a budget of {budget:,g}{of_it}"


def asked_network(network: Network) -> str:
    """Name the networks that were to choose from: ``network of 20 sensors``."""
    problem = network.problem
    rules = ("forbid", "region", "min_spacing", "at_least", "kinds")
    allowed = any(bool(getattr(problem, name)) for name in rules)
    if problem.changes_existing:
        return f"{'allowed ' if allowed else ''}way to {change_words(problem)}"
    if problem.n_sensors is None:
        size = f"for a budget of {problem.budget:,g}"
    else:
        n = problem.n_sensors
        size = "of one sensor" if n == 1 else f"of {counted(n, 'sensor')}"
    return f"{'allowed ' if allowed else ''}network {size}{stay_words(network.n_kept)}"


def change_words(problem: Problem) -> str:
    """Say what is done to today's sensors: ``take away 5 of today's sensors and add 3``."""
    today, other = " of today's sensors", " others" if problem.move_at_most > 1 else " other"
    done = [f"take away {problem.retire:,}{today}"] if problem.retire else []
    if problem.move_at_most:
        whom = other if done else today
        done.append(f"move at most {problem.move_at_most:,}{whom}")
    done += [f"add {problem.n_sensors:,}"] if problem.n_sensors else []
    return in_a_list(done)


def changed_words(network: Network) -> str:
    """Say what became of the sensors of today, where some may go; else nothing."""
    today = network.dataset.attrs.get("today")
    if today is None:
        return ""
    today, gone = int(today), len(network.gone)
    new, stay = network.n_sensors - network.n_kept, today - gone
    away = min(gone, network.problem.retire)
    moved = min(gone - away, new)
    of = "the one place" if today == 1 else f"the {today:,} places"
    parts = [f"Of {of} with a sensor today, {stay:,} keep{'s' if stay == 1 else ''} it"]
    if away:
        parts.append(f"{away:,} {'is' if away == 1 else 'are'} given up")
    if moved:
        parts.append(f"{moved:,} {'is' if moved == 1 else 'are'} moved elsewhere")
    if lost := gone - away - moved:
        # With a spacing, one new place may be worth more than two old ones.
        parts.append(f"{lost:,} {'has' if lost == 1 else 'have'} no room beside the others")
    said = in_a_list(parts)
    added = new - moved
    plural = "s are" if added != 1 else " is"
    said += f"; {added:,} sensor{plural} added." if added else "."
    before, after = network.dataset.attrs["today_coverage"], network.total_coverage
    return f"{said} The mean coverage is {percent(float(before))} today, and then {percent(after)}."


def reached_words(problem: Problem) -> str:
    """Say what the fewest sensors were to reach: ``66+ 45.0 %``; or what there is today."""
    if isinstance(problem.reach, str):
        return "what today's sensors give every group, each counted at its area's point"
    levels = [
        f"{in_a_sentence(title_of(name, group))} {percent(level)}"
        for name, group, level in problem.reach
    ]
    return f"the coverage asked for ({', '.join(levels)})"


def fewest_words(network: Network) -> str:
    """Say how few sensors are enough, and how few are provably not."""
    placed, too_few = network.n_sensors - network.n_kept, network.too_few
    goal, more = reached_words(network.problem), " more" if network.n_kept else ""
    if network.stopped:
        return f"How few{more} sensors reach {goal} is not known: the search was stopped early."
    if placed == 0:
        return f"The sensors that stay already reach {goal}: no more are needed."
    verb = "reaches" if placed == 1 else "reach"
    said = f"{counted(placed, f'{more[1:]} sensor'.strip())} {verb} {goal}"
    if network.proven and placed == 1:
        return f"Proven fewest: {said}; without it that is not reached."
    if network.proven:
        return f"Proven fewest: {said}; {too_few:,} cannot."
    if too_few:
        between = (
            f"{placed - 1:,}" if placed - 1 == too_few + 1 else f"{too_few + 1:,} to {placed - 1:,}"
        )
        return f"{said}; {too_few:,} provably cannot. Whether {between} can is not known."
    return f"{said}. Whether fewer can is not known."


def certificate(network: Network) -> str:
    """Write `Network.certificate`."""
    if network.too_few is not None:
        return fewest_words(network)
    bound, gap = network.upper_bound, network.gap
    kind = maximised(network.problem)
    if bound is None or gap is None:
        if network.stopped:
            why = "the search for a bound was stopped early"
        elif network.problem.bound == "none":
            why = "no bound was asked for"
        else:
            why = "not every sensor stands at a site"
        return f"How far this is from the best is not known: {why}."
    if network.proven:
        return f"Proven best: no {asked_network(network)} {_BEST[kind]}."
    # In words of what is lost where that is little, of what is reached where it is much.
    reached = math.floor(1000 * (1 - gap) + 1e-9) / 10
    near = (
        f"is within {gap_words(gap)} of" if gap < 0.05 else f"reaches at least {reached:.1f} % of"
    )
    # With one decimal, as all coverage is written: how near the two are, the gap says.
    said = percent_up(bound if kind == "worst_share" else min(bound, 1.0), 1)
    return (
        f"No {asked_network(network)} {_CANNOT[kind].format(bound=said)}, "
        f"so this one {near} the best possible."
    )


def rules_words(network: Network) -> list[str]:
    """Say which rules a network keeps, and what they cost it, in sentences."""
    problem = network.problem
    rules = []
    if problem.min_spacing > 0:
        rules.append(f"at least {problem.min_spacing:,g} m between sensors")
    for limit, word in ((problem.max_per_region, "most"), (problem.min_per_region, "least")):
        if limit is not None:
            many = f"{limit:,}" if isinstance(limit, int) else "so many as was said"
            rules.append(f"at {word} {many} for each {problem.region}")
    if problem.forbid:
        rules.append(f"no sensor at {counted(len(problem.forbid), 'forbidden site')}")
    lines = [f"The rules: {', '.join(rules)}."] if rules else []
    if changed := changed_words(network):
        lines.insert(0, changed)
    placed, asked = network.n_sensors - network.n_kept, problem.n_sensors
    if problem.changes_existing:
        asked = None
    if asked is not None and placed < asked and not network.stopped and network.method != "given":
        lines.append(
            f"Only {placed:,} of the {asked:,} sensors asked for are placed: by the rules, "
            "no more have room beside them, or none that would add to it."
        )
    coverage = {
        str(name): float(covered)
        for name, covered in zip(
            network.dataset["group"].to_numpy(), network.group_coverage.to_numpy(), strict=True
        )
    }
    titles = {
        name: f"{in_a_sentence(title_of(name, group))} {percent(level)}"
        for name, group, level in owed(problem)
    }
    below = [
        f"{titles[name]}, and they have {percent(coverage[name])}"
        for name, _, level in owed(problem)
        if coverage[name] < level * (1.0 - 1e-9)
    ]
    if below:
        lines.append(f"What was owed is not reached: {'; '.join(below)}.")
    elif titles:
        lines.append(f"Every group has at least what it was owed: {', '.join(titles.values())}.")
    return lines


def equity_words(network: Network) -> str:
    """Say how evenly coverage is spread, where that is known."""
    covered = []
    if len(objective_table(network)) > 1 and maximised(network.problem) != "worst":
        worst = percent(network.worst_group_coverage)
        group = in_a_sentence(worst_of(network))
        covered.append(f"{group} ({worst_title(network)}) is covered {worst}")
    if (tenth := network.worst_tenth) is not None:
        verb = "" if covered else " is covered"
        covered.append(f"the worst-covered tenth of people{verb} {percent(tenth)} on average")
    over = f"{network.gini_areas:.2f} over areas"
    if (people := network.gini_people) is not None:
        over += f" and {people:.2f} over people"
    uneven = f"the Gini coefficient of coverage is {over} (0 where all are covered alike)"
    said = "; ".join(filter(None, [", ".join(covered), uneven]))
    return f"{said[:1].upper()}{said[1:]}."


def own_best_words(network: Network) -> str:
    """Say what share of its own best each group has, where that is known; else nothing."""
    titles = network.dataset["group_title"].to_numpy()
    listed = ", ".join(
        f"{in_a_sentence(str(title))} {percent(share)}"
        for title, share in zip(titles, network.share_of_own_best.to_numpy(), strict=True)
        if not math.isnan(share)
    )
    if not listed:
        return ""
    return f"Of what it could have alone, each group has: {listed}."

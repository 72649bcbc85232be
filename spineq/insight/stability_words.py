"""What a `Stability` says, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.model._objective_words import counted, gap_words, in_a_list

if TYPE_CHECKING:
    from spineq.insight.stability import Stability

#: Share of scenarios that is called most of them.
MOST = 0.9

#: Share of scenarios for which it is said how near the network is to the best.
_NEARLY_ALL = 0.95


def share(value: float) -> str:
    """Write a share of scenarios as percent, never 0 or 100 where it is not that."""
    rounded = round(100.0 * value)
    if rounded == 0 and value > 0.0:
        return "less than 1 %"
    if rounded == 100 and value < 1.0:
        return "more than 99 %"
    return f"{rounded} %"


def summary(found: Stability) -> str:
    """Write `Stability.summary`."""
    lines = [_asked(found), _how(found)]
    if found.n_scenarios:
        lines += filter(None, [_places(found), _least(found), worth(found), _certain(found)])
    lines.append(_left_out(found))
    return "\n".join(lines)


def _asked(found: Stability) -> str:
    n = found.n_scenarios
    where = found.city_name or "The city"
    said = f"{where}: where to put {counted(len(found.table), 'sensor')} was worked out again in "
    if not found.stopped:
        return f"{said}{counted(n, 'scenario')}."
    return f"{said}{n:,} of {counted(found.n_asked, 'scenario')}, then it was stopped."


def _how(found: Stability) -> str:
    parts = []
    if found.poisson or found.people_error != 0.0:
        why = ["as counts vary by chance"] if found.poisson else []
        if isinstance(found.people_error, str):
            why.append(f"by the relative error in the column {found.people_error}")
        elif found.people_error:
            why.append(f"by a relative error of {100 * found.people_error:g} %")
        parts.append(f"the number of people in every area differs {' and '.join(why)}")
    if found.theta is not None:
        low, high = found.theta
        parts.append(f"theta lies between {low:,g} and {high:,g} {found.unit}")
    if found.n_listed > 1:
        parts.append(f"{counted(found.n_listed, 'listed change')} of the question take turns")
    said = "; ".join(parts)
    said = f"From scenario to scenario {said}." if parts else ""
    if found.n_listed == 1:
        said = f"In every scenario the question is changed as the list says. {said}".rstrip()
    return said or "Nothing differs from one scenario to the next."


def _places(found: Stability) -> str:
    """How many sensors have a place that most scenarios agree on."""
    table = found.table
    n, near = len(table), f"{found.near:,g} m"
    some_near = int((table["near"] >= MOST).sum())
    usual = table["chosen"].median()
    most = f"at least {MOST:.0%} of the scenarios".replace("%", " %")
    if n == 1:
        return found.sentence(1)
    same = int((table["chosen"] >= MOST).sum())
    said = (
        f"For {some_near:,} of the {n:,} sensors, {most} place one within {near}, and for {same:,} "
        "at the very same site"
    )
    if np.isfinite(usual):
        said += f"; a typical sensor's own site is chosen in {share(usual)} of them"
    return f"{said}."


def _least(found: Stability) -> str:
    """The sensor whose place is the least certain."""
    table = found.table
    if len(table) < 2 or table["near"].min() == table["near"].max():
        return ""
    number = int(table.index[int(np.argmin(table["near"].to_numpy()))])
    row: Any = table.loc[number]
    place = row["site"] or f"{row['x']:.0f}, {row['y']:.0f}"
    return (
        f"The least certain place is that of sensor {number} ({place}): one is placed within "
        f"{found.near:,g} m of it in {share(row['near'])}."
    )


def worth(found: Stability) -> str:
    """Say how near the network is to the best of each scenario; nothing without scenarios."""
    lost = found.scenarios["lost"].to_numpy()
    n = len(lost)
    if not n:
        return ""
    best = "possible" if found.scenarios["upper_bound"].notna().all() else "that was found"
    worst = max(float(lost.max()), 0.0)
    if worst <= 1e-9:
        every = "the scenario" if n == 1 else "every scenario"
        return f"In {every} this network is as good as the best {best}."
    worst_said = f"within {gap_words(worst)} of the best {best}"
    if n == 1:
        return f"In the scenario this network is {worst_said}."
    # So many scenarios at least, and no value between two of them.
    nearly = max(float(np.quantile(lost, _NEARLY_ALL, method="inverted_cdf")), 0.0)
    if n < 20 or gap_words(nearly) == gap_words(worst):
        return f"In every one of the {n:,} scenarios this network is {worst_said}."
    near_said = "as good as" if nearly <= 1e-9 else f"within {gap_words(nearly)} of"
    return (
        f"In {100 * _NEARLY_ALL:.0f} % of the scenarios this network is {near_said} the best "
        f"{best}, and in the worst scenario within {gap_words(worst)}."
    )


def _certain(found: Stability) -> str:
    proven = int(found.scenarios["proven"].sum())
    n = found.n_scenarios
    if proven == n:
        return "All answers are the best by proof." if n > 1 else "The answer is the best by proof."
    rest = f"{counted(n - proven, 'answer')} of {n:,} {'is' if n - proven == 1 else 'are'}"
    gap = found.scenarios["gap"].max()
    if not np.isfinite(gap):
        return f"{rest} the best that was found, without proof that there is no better one."
    return f"{rest} not proven to be the best, but within {gap_words(gap)} of it."


def _left_out(found: Stability) -> str:
    """What the shares are about, and what they are not."""
    same = []
    if not found.poisson and found.people_error == 0.0:
        same.append("the numbers of people")
    if found.theta is None and not found.scenarios["theta"].nunique() > 1:
        same.append("theta")
    same.append("where people are within their areas")
    said = in_a_list(same)
    return (
        f"A share counts scenarios: what is the same in all of them, such as {said}, is not tested."
    )


def sentence(found: Stability, number: int) -> str:
    """Write `Stability.sentence`."""
    row: Any = found.table.loc[number]
    place = f"{row['site']}" if row["site"] else f"{row['x']:.0f}, {row['y']:.0f}, which is no site"
    if not found.n_scenarios:
        return f"Sensor {number} ({place}): no scenario was solved."
    near = f"a sensor is placed within {found.near:,g} m of it in {share(float(row['near']))}"
    of = f"of {counted(found.n_scenarios, 'scenario')}"
    if not row["site"]:
        return f"Sensor {number} ({place}): {near} {of}."
    same = f"the same site is chosen in {share(float(row['chosen']))}"
    return f"Sensor {number} ({place}): {same}, and {near} {of}."

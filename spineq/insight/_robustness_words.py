"""What a `Robustness` says of itself, in plain sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from spineq.model._objective_words import in_a_list, in_a_sentence, percent

if TYPE_CHECKING:
    from spineq.insight.withstood import Robustness, Withstood

#: Sensors up to which sentences name the place of each.
_NAMED = 6

_MADE_FOR = {
    "equivalent": "an even coverage",
    "expected": "the coverage to be expected where sensors fail",
    "worst": "the worst-off group",
    "worst_share": "the group with the smallest share of what it could have alone",
}


def summary(found: Robustness) -> str:
    """Write `Robustness.summary`."""
    total, n = found.total, found.n_sensors
    city = found.about.get("city") or "the city"
    whom = found.about.get("groups") or "the groups"
    at_work = {1: "With its one sensor", 2: "With both sensors"}.get(n, f"With all {n:,} sensors")
    lines = [f"{at_work} at work in {city}, the mean coverage of {whom} is {_in(total.coverage)}."]
    if found.about.get("objective", "mean") != "mean":
        made_for = _MADE_FOR[found.about["objective"]]
        lines.append(
            f"The network was made for {made_for}; what follows is about the mean, and then "
            "about each group."
        )
    if n == 1 and total.one_worst is not None:
        lines.append("If its one sensor fails, nobody is covered.")
    else:
        lines += [*_one(found), *_several(found)]
    lines += _by_chance(found)
    lines += _groups(found)
    if kept := int(found.table["kept"].sum()):
        stay = "sensor that stays is" if kept == 1 else f"{kept:,} sensors that stay are"
        lines.append(f"The {stay} taken to fail like any other.")
    if found.stopped:
        lines.append("The computation was stopped early; what is missing here is not known.")
    return "\n".join(lines)


def _in(value: float) -> str:
    """Write a coverage; one that is not whole is not said to be."""
    return percent(value) if value >= 1.0 else percent(min(value, 0.999))


def _at_least(value: float) -> str:
    """Write a coverage rounded down: what is claimed as a floor must be one."""
    return f"{math.floor(1000 * value + 1e-9) / 10:.1f} %"


def _number(found: Robustness, order: int) -> str:
    """Number a sensor as maps do, which number those that do not stay; the others by place."""
    row, kept = found.table.loc[order], int(found.table["kept"].sum())
    return f"{row['site'] or row['area']} (stays)" if row["kept"] else f"{order - kept}"


def _sensor(found: Robustness, order: int) -> str:
    """Name a sensor by its number and place: ``7 (E00042671)``."""
    row = found.table.loc[order]
    place = row["site"] or row["area"]
    number = _number(found, order)
    return f"{number} ({place})" if place and not row["kept"] else number


def _sensors(found: Robustness, orders: tuple[int, ...]) -> str:
    """Name some sensors, in a list."""
    many = len(orders) > _NAMED
    named = [_number(found, order) if many else _sensor(found, order) for order in orders]
    if len(named) == 1:
        return f"sensor {named[0]}"
    return f"sensors {in_a_list(named)}"


def _one(found: Robustness) -> list[str]:
    """Say what the failing of one sensor costs."""
    total = found.total
    if total.one_mean is None or total.one_worst is None or total.one_sensor is None:
        return []
    missed = f"sensor {_sensor(found, total.one_sensor)}"
    if not (found.table["lost"] > 0.0).any():
        lines = ["If any one sensor fails, nothing is lost: others cover as well."]
    else:
        remains, worst = _in(total.one_mean), _in(total.one_worst)
        said = f"If one sensor fails, {remains} remains on average over which one it is"
        lines = [f"{said}; at worst, when {missed} fails, {worst}."]
    name = "pop_total" if "pop_total" in found.groups else next(iter(found.groups))
    beyond = found.table[f"beyond {name}"]
    most = round(float(beyond.max()))
    title = in_a_sentence(found.groups[name].title)
    if most == 0:
        lines.append(f"No single failure takes the last sensor within 500 m from any of {title}.")
    else:
        order = int(beyond.index[int(beyond.to_numpy().argmax())])
        alone = "leaves as many" if (beyond.round() == most).sum() == 1 else "leaves more"
        has = "has" if most == 1 else "have"
        lines.append(
            f"Of {title}, {most:,} {has} sensor {_sensor(found, order)} and no other within 500 m: "
            f"no other single failure {alone} without one."
        )
    return lines


def _several(found: Robustness) -> list[str]:
    """Say what the failing of several sensors at once may cost."""
    k, worst, floor = found.failures, found.total.worst, found.floor
    if k == 1 or worst is None:
        return []
    if k == found.n_sensors:
        return ["If all sensors fail, nobody is covered."]
    named = _sensors(found, found.worst_sensors)
    if found.proven:
        said = f"Whichever {k:,} sensors fail, {_in(worst)} remains at worst, which is proven"
        return [f"{said}; the worst to lose together are {named}."]
    said = f"The worst {k:,} to lose together that were found are {named}: {_in(worst)} remains."
    if floor:
        proof = f"Whichever {k:,} fail, at least {_at_least(floor)} remains, which is proven."
        return [f"{said} {proof}"]
    return [f"{said} Others may be worse."]


def _chance(value: float) -> str:
    """Write a probability with as many digits as it has, up to three."""
    return f"{float(f'{100 * value:.3g}'):g} %"


def _by_chance(found: Robustness) -> list[str]:
    """Say what is to be expected where sensors fail by chance."""
    total, given = found.total, found.probability
    if given is None or total.expected is None:
        return []
    how = f"a probability of {'its own' if isinstance(given, tuple) else _chance(given)}"
    each = "its one sensor" if found.n_sensors == 1 else "each sensor"
    apart = "" if found.n_sensors == 1 else ", whether or not others do"
    lines = [f"If {each} fails with {how}{apart}, {_in(total.expected)} is to be expected."]
    low, low_from, low_to = total.low, total.low_from, total.low_to
    if low is not None and low_from is not None and low_to is not None and low > 0.0:
        sure = f"{percent(low_from)} to {percent(low_to)}"
        between = "" if percent(low_from) == percent(low_to) else f", give or take: {sure}"
        lines.append(
            f"In 19 of 20 such cases about {percent(low)} or more remains (estimated from "
            f"{found.draws:,} drawn cases{between})."
        )
    return lines


def _groups(found: Robustness) -> list[str]:
    """Say it of each group, a line each, where there is more than one."""
    if len(found.groups) < 2:
        return []
    return [f"{each.title}: {', '.join(_group(found, each))}." for each in found.groups.values()]


def _group(found: Robustness, each: Withstood) -> list[str]:
    said = [f"{_in(each.coverage)} covered"]
    if each.one_worst is not None and each.one_sensor is not None and found.n_sensors > 1:
        worst = _number(found, each.one_sensor)
        said.append(f"{_in(each.one_worst)} at worst when one fails (sensor {worst})")
    if each.worst is not None and found.failures > 1:
        said.append(f"{_in(each.worst)} without those {found.failures:,}")
    if each.expected is not None:
        said.append(f"{_in(each.expected)} to be expected")
    return said

"""Why sensors stand where they do, in sentences for whoever decides."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from spineq.model._objective_words import counted, in_a_list, in_a_sentence, percent
from spineq.model.groups import OLDEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spineq.insight._explanation import (
        Explanation,
        GroupFacts,
        PlaceFacts,
        SensorFacts,
        SolvedAgain,
    )

_EVERYONE = (0, OLDEST)

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

#: Shares of the objective below which a difference is rounding.
_ROUNDING = 1e-9

# What a network does with its objective: less, as much, more. {} is a share.
_CHANGES = {
    "mean": ("covers {} less", "covers as much", "covers {} more"),
    "equivalent": (
        "has an equally-distributed equivalent coverage that is {} lower",
        "has as high an equally-distributed equivalent coverage",
        "has an equally-distributed equivalent coverage that is {} higher",
    ),
    "expected": (
        "is expected to cover {} less",
        "is expected to cover as much",
        "is expected to cover {} more",
    ),
    "worst": (
        "covers its worst-off group {} less",
        "covers its worst-off group as much",
        "covers its worst-off group {} more",
    ),
    "worst_share": (
        "leaves the group that is furthest from its own best {} less",
        "leaves the group that is furthest from its own best as much",
        "leaves the group that is furthest from its own best {} more",
    ),
}

# Ids that are listed before the rest is counted.
_LISTED = 3


def number_word(n: int) -> str:
    """Write a number as a word up to ten: ``four``, ``11``."""
    return _NUMBERS[n] if 0 <= n < len(_NUMBERS) else f"{n:,}"


def listed(names: Sequence[str]) -> str:
    """List ids: ``A``, ``A and B``, ``A, B, C and 2 others``."""
    shown = list(names[:_LISTED])
    if (rest := len(names) - len(shown)) > 0:
        shown.append("one other" if rest == 1 else f"{number_word(rest)} others")
    return in_a_list(shown)


def share(part: float) -> str:
    """Write a share of the objective: ``0.04 %``, ``2.1 %``, ``less than 0.01 %``."""
    if part >= 0.00995:
        return f"{100 * part:.1f} %"
    return f"{100 * part:.2f} %" if part >= 5e-5 else "less than 0.01 %"


def share_down(part: float) -> str:
    """Write a share rounded down, for what is at least so much; ``""`` where nothing is left."""
    least = math.floor(part * 1e4 + 1e-9) / 100
    return f"{least:.2f} %" if least > 0.0 else ""


def change(kind: str, before: float, after: float) -> str:
    """Say what a network does compared with another: ``covers 0.04 % less``."""
    less, same, more = _CHANGES[kind]
    lost = (before - after) / before if before > 0.0 else before - after
    if abs(lost) <= _ROUNDING:
        return same
    return (less if lost > 0.0 else more).format(share_of(abs(lost), before))


def share_of(part: float, whole: float) -> str:
    """Write a share of a whole; of nothing it is one of all: ``7.9 percentage points``."""
    if whole > 0.0:
        return share(part)
    return share(part).replace(" %", " percentage points")


def _age_words(ages: tuple[int, int]) -> str:
    youngest, oldest = ages
    if oldest == OLDEST:
        return f"aged {youngest} or older"
    if youngest == 0:
        return f"aged {oldest} or younger"
    return f"aged {youngest}" if youngest == oldest else f"aged {youngest} to {oldest}"


def _number(people: float, group: GroupFacts) -> str:
    n = round(people)
    if not group.estimated or n == 0:
        return f"{n:,}"
    return f"about {round(n, -max(len(str(n)) - 3, 0)):,}"


def people_words(people: float, group: GroupFacts) -> str:
    """Count people of a group: ``1 resident``, ``620 residents aged 66 or older``."""
    number, ending = _number(people, group), "" if round(people) == 1 else "s"
    if group.ages is not None:
        ages = "" if group.ages == _EVERYONE else f" {_age_words(group.ages)}"
        return f"{number} resident{ending}{ages}"
    if group.column in ("population", "workers"):
        return f"{number} {'worker' if group.column == 'workers' else 'resident'}{ending}"
    return f"{number} of the group {in_a_sentence(group.title)}"


def _told(groups: Sequence[GroupFacts]) -> list[GroupFacts]:
    """Groups that a sentence names: those of the objective, and everybody first."""
    everyone = [group for group in groups if group.ages == _EVERYONE]
    return everyone[:1] + [group for group in groups if group.judged and group not in everyone[:1]]


def _split(
    people: dict[str, float], groups: Sequence[GroupFacts]
) -> tuple[list[GroupFacts], list[GroupFacts]]:
    """Groups that somebody is of: those that are counted, and ages of all residents."""
    told = [group for group in _told(groups) if round(people[group.name]) > 0]
    everyone = bool(told) and told[0].ages == _EVERYONE
    ages = [group for group in told[1:] if everyone and group.ages is not None]
    return [group for group in told if group not in ages], ages


def brought(people: dict[str, float], groups: Sequence[GroupFacts]) -> tuple[str, str]:
    """Count people by group.

    Returns
    -------
    tuple of str
        All residents, or those of some ages where there are no others, and who is none; and how
        many of all residents are of which age. Empty for nobody.
    """
    told, ages = _split(people, groups)
    heads = [people_words(people[group.name], group) for group in told]
    if not ages:
        return (in_a_list(heads) if heads else ""), ""
    whom = "of them" if len(heads) == 1 else "of the residents"
    counts = [
        f"{_number(people[group.name], group)} {whom + ' ' if k == 0 else ''}"
        f"{_age_words(group.ages or _EVERYONE)}"
        for k, group in enumerate(ages)
    ]
    return in_a_list(heads), in_a_list(counts)


def label(sensor: SensorFacts, *, start: bool = True) -> str:
    """Name a sensor: ``Sensor 7 at E00042671``."""
    where = f"at {sensor.site}" if sensor.site else f"in area {sensor.area}"
    name = "the sensor that stays" if sensor.kept else f"sensor {sensor.number}"
    name = f"{name[:1].upper()}{name[1:]}" if start else name
    return f"{name} {where}"


def sensor_words(sensor: SensorFacts, made: Explanation) -> str:
    """Explain one sensor in a few sentences."""
    near = f"within {made.near:,g} m"
    lines = [_brings(sensor, made, near)]
    own, without = percent(sensor.area_coverage), percent(sensor.area_coverage_without)
    area = f"Its own area is covered {own}"
    if own == without:
        lines.append(f"{area} with or without it.")
    else:
        lines.append(f"{area} with it and {without} without it.")
    if sensor.kept:
        return " ".join(lines)
    gone = change(made.kind, made.value, made.value - sensor.loss)
    lines.append(f"With nothing in its place, the network {gone}.")
    lines += filter(None, [_replaced(sensor, made), _substitutes(sensor, made)])
    return " ".join(lines)


def _brings(sensor: SensorFacts, made: Explanation, near: str) -> str:
    name = label(sensor)
    only, rest = brought(sensor.people_only, made.groups)
    every, _ = brought(sensor.people_near, made.groups)
    if only:
        said = f"{name} brings {only} their only sensor {near}"
        if rest:
            said += f", {rest}"
        return f"{said}."
    if every:
        heads, _ = _split(sensor.people_near, made.groups)
        one = len(heads) == 1 and round(sensor.people_near[heads[0].name]) == 1
        verb = "has" if one else "have"
        said = f"{name} brings nobody their only sensor {near}"
        return f"{said}: {every} {verb} it and another {near}."
    return f"{name} has nobody {near}."


def _replaced(sensor: SensorFacts, made: Explanation) -> str:
    found = sensor.replacement
    if found is None:
        if made.refused and made.stopped and sensor.refusable:
            return "What it costs to do without it is not known: the search was stopped early."
        return ""
    if found.value is None:
        if found.proven:
            return "No allowed network can do without it (proven)."
        return "No allowed network without it was found."
    best = f"the best network {'' if found.proven else 'found '}without it"
    return f"If it may not stand there, {best} {_compared(found, made, 'without it')}"


def _compared(found: SolvedAgain, made: Explanation, how: str) -> str:
    assert found.value is not None  # the caller has seen to it
    assert found.bound is not None
    said = change(made.kind, made.value, found.value)
    if found.proven:
        said += " (proven)"
    if found.comes:
        said += f", with {_sensors_at(found.comes)}"
        if how != "without it" or len(found.goes) > 1:
            said += f" instead of {_those_at(found.goes, how)}"
        else:
            said += " instead"
    elif found.goes and how != "without it":
        said += f", without {_sensors_at(found.goes)}"
    if not found.proven:
        lost = (made.value - found.bound) / made.value if made.value > 0.0 else 0.0
        least = share_down(lost)
        said += "; a better one may exist"
        if least:
            less = _CHANGES[made.kind][0].format(f"at least {least}")
            said += f", but every network {how} {less}, which is proven"
    return f"{said}."


def _sensors_at(sites: Sequence[str]) -> str:
    return f"{'a sensor' if len(sites) == 1 else 'sensors'} at {listed(sites)}"


def _those_at(sites: Sequence[str], how: str) -> str:
    if not sites:
        return "none"
    if how == "without it":
        others = f"{'the one' if len(sites) == 2 else 'those'} at {listed(sites[1:])}"
        return f"it and {others}"
    return f"{'the one' if len(sites) == 1 else 'those'} at {listed(sites)}"


def _substitutes(sensor: SensorFacts, made: Explanation) -> str:
    if sensor.n_tenth is None or sensor.n_half is None:
        return ""
    n, half = sensor.n_tenth, sensor.n_half
    if half == 0:
        return "No other place alone would do: none in its stead loses as little as 0.5 %."
    best = sensor.substitutes[0]
    if n == 0:
        verb = "loses" if half == 1 else "lose"
        places = "other place" if half == 1 else "other places"
        word = number_word(half)
        said = f"{word[:1].upper()}{word[1:]} {places} in its stead {verb} between 0.1 and 0.5 %"
    else:
        word = number_word(n)
        places = "other place" if n == 1 else "other places"
        said = f"{word[:1].upper()}{word[1:]} {places} would do almost as well"
        said += ", losing at most 0.1 %"
        if best.loss < -_ROUNDING * made.value:
            said = said.replace("almost as well, losing", "better, or lose")
            said = said if n > 1 else said.removesuffix(", or lose at most 0.1 %")
    link = "; the best is" if (n or half) > 1 else ":"
    return f"{said}{link} {best.site}, {best.metres:,.0f} m away."


def place_words(place: PlaceFacts, made: Explanation) -> str:
    """Say why a place was not chosen."""
    lines = [f"No sensor was put at {place.site}."]
    if place.nearest is not None and place.nearest_metres is not None:
        lines.append(
            f"The nearest is {label(place.nearest, start=False)}, {place.nearest_metres:,.0f} m "
            "away in a straight line."
        )
    more = place.adds / made.value if made.value > 0.0 else place.adds
    if more <= _ROUNDING:
        lines.append("As one sensor more it would add nothing.")
    else:
        added = share_of(more, made.value)
        lines.append(f"As one sensor more it would add {added} to what is reached now.")
    if not place.allowed:
        lines.append("The rules of the problem allow none there.")
        return " ".join(lines)
    if place.swap_out is not None and place.swap_value is not None:
        swapped = change(made.kind, made.value, place.swap_value)
        lines.append(
            f"The best swap puts one there in the place of {label(place.swap_out, start=False)}: "
            f"the network then {swapped}."
        )
    elif place.looked_for_swaps:
        lines.append("The rules allow it in the place of no single sensor.")
    found = place.insisting
    if found is None:
        lines.append("What it costs to insist on it is not known: the search was stopped early.")
    elif found.value is None:
        none = "No allowed network "
        lines.append(
            f"{none}has a sensor there (proven)."
            if found.proven
            else f"{none}with a sensor there was found."
        )
    else:
        best = f"The best network {'' if found.proven else 'found '}with a sensor there"
        # Whoever asks knows that the site itself comes.
        others = tuple(site for site in found.comes if site != place.site)
        lines.append(f"{best} {_compared(found.with_comes(others), made, 'with it')}")
    return " ".join(lines)


def _impossible(sensor: SensorFacts) -> bool:
    return sensor.replacement is not None and sensor.replacement.value is None


def _none_without(placed: Sequence[SensorFacts]) -> list[str]:
    """Say how many sensors no allowed network can do without, as far as it was found out."""
    found = [sensor.replacement for sensor in placed if _impossible(sensor)]
    if not found:
        return []
    of_them = "it" if len(placed) == 1 else f"{number_word(len(found))} of them"
    if all(each is not None and each.proven for each in found):
        return [f"No allowed network can do without {of_them} (proven)."]
    return [f"Without {of_them} no allowed network was found."]


def summary(made: Explanation) -> str:
    """Say what stands out."""
    placed = [sensor for sensor in made.sensors if not sensor.kept]
    kept = len(made.sensors) - len(placed)
    stay = (
        ""
        if kept == 0
        else f", and {number_word(kept)} more that {'stays' if kept == 1 else 'stay'}"
    )
    lines = [f"{counted(len(placed), 'sensor')} in {made.city or 'the city'}{stay}."]
    if made.stopped and not made.sensors:
        return "The search was stopped early, before it had looked at any sensor."
    solved = [
        (made.value - sensor.replacement.value, sensor)
        for sensor in placed
        if sensor.replacement is not None and sensor.replacement.value is not None
    ]
    if solved:
        cost, hardest = max(solved, key=lambda pair: pair[0])
        assert hardest.replacement is not None
        proven = "" if hardest.replacement.proven else " found"
        said = change(made.kind, made.value, made.value - cost)
        name = label(hardest, start=False)
        better = cost < -_ROUNDING * made.value
        if better:
            lines.append(
                f"Better networks exist: even without {name}, the hardest to do without, the best "
                f"network{proven} {said}."
            )
        else:
            lines.append(
                f"The hardest to do without is {name}: the best network{proven} without it {said}."
            )
        lines += _none_without(placed)
        few = sum(cost <= 1e-3 * made.value for cost, _ in solved)
        verb = "costs" if few == 1 else "cost"
        word = number_word(few) if few else "none"
        lines.append(
            f"Of the {len(solved):,} looked at, {word} {verb} at most 0.1 % to do without."
            if len(solved) > 1 and not better
            else ""
        )
        if all(s.replacement is None or s.replacement.proven for s in placed):
            lines.append("All of this is proven.")
        else:
            lines.append("Not all of this is proven: better networks without a sensor may exist.")
    elif placed:
        loss, hardest = max(((s.loss, s) for s in placed), key=lambda pair: pair[0])
        said = change(made.kind, made.value, made.value - loss)
        lines.append(
            f"The most is lost where {label(hardest, start=False)} is taken away and nothing put "
            f"in its place: the network then {said}."
        )
        lines += _none_without(placed)
    if made.stopped:
        lines.append("The search was stopped early: not everything was looked at.")
    if made.place is not None:
        lines.append(place_words(made.place, made))
    return " ".join(filter(None, lines))

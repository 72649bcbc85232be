"""What a report says of single places: why a sensor stands there, and what else would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spineq.insight._explain_words import share, share_down
from spineq.model._objective_words import in_a_list, maximised, percent
from spineq.model._words import counted
from spineq.report.parts import Shown, table, together, words

if TYPE_CHECKING:
    from spineq.insight._explanation import GroupFacts, SensorFacts, SolvedAgain
    from spineq.insight.alternatives import Alternative, Alternatives
    from spineq.insight.explain import Explanation
    from spineq.report.study import Study

#: Sensors in the table that is open, and in the one that can be opened.
_OPEN, _LISTED = 10, 200

#: Sites of an alternative that are named.
_NAMED = 8

#: Shares of the objective below which a difference is rounding.
_ROUNDING = 1e-9

_EACH_ALONE = (
    "Each place is looked at alone: to do without two of them at once may cost more than both "
    "apart."
)

_COVERAGE = "What is lost against this network, and the coverage of each group"

_WHAT = (
    "For each sensor: how many people are near it, what would be lost without it, and how many "
    "other places would do nearly as well in its stead."
)


def places(study: Study) -> Shown:
    """Say of every sensor whom it brings near, and what it costs to do without its place."""
    made = study.questions.explanation
    if made is None:
        return words(study.questions.lacking.get("explanation", ""))
    placed = [sensor for sensor in made.sensors if not sensor.kept]
    if not placed:
        return words("No sensor is placed anew here, so there is no place to look at.")
    facts = _Facts(study, made)
    order = sorted(placed, key=facts.lost, reverse=True)
    sums = [facts.cheap(placed), facts.proof(placed), _EACH_ALONE if len(placed) > 1 else ""]
    said = [*facts.extremes(order), " ".join(filter(None, sums))]
    if len(placed) <= _OPEN + 2:
        shown = table(facts.heads, map(facts.row, placed), facts.caption)
        return together(words(facts.about), shown, words(*said))
    first = f"The {_OPEN} sensors that are hardest to do without. {facts.caption}"
    top = table(facts.heads, map(facts.row, order[:_OPEN]), first)
    every = table(facts.heads, map(facts.row, placed[:_LISTED]), facts.caption)
    more = len(placed) - _LISTED
    rest = words(f"And {more:,} more, which are in the files." if more > 0 else "")
    folded = Shown(
        f"<details><summary>All {min(len(placed), _LISTED):,} in the order in which they were "
        f"placed</summary>{every.html}{rest.html}</details>",
        f"{every.text}\n{rest.text}",
    )
    return together(words(facts.about), top, words(*said), folded)


class _Facts:
    """What is said of the sensors of one explanation."""

    def __init__(self, study: Study, made: Explanation) -> None:
        self.study, self.made = study, made
        self.groups = self._groups()

    def _groups(self) -> list[GroupFacts]:
        """All residents, and of the other groups the one that weighs most."""
        made, weights = self.made, self.study.problem.group_weights
        people = {
            group.name: sum(sensor.people_near[group.name] for sensor in made.sensors)
            for group in made.groups
        }
        total = [group for group in made.groups if group.name == "pop_total"]
        others = [group for group in made.groups if group.judged and group not in total]
        others.sort(key=lambda each: (weights.get(each.name, 0.0), people[each.name]), reverse=True)
        return [*total, *others[:1]] or list(made.groups[:1])

    @property
    def about(self) -> str:
        """What is asked of each place."""
        questions = self.study.questions
        if questions.refuses:
            return f"{_WHAT} Without it, all the others may stand elsewhere, too."
        lost = "Lost is what goes where the sensor is taken away and nothing is put in its place"
        if not questions.by_number:
            asked = " Whether what is asked for is still reached is not looked at here."
            return f"{_WHAT} {lost}.{asked if self.study.problem.reach else ''}"
        why = (
            "was switched off (parameter refuse)"
            if self.study.parameters.refuse is False
            else "would take too long for a city of this size"
        )
        return f"{_WHAT} {lost}; to work out the best network without each place {why}."

    @property
    def heads(self) -> tuple[str, ...]:
        """Heads of the table."""
        near = [f"{g.title}{' (estimated)' if g.estimated else ''}" for g in self.groups]
        first, *others = near
        only, lost = "of them near no other", "Lost without it"
        some = ("Other places at most 0.1 % worse", "at most 0.5 % worse")
        return ("Sensor", "Place", first, only, *others, lost, *some)

    @property
    def caption(self) -> str:
        """What the table has."""
        study = self.study
        by_table = study.city.travel is not None and study.city.travel_unit == "m"
        how = study.how_far if by_table or study.city.travel is not None else ""
        return (
            f"People are those within {self.made.near:,g} m{how}; what is lost is in percent of "
            "what the network reaches"
        )

    def row(self, sensor: SensorFacts) -> tuple[str, ...]:
        """Row of the table."""
        first, *others = (group.name for group in self.groups)
        return (
            str(sensor.number),
            sensor.site or f"in {sensor.area}",
            f"{sensor.people_near[first]:,.0f}",
            f"{sensor.people_only[first]:,.0f}",
            *(f"{sensor.people_near[name]:,.0f}" for name in others),
            self._lost_words(sensor),
            "-" if sensor.n_tenth is None else f"{sensor.n_tenth:,}",
            "-" if sensor.n_half is None else f"{sensor.n_half:,}",
        )

    def _part(self, value: float) -> float:
        return value / self.made.value if self.made.value > 0.0 else value

    def lost(self, sensor: SensorFacts) -> float:
        """What is lost without a sensor, a share of what is reached; 2 where none is allowed."""
        found = sensor.replacement
        if found is None:
            # Sensors that cannot be asked about, among those that are, come last.
            return -1.0 if self.made.refused else self._part(sensor.loss)
        return 2.0 if found.value is None else self._part(self.made.value - found.value)

    def _lost_words(self, sensor: SensorFacts) -> str:
        found = sensor.replacement
        if found is None:
            return "not known" if self.made.refused else _less(self._part(sensor.loss))
        if found.value is None:
            return "no network without" if found.proven else "not known"
        lost = self.lost(sensor)
        if found.proven or found.bound is None:
            return _less(lost)
        least = share_down(self._part(self.made.value - found.bound))
        if lost <= _ROUNDING:
            return _less(lost)
        return f"{least} to {share(lost)}" if least else f"at most {share(lost)}"

    def extremes(self, order: list[SensorFacts]) -> list[str]:
        """Describe the sensors that are the hardest and the easiest to do without."""
        known = [each for each in order if self.lost(each) >= -_ROUNDING or each.replacement]
        if not known:
            return []
        hardest, easiest = known[0], known[-1]
        if len(known) == 1:
            return [self.made.sentence(hardest.number or 0)]
        return [
            f"Hardest to do without: {_lower(self.made.sentence(hardest.number or 0))}",
            f"Easiest to do without: {_lower(self.made.sentence(easiest.number or 0))}",
        ]

    def cheap(self, placed: list[SensorFacts]) -> str:
        """Count the sensors that cost little to do without: each is shown by a network."""
        if len(placed) == 1:
            return ""
        few = sum(-1.0 < self.lost(each) <= 1e-3 * (1.0 + _ROUNDING) for each in placed)
        if few == 0:
            return f"Each of the {len(placed):,} sensors costs more than 0.1 % to do without."
        verb = "could be done without at a loss of at most 0.1 %"
        return f"Of the {len(placed):,} sensors, {few:,} {verb}{' each' if few > 1 else ''}."

    def proof(self, placed: list[SensorFacts]) -> str:
        """Say how sure these losses are."""
        made = self.made
        if not made.refused:
            return ""
        asked = [each.replacement for each in placed if each.refusable]
        sure = [each for each in asked if each is not None and each.proven]
        if made.stopped:
            return "The search was stopped early: not everything was looked at."
        better = self._better(asked)
        if len(sure) == len(asked):
            return f"All of these losses are proven. {better}".strip()
        return (
            f"Of these losses, {len(sure):,} of {len(asked):,} are proven; for the others it is "
            f"said between what and what they lie. {better}".strip()
        )

    def _better(self, asked: list[SolvedAgain | None]) -> str:
        """Say where a network without a place is better than the report's."""
        values = [each.value for each in asked if each is not None and each.value is not None]
        if not values or self._part(self.made.value - max(values)) >= -_ROUNDING:
            return ""
        return (
            "Some networks without a place are better than this one, which is then not the best "
            "there is."
        )


def _less(lost: float) -> str:
    """Write what is lost, a share."""
    if abs(lost) <= _ROUNDING:
        return "nothing"
    return share(lost) if lost > 0.0 else f"gains {share(-lost)}"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def alternatives(study: Study) -> Shown:
    """Show other networks that are nearly as good."""
    found = study.questions.alternatives
    if found is None:
        return words(study.questions.lacking.get("alternatives", ""))
    m = found.min_different
    elsewhere = "one sensor stands" if m == 1 else f"{m:,} sensors stand"
    about = (
        "Where a place cannot be had, or people want to choose: the best networks in which at "
        f"least {elsewhere} elsewhere than in this network, and than in each other."
    )
    if not found.found:
        none = "there is none" if found.exhausted else "none was found"
        said = f"Of such networks {none}{', which is proven' if found.exhausted else ''}."
        return together(words(about), words(said))
    rows = [
        _network_row(study, "This network", None),
        *(_network_row(study, f"Alternative {k + 1}", each) for k, each in enumerate(found.found)),
    ]
    heads = ("Network", "Loses", "Places given up", *_titles(study))
    lines = [_moves(k + 1, each) for k, each in enumerate(found.found)]
    return together(words(about), table(heads, rows, _COVERAGE), words(*lines, _sure(found)))


def _titles(study: Study) -> list[str]:
    table_ = study.network.table()
    return [str(table_["title"][name]) for name, _ in study.groups]


def _network_row(study: Study, called: str, each: Alternative | None) -> tuple[str, ...]:
    net = study.network if each is None else each.network
    coverage = net.table()["coverage"]
    value = study.network.objective_value
    lost, goes = ("-", "-") if each is None else (
        _less(each.loss / value if value > 0.0 else each.loss),
        f"{len(each.goes):,}",
    )  # fmt: skip
    return (called, lost, goes, *(percent(float(coverage[name])) for name, _ in study.groups))


def _moves(number: int, each: Alternative) -> str:
    """Say where an alternative puts sensors instead of where."""
    comes, goes = _named(each.comes), _named(each.goes)
    said = f"Alternative {number}"
    if comes and goes:
        return f"{said} has {_sensors(each.comes)} at {comes}, and none at {goes}."
    if comes:
        return f"{said} has {_sensors(each.comes)} at {comes} more."
    return f"{said} has no sensor at {goes}." if goes else ""


def _sensors(sites: tuple[str, ...]) -> str:
    return "a sensor" if len(sites) == 1 else "sensors"


def _named(sites: tuple[str, ...]) -> str:
    """List places: all of some, the first of many."""
    shown, more = list(sites[:_NAMED]), len(sites) - _NAMED
    if more > 0:
        shown.append(counted(more, "other place"))
    return in_a_list(shown or [""])


def _sure(found: Alternatives) -> str:
    """Say what is proven of the alternatives, and what is lost is lost of."""
    kind = maximised(found.network.problem)
    of_what = "mean coverage" if kind == "mean" else "figure that was maximised"
    said = [f"What they lose is in percent of this network's {of_what}."]
    proven = [each.proven for each in found.found]
    each = "It is" if len(proven) == 1 else "Each is"
    if all(proven):
        said.append(f"{each} proven to be the best of its kind.")
    elif any(proven):
        said.append(
            f"{int(np.sum(proven)):,} of {len(proven):,} are proven to be the best of their kind."
        )
    else:
        said.append("That none of its kind is better is not proven.")
    if found.exhausted:
        said.append("There are no more, which is proven.")
    if found.stopped:
        said.append("The search was stopped early.")
    return " ".join(said)

"""What a report says of fewer sensors, and of today's that could go or move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spineq import plot
from spineq.model._objective_words import counted, percent, points
from spineq.report.parts import (
    Shown,
    heading,
    picture,
    side_by_side,
    table,
    together,
    words,
)

if TYPE_CHECKING:
    import pandas as pd

    from spineq.insight.curve import CoverageCurve
    from spineq.model.network import Network
    from spineq.report.study import Study

#: Sensors of today that are listed.
_LISTED = 60

#: Change of coverage, a share, that is none.
_NOTHING = 5e-4

#: Head of what today's sensors give, counted so that the number of the fewest follows.
_TODAY = "Today, at areas' points"


def enough(study: Study) -> Shown:
    """Say how few sensors give every group what it has today."""
    questions, today = study.questions, study.existing
    head = heading("The fewest for what every group has today")
    if not questions.wanted("fewer"):
        return words("This section was switched off (parameter sections).")
    if today is None:
        return words(
            "The data of this city have no existing sensors that could be measured, so there is "
            "nothing of today's to reach, to give up or to move."
        )
    net = questions.fewest
    if net is None:
        why = questions.lacking.get("fewest", "The existing sensors cover nobody.")
        return together(head, words(why))
    places, placed = today.n_sensors, net.n_sensors - net.n_kept
    said = [f"{net.certificate()} Today there are sensors at {counted(places, 'place')}."]
    mean = study.as_good_as_today
    if mean is not None and mean.n_sensors is not None and mean.n_sensors < placed:
        said.append(
            f"For what they give the mean of the groups where they stand, {mean.n_sensors:,} are "
            "enough."
        )
    # What is reached: each at its area's point, and not where it stands as elsewhere on the page.
    theirs = study.measured(study.city, "existing").table()
    rows, mine = [], net.table()
    for name, _ in study.groups:
        title = f"{mine['title'][name]}{' (estimated)' if mine['estimated'][name] else ''}"
        before, after = float(theirs["coverage"][name]), float(mine["coverage"][name])
        rows.append((title, percent(before), percent(after), points(after - before)))
    by = f"By {counted(placed, 'sensor')}, placed anew"
    return together(head, words(*said), table(("Group", _TODAY, by, "Change (points)"), rows))


def given_up(study: Study) -> Shown:
    """Say which of today's sensors could go at the least loss."""
    if study.existing is None or not study.questions.wanted("fewer"):
        return words()
    head, net = heading("Which to give up first"), study.questions.without_some
    if net is None:
        return together(head, words(_why_not(study, "without_some")))
    today = study.existing.total_coverage
    k, places = len(net.gone), study.existing.n_sensors
    lost = today - net.total_coverage
    which = "If one" if k == 1 else f"If {k:,}"
    goes = "has to go, the mean coverage" if k == 1 else "have to go, the mean coverage"
    said = f"{which} of the {places:,} places with a sensor today {goes} "
    if abs(lost) < _NOTHING:
        said += f"stays at {percent(today)} with the right choice: "
        said += "it adds next to nothing." if k == 1 else "they add next to nothing."
    else:
        said += f"falls from {percent(today)} to {percent(net.total_coverage)} at best."
    return together(head, words(f"{said} {_proof(net, 'loses less')}"), _gone(net, "go"))


def moved(study: Study) -> Shown:
    """Say which of today's sensors should move, and where to."""
    if study.existing is None or not study.questions.wanted("fewer"):
        return words()
    head, net = heading("Which to move first"), study.questions.with_moved
    if net is None:
        return together(head, words(_why_not(study, "with_moved")))
    today, k = study.existing.total_coverage, len(net.gone)
    if k == 0:
        return together(head, words(f"None gains by moving. {_proof(net, 'covers more')}"))
    what = "the sensors of one place" if k == 1 else f"the sensors of {k:,} places"
    said = (
        f"Moving {what} of {study.existing.n_sensors:,} to where they add most brings the mean "
        f"coverage from {percent(today)} to {percent(net.total_coverage)}."
    )
    new = net.sensors.iloc[net.n_kept :]
    rows = [
        (str(row["site"]), str(row["area"]), f"{row['x']:,.0f}", f"{row['y']:,.0f}")
        for row in new.head(_LISTED).to_dict("records")
    ]
    to = table(("New place", "Area", "x (m)", "y (m)"), rows)
    verb = (
        "Where the sensor moves to" if len(new) == 1 else f"Where the {len(new):,} sensors move to"
    )
    flat = _folded(verb, to)
    return together(head, words(f"{said} {_proof(net, 'covers more')}"), _gone(net, "move"), flat)


def _why_not(study: Study, name: str) -> str:
    said = study.questions.lacking.get(name)
    if said is not None:
        return said
    return "With sensors at a single place, or none that cover anybody, there is no choice."


def _proof(net: Network, better: str) -> str:
    """Say how sure a choice among today's sensors is."""
    if net.proven:
        return f"No other choice {better}, which is proven."
    bound = net.upper_bound
    if bound is None:
        return f"Whether another choice {better} is not known."
    return f"Another choice may be better; none reaches more than {_up(bound)}."


def _up(value: float) -> str:
    from spineq.model._objective_words import percent_up

    return percent_up(min(value, 1.0), 1)


def _gone(net: Network, verb: str) -> Shown:
    """List the sensors of today that are no longer there."""
    gone: pd.DataFrame = net.gone
    rows = [
        (str(row["sensor"]), str(row["area"]), f"{row['x']:,.0f}", f"{row['y']:,.0f}")
        for row in gone.head(_LISTED).to_dict("records")
    ]
    shown = table(("Sensor today", "Area", "x (m)", "y (m)"), rows)
    more = len(gone) - len(rows)
    rest = words(f"And {more:,} more, which are in the files." if more > 0 else "")
    number = "The one that" if len(gone) == 1 else f"The {len(gone):,} that"
    verb = f"{verb}es" if verb == "go" and len(gone) == 1 else verb
    verb = f"{verb}s" if verb == "move" and len(gone) == 1 else verb
    return _folded(f"{number} {verb}", together(shown, rest))


def _folded(summary: str, shown: Shown) -> Shown:
    return Shown(
        f"<details><summary>{summary}</summary>{shown.html}</details>", f"{summary}\n{shown.text}"
    )


def by_number(study: Study) -> Shown:
    """Draw the best coverage by number of sensors."""
    if not study.questions.wanted("fewer"):
        return words()
    head, found = heading("More or fewer sensors"), study.questions.curve
    if found is None:
        return together(head, words(study.questions.lacking.get("curve", "")))
    today = study.existing
    mark = None if today is None else (today.n_sensors, today.total_coverage)
    caption = (
        f"Each dot is the best network {'' if found.proven else 'found '}of so many sensors, all "
        "of them placed anew, for the mean coverage of the groups and without further rules."
    )
    made = picture("best-by-number", plot.curve(found, study.city, today=mark), caption=caption)
    return together(head, words(_curve(found), _next(study)), side_by_side(study.keep(made)))


def _curve(found: CoverageCurve) -> str:
    """Say how coverage grows, and how sure that is."""
    values = found.table["value"]
    few, many = int(values.index[0]), int(values.index[-1])
    verb = "covers" if few == 1 else "cover"
    said = f"{counted(few, 'sensor')}, placed best, {verb} {percent(float(values.iloc[0]))}"
    if many > few:
        said += f"; {many:,} cover {percent(float(values.iloc[-1]))}"
        half = int(values.index[values >= values.iloc[-1] / 2][0])
        if few < half < many:
            said += f", and {half:,} are enough for half of that"
    open_ = int((~found.table["proven"]).sum())
    if open_ == 0:
        sure = "Each dot is proven: no network of so many sensors does better"
    else:
        sure = f"For {counted(open_, 'number')} of sensors a better network may exist"
    stopped = " The search was stopped early." if found.stopped else ""
    return f"{said}. {sure}.{stopped}"


def _next(study: Study) -> str:
    """Say what some sensors more bring."""
    found, n = study.questions.curve, study.plain.number
    numbers = [] if found is None else [int(each) for each in found.table.index]
    if found is None or n not in numbers[:-1]:
        return ""
    more = numbers[numbers.index(n) + 1]
    here, there = (float(found.table["value"][k]) for k in (n, more))
    gain = points(there - here).lstrip("+")
    best = "best network" if bool(found.table["proven"].loc[[n, more]].all()) else "best one found"
    said = (
        f"The {best} of {counted(more, 'sensor')} covers {gain} percentage points more than that "
        f"of {n:,}"
    )
    if more == n + 1:
        return f"{said}."
    return f"{said}: about {100 * (there - here) / (more - n):.2f} for each sensor more."

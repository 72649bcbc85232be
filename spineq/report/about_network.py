"""What a report says of the network: its figures, its proof, its map, and who is near a sensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spineq import plot
from spineq.model._objective_words import figure_name, gap_words, in_a_sentence, maximised
from spineq.model._words import metres, percent, shown_table
from spineq.model.network import WITHIN
from spineq.report.parts import Picture, Shown, key_figures, picture, table, together, words

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.groups import Group
    from spineq.model.network import Network
    from spineq.model.problem import Problem
    from spineq.report.study import Study

#: Sensors listed on the page; all are in the files.
_LISTED = 60

#: Sensors of which the caption of the history speaks: there must be more than these.
_FIRST = 10


def headline(study: Study) -> Shown:
    """Give the answer in a few figures, and how sure it is."""
    net = study.network
    placed = net.n_sensors - net.n_kept
    figures = [(f"{placed:,}", "sensors placed" if placed != 1 else "sensor placed")]
    if net.problem.changes_existing:
        figures = _changes(net)
    elif net.n_kept:
        stay = (
            "place with a sensor that stays" if net.n_kept == 1 else "places with sensors that stay"
        )
        figures.append((f"{net.n_kept:,}", stay))
    if maximised(net.problem) != "mean":
        figures.append((percent(net.objective_value), figure_name(net.problem).lower()))
    several = ", groups weighted" if len(net.problem.groups) > 1 else ""
    figures.append((percent(net.total_coverage), f"coverage{several}"))
    if net.too_few is not None:
        if net.proven:
            figures.append(("proven", "fewer sensors do not reach it"))
        elif net.too_few > 0:
            figures.append((f"{net.too_few:,}", "sensors are too few, which is proven"))
    elif net.proven and net.problem.changes_existing:
        figures.append(("proven", "no other choice is better"))
    elif net.proven:
        allowed = "allowed network" if _has_rules(net.problem) else "network of so many sensors"
        figures.append(("proven", f"no {allowed} is better"))
    elif net.gap is not None:
        figures.append((gap_words(net.gap), "at most between this and the best possible"))
    said = [_near(study), *net.summary().split("\n")[:2], _centroids(study)]
    return together(key_figures(figures), words(*said))


def _changes(net: Network) -> list[tuple[str, str]]:
    """Count what becomes of the sensors of today."""
    problem, gone = net.problem, len(net.gone)
    away = min(gone, problem.retire)
    moved = min(gone - away, net.n_sensors - net.n_kept)
    added = net.n_sensors - net.n_kept - moved
    stay = "place keeps its sensors" if net.n_kept == 1 else "places keep their sensors"
    figures = [(f"{net.n_kept:,}", stay)]
    if away:
        figures.append((f"{away:,}", "given up" if away > 1 else "is given up"))
    if moved:
        figures.append((f"{moved:,}", "moved elsewhere" if moved > 1 else "is moved elsewhere"))
    if added:
        figures.append((f"{added:,}", "sensors added" if added > 1 else "sensor added"))
    return figures


def _centroids(study: Study) -> str:
    """Say what the proof does not: where people are counted, and what that hides."""
    if study.two_cities is None or study.hidden is None:
        return study.lacking_hidden
    return study.two_cities.sentence(study.hidden)


def _has_rules(problem: Problem) -> bool:
    """Whether other networks of so many sensors are not allowed."""
    asked = ("budget", "region", "forbid", "at_least", "keep", "changes_existing", "kinds")
    return problem.min_spacing > 0.0 or any(bool(getattr(problem, name)) for name in asked)


def _near(study: Study) -> str:
    """Say in people what the network brings, and what there is today."""
    mine, city = shown_table(study.network), study.city
    known = city.reported_groups(dict(study.problem.groups))
    own = [name in known and known[name].column in city.point_groups for name in mine.index]
    people = mine["people"] if all(own) else mine["people"][[not each for each in own]]
    name = str(people.idxmax())
    title = in_a_sentence(str(mine["title"][name]))
    # Points of their own may weigh differently: then it is not so many of them.
    by_weight = ", by their weights," if all(own) and _uneven(city, known[name]) else ""
    said = (
        f"{percent(float(mine['within 500 m'][name]))} of {title}{by_weight} are within 500 m of "
        f"a sensor{study.how_far}"
    )
    if study.existing is None:
        return f"{said}."
    today = float(study.existing.table()["within 500 m"][name])
    return f"{said}; by the existing sensors {percent(today)} are."


def _uneven(city: City, group: Group) -> bool:
    """Whether points of a group that stands at its own weigh differently."""
    of_group = city.points["group"] == group.column
    return int(city.points["people"][of_group].nunique()) > 1


def meaning(study: Study) -> Shown:
    """Say what coverage is."""
    unit, theta = study.city.travel_unit, study.problem.theta
    said = {
        "exponential": f"someone at a sensor counts as 100 % covered, someone {theta:,g} {unit} "
        f"from the nearest one as 37 %, and someone {2 * theta:,g} {unit} away as 14 %",
        "step": f"someone up to {theta:,g} {unit} from a sensor counts as covered, everyone else "
        "as not",
        "linear": f"someone at a sensor counts as 100 % covered, someone {theta / 2:,g} {unit} "
        f"away as 50 %, and from {theta:,g} {unit} on nobody",
        "gaussian": f"someone at a sensor counts as 100 % covered, someone {theta:,g} {unit} away "
        f"as 61 %, and someone {2 * theta:,g} {unit} away as 14 %",
    }[study.problem.decay]
    titles = study.own_titles(reported=True)
    own = f"; that of {titles}, over the points where they stand, by weight" if titles else ""
    return words(
        f"Coverage says how near people are to a sensor, not how far a sensor can measure: {said}. "
        f"A group's coverage is the mean over its people{own}. How fast it falls with distance, "
        f"{theta:,g} {unit} here, is a choice: below stands what another would change."
    )


def coverage_map(study: Study) -> Picture:
    """Draw the network on the coverage of the areas."""
    return study.keep(picture("network", plot.network(study.network, study.city)))


def history(study: Study) -> Picture:
    """Draw coverage against the number of sensors."""
    net = study.network
    said = "Sensors in the order in which they add most."
    if net.n_kept:
        said = "First those that stay, then the others in the order in which they add most."
    if net.n_sensors - net.n_kept > _FIRST:
        said += " The first ten of them are a good network of ten, though not always the best."
    if net.n_sensors == 1:
        said = "Coverage by the one sensor that is placed."
    elif net.n_sensors == net.n_kept:
        said = "Coverage by the sensors that stay."
    return study.keep(picture("by-number-of-sensors", plot.history(study.network), caption=said))


def people(study: Study) -> Shown:
    """List who is near a sensor, by group."""
    heads = ("Group", "People or total", "Coverage", *(f"within {m:,g} m" for m in WITHIN))
    rows = [
        (
            f"{row['title']}{' (estimated)' if row['estimated'] else ''}",
            f"{row['people']:,.0f}",
            percent(row["coverage"]),
            *(percent(row[f"within {m:g} m"]) for m in WITHIN),
            metres(row["median distance"]),
            metres(row["90 % within"]),
        )
        for row in shown_table(study.network).to_dict("records")
    ]
    caption = f"Share of people within so many metres of a sensor{study.how_far}"
    shown = table((*heads, "half are within", "90 % are within"), rows, caption)
    titles = study.own_titles(reported=True)
    own = (
        f"For {titles}, it is the points where they stand that are counted, each by its weight, "
        "and no people."
        if titles
        else ""
    )
    return together(shown, words(own))


def _first(k: int, placed: int) -> str:
    if k < placed:
        return "the first" if k == 1 else f"the first {k:,}"
    return "the one sensor" if k == 1 else f"all {k:,}"


def steps(study: Study) -> Shown:
    """List what a part of the sensors would cover already."""
    net, table_ = study.network, shown_table(study.network)
    placed = net.n_sensors - net.n_kept
    if placed == 0:
        return words()
    wanted = sorted({max(placed * part // 5, 1) for part in range(1, 6)})
    history = net.dataset["group_history"]
    rows = [
        (
            _first(k, placed),
            *(percent(float(history.sel(group=name)[net.n_kept + k - 1])) for name in table_.index),
        )
        for k in wanted
    ]
    beside = f" beside the {net.n_kept:,} that stay" if net.n_kept else ""
    heads = ("Sensors", *map(str, table_["title"]))
    return table(heads, rows, f"Coverage by the first sensors{beside}, for whoever buys fewer")


def sensors(study: Study) -> Shown:
    """List the sensors that are placed."""
    net = study.network
    placed = net.sensors.iloc[net.n_kept :]
    if placed.empty:
        return words("No sensor is placed anew.")
    rows = [
        (
            str(number),
            row["site"] or "-",
            row["area"],
            f"{row['x']:,.0f}",
            f"{row['y']:,.0f}",
            f"{100 * row['gain']:.2f}",
        )
        for number, row in enumerate(placed.head(_LISTED).to_dict("records"), start=1)
    ]
    heads = ("Sensor", "Site", "Area", "x (m)", "y (m)", "adds (percentage points)")
    shown = table(heads, rows)
    more = len(placed) - len(rows)
    said = f"And {more:,} more, which are in the files." if more > 0 else ""
    return Shown(
        f"<details><summary>List of the sensors</summary>{shown.html}{words(said).html}</details>",
        f"{shown.text}\n{said}",
    )

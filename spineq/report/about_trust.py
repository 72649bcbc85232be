"""What a report says of itself: how far to trust it, how it was made, from what."""

from __future__ import annotations

import json
import platform
from dataclasses import fields, replace
from importlib import metadata
from typing import TYPE_CHECKING

from spineq.errors import SpineqError
from spineq.model._objective_words import maximised, points
from spineq.model._words import cutoff_words, in_a_sentence, is_source, percent, theta_words
from spineq.report.parts import Shown, listed, table, together, words

if TYPE_CHECKING:
    from spineq.model.network import Network
    from spineq.report.study import Study

#: Libraries whose versions are told.
_LIBRARIES = ("spineq", "numpy", "scipy", "numba", "xarray", "geopandas", "shapely", "dask")


def theta(study: Study) -> Shown:
    """Say what another theta would have changed."""
    from spineq.solve import optimise

    if study.problem.reach:
        return _theta_of_fewest(study)
    net, unit = study.network, study.city.travel_unit
    rows, placed = list[tuple[str, ...]](), _placed(net)
    for factor in (0.5, 1.0, 2.0):
        other = study.problem.theta * factor
        called = f"{other:,g} {unit}{' (this report)' if factor == 1.0 else ''}"
        mine = best = net
        if factor != 1.0:
            mine = study.again(study.city, theta=other)
            try:
                best = optimise(study.city, replace(study.problem, theta=other))
            except SpineqError as error:
                rows.append((called, percent(mine.total_coverage), f"none: {error.what}", "-", "-"))
                continue
        same = len(placed & _placed(best))
        rows.append(
            (
                called,
                percent(mine.total_coverage),
                percent(best.total_coverage),
                points(mine.total_coverage - best.total_coverage),
                f"{same:,} of {len(placed):,}",
            )
        )
    heads = ("Theta", "This network", "Made for that theta", "Change (points)", "Same places")
    said = (
        "Coverage for different theta cannot be compared; what can is how much this network loses "
        "against one that is asked the same for the other theta."
    )
    mean = "Compared is the mean coverage, although something else was maximised."
    shown = table(heads, rows)
    return together(shown, words(said, mean if maximised(study.problem) != "mean" else ""))


def _theta_of_fewest(study: Study) -> Shown:
    """Say how many sensors another theta would have needed."""
    from spineq.solve import optimise

    net, unit, placed = study.network, study.city.travel_unit, _placed(study.network)
    rows = list[tuple[str, ...]]()
    for factor in (0.5, 1.0, 2.0):
        other = study.problem.theta * factor
        called = f"{other:,g} {unit}{' (this report)' if factor == 1.0 else ''}"
        try:
            best = net if factor == 1.0 else optimise(
                study.city, replace(study.problem, theta=other)
            )  # fmt: skip
        except SpineqError as error:
            rows.append((called, f"none: {error.what}", "-", "-"))
            continue
        same = len(placed & _placed(best))
        number = best.n_sensors - best.n_kept
        sure = "yes" if best.proven else "no"
        rows.append((called, f"{number:,}", sure, f"{same:,} of {len(placed):,}"))
    said = (
        "What is to be reached is measured by each theta anew, so that what differs is how many "
        "sensors it takes, and where."
    )
    return together(
        table(("Theta", "Sensors needed", "Fewest, proven", "Same places"), rows), words(said)
    )


def _placed(net: Network) -> set[tuple[float, float]]:
    """Where the sensors stand that do not stay; all of them where some of today's may go."""
    first = 0 if net.problem.changes_existing else net.n_kept
    return set(net.sensors[["x", "y"]].iloc[first:].itertuples(index=False, name=None))


def demand(study: Study) -> Shown:
    """Say what it does that people are taken to be at points."""
    two, hidden = study.two_cities, study.hidden
    if two is None or hidden is None:
        return words(study.lacking_hidden)
    if two.spread:
        said = "People of an area are taken to be at one point, its centroid, which flatters an "
        said += "area with a sensor."
        other, column = "People spread evenly", "at_points"
        more = (
            "The columns beside spread the people of each area evenly over its ground, parks and "
            "roads included, which errs the other way: the truth is likely to lie between the two."
        )
    else:
        said = (
            f"People are taken to be at the {hidden.n_points:,} points that the data have for the "
            f"{study.city.n_areas:,} areas."
        )
        other, column = "People at centroids", "at_centroids"
        more = (
            "The columns beside take the people of each area to be at one point, its centroid, as "
            "is usual where no more is known: the difference is what that would have hidden."
        )
    here = "at_centroids" if two.spread else "at_points"
    tables, heads = [hidden.table], ["Group", "This network", other]
    if study.hidden_today is not None:
        tables.append(study.hidden_today.table)
        heads += ["Existing sensors", other]
    rows = [
        (
            str(hidden.table["title"][name]),
            *(percent(float(one[which][name])) for one in tables for which in (here, column)),
        )
        for name in map(str, hidden.table.index)
    ]
    titles = study.own_titles(reported=True)
    own = f"Points of {titles} stay where they are: their figures are the same." if titles else ""
    return together(words(said), table(heads, rows), words(more, own))


def limits(study: Study) -> Shown:
    """List what the figures do not say."""
    net = study.network
    estimated = [str(title) for title in net.table()["title"][net.table()["estimated"]]]
    split = ", ".join(in_a_sentence(title) for title in estimated)
    return listed(
        f"Theta, {theta_words(net)}, is a choice and not a fact.",
        f"Estimates: {split}; the data have wider age bands, split in proportion to their years."
        if estimated
        else "",
        "Distances are straight lines: rivers, railways and hills are not seen."
        if study.city.travel is None
        else "Distances are those of the travel table; a pair that is not in it is out of reach."
        + ("" if study.city.travel_unit == "m" else " What is in metres is in a straight line."),
        "The data are as old as their source says; people have moved since."
        if study.city.attribution
        else "The data name no source, and so no year.",
        cutoff_words(net),
        "The search was stopped early." if net.stopped else "",
        "A place is one of the sites in the data; whether there is a wall or a mast, power and "
        "leave to put a sensor there, somebody has to look.",
    )


def method(study: Study) -> Shown:
    """Say how the answer was found."""
    net = study.network
    mean = maximised(net.problem) == "mean" and not net.problem.reach
    return words(
        "What is looked for is the smallest number of sensors by which every group reaches what "
        "is asked for; each person is covered by the nearest sensor."
        if net.problem.reach
        else "",
        "What is maximised is the mean coverage of the groups, by their weights: each person is "
        "covered by the nearest sensor (in the literature, facility location with a fixed number "
        "of sites, after Cornuejols, Fisher and Nemhauser 1977)."
        if mean
        else "",
        f"Method: {net.method.replace('_', ' ')}, {net.seconds:.1f} s of computing. "
        f"{net.certificate()}",
        "The same city, question and version give the same sensors on every computer.",
    )


#: Parameters that say where things are on somebody's machine, and nothing of the answer.
_NOT_TOLD = ("store", "scheduler", "output")


def parameters(study: Study) -> Shown:
    """List what was asked."""
    rows = []
    for one in fields(study.parameters):
        value = getattr(study.parameters, one.name)
        if value in (None, {}) or one.name in _NOT_TOLD:
            continue
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        if one.name == "city":
            text = study.city.name or text
        elif one.name == "theta":
            text = f"{value:,g} {study.city.travel_unit}"
        rows.append((one.name.replace("_", " "), text))
    return table(("Parameter", "Value"), rows, "What was asked; what is not here was left as usual")


def versions(study: Study) -> Shown:
    """List the versions of what computed this, and the digest of the data."""
    rows = [(name, metadata.version(name)) for name in _LIBRARIES]
    rows.append(("Python", platform.python_version()))
    rows.append(("Digest of the city", study.city.digest))
    rows.append(("Coordinates", study.city.crs.to_string()[:60]))
    said = study.city.attribution or "The data name no source."
    source = said if said.lower().startswith(("source", "the data")) else f"Source: {said}"
    fetched = [line for line in study.city.label.note.splitlines() if is_source(line)]
    sources = listed(*fetched) if fetched else words()
    return together(words(source), sources, table(("What", "Version"), rows))

"""What the summary page of a sweep says: the notebook ``sweep.ipynb`` shows these parts."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from spineq.errors import ProblemError
from spineq.model._objective_words import gap_words
from spineq.model._words import counted, percent
from spineq.report.parts import (
    Picture,
    Shown,
    key_figures,
    listed,
    picture,
    side_by_side,
    table,
    together,
    words,
)
from spineq.sweeps.figures import chosen_of
from spineq.sweeps.files import versions_here
from spineq.sweeps.summary import one_more, regret, surface
from spineq.sweeps.table import COVERAGE

if TYPE_CHECKING:
    from spineq.sweeps.table import SweepResult

#: Pictures of one kind on the page at most; the functions of `spineq.sweeps.summary` draw more.
_MOST_PICTURES = 12

#: Points in the list on the page at most; all are in the table.
_LISTED = 400

#: Points that the table shows without being unfolded.
_OPEN = 24


def headline(result: SweepResult) -> Shown:
    """Say how many points there are, and what became of them."""
    rows = result.table
    found = rows[rows["of"] == "network"]
    proven = int(found["proven"].fillna(False).astype(bool).sum())
    seconds = float(rows["seconds"].fillna(0.0).sum())
    figures = [
        (f"{result.n_points:,}", "points" if result.n_points != 1 else "point"),
        (f"{int((rows['state'] == 'finished').sum()):,}", "finished"),
        (f"{proven:,} of {len(found):,}", "networks proven best"),
        (f"{seconds:,.0f} s", "of the solvers' time"),
    ]
    if len(result.failed):
        figures.insert(2, (f"{len(result.failed):,}", "failed"))
    return together(key_figures(figures), words(*result.notes))


def failures(result: SweepResult) -> Shown:
    """List the points that failed, and why."""
    lines = [
        f"Point {number} ({row['city']}, {row['groups']}): {row['error'] or row['report_error']}"
        for number, row in result.failed.head(_LISTED).iterrows()
    ]
    return listed(*lines) if lines else words("No point failed.")


def points(result: SweepResult) -> Shown:
    """List every point with its figures."""
    rows = result.table
    asked = [name for name in ("theta", "n_sensors", "method") if name in rows]
    heads = ("Point", "City", "Task", "Groups", *(name.replace("_", " ") for name in asked))
    shown = table(
        (*heads, "Coverage", "Gap", "Seconds"),
        [
            (
                str(number),
                str(row["city"]),
                str(row["task"]),
                str(row["groups"]),
                *(_plain(row[name]) for name in asked),
                "-" if pd.isna(row["value"]) else percent(float(row["value"])),
                _gap(row),
                "-" if pd.isna(row["seconds"]) else f"{row['seconds']:.2f}",
            )
            for number, row in rows.head(_LISTED).iterrows()
        ],
    )
    more = len(rows) - _LISTED
    said = words(f"And {more:,} more, which are in points.csv." if more > 0 else "")
    if len(rows) <= _OPEN:
        return together(shown, said)
    label = html.escape(f"All {counted(len(rows), 'point')}")
    return Shown(
        f"<details><summary>{label}</summary>{shown.html}{said.html}</details>",
        f"{shown.text}\n{said.text}",
    )


def _gap(row: Any) -> str:
    if pd.isna(row["gap"]):
        return "-"
    return "proven" if bool(row["proven"]) else gap_words(float(row["gap"]))


def _plain(value: Any) -> str:
    if pd.isna(value):
        return "-"
    return f"{value:,g}" if isinstance(value, int | float) else str(value)


def surfaces(result: SweepResult) -> Shown:
    """Draw coverage over theta and the number of sensors, for each set of groups."""

    def drawn(city: str, groups: str) -> Any:
        return surface(result, city=city, groups=groups)

    return _each(result, "coverage", drawn)


def gains(result: SweepResult) -> Shown:
    """Draw what one sensor more brings, for each set of groups."""

    def drawn(city: str, groups: str) -> Any:
        return one_more(result, city=city, groups=groups)

    return _each(result, "one-more", drawn)


def _each(result: SweepResult, name: str, drawn: Callable[[str, str], Any]) -> Shown:
    """Draw a picture for each city and set of groups; what cannot be drawn is said, once each."""
    return _pictures(name, [partial(drawn, *pair) for pair in _pairs(result)])


def _pictures(name: str, drawings: Sequence[Callable[[], Any]]) -> Shown:
    """Show what each of these draws; what cannot be drawn is said, once each."""
    made: list[Picture] = []
    said: dict[str, None] = {}
    for number, draw in enumerate(drawings[:_MOST_PICTURES], start=1):
        try:
            made.append(picture(f"{name}-{number}", draw()))
        except ProblemError as error:
            said[f"{error.what[:1].upper()}{error.what[1:]}."] = None
    more = len(drawings) - _MOST_PICTURES
    if more > 0:
        said[f"{counted(more, 'picture')} more can be drawn from the table."] = None
    if not drawings:
        said["The sweep has no networks to draw."] = None
    return together(side_by_side(*made), words(*said))


def _pairs(result: SweepResult) -> Iterator[tuple[str, str]]:
    """Cities and sets of groups that have networks, in the order of the table."""
    for city in _cities_with_networks(result):
        try:
            rows = chosen_of(result, city, None, None, every=True)
        except ProblemError:
            continue  # none of its networks has a number of sensors
        for groups in dict.fromkeys(rows["groups"]):
            yield city, str(groups)


def _cities_with_networks(result: SweepResult) -> list[str]:
    rows = result.table
    return list(dict.fromkeys(map(str, rows.loc[rows["of"] == "network", "city"])))


def regrets(result: SweepResult) -> Shown:
    """Draw what groups lose by networks that were made for others, by theta and number."""
    drawings = []
    for city in _cities_with_networks(result):
        try:
            rows = chosen_of(result, city, None, None, every=True)
        except ProblemError:
            continue  # none of its networks has a number of sensors
        for theta, n in dict.fromkeys(zip(rows["theta"], rows["n_sensors"], strict=True)):
            asked: dict[str, Any] = {"city": city, "theta": float(theta), "n_sensors": int(n)}
            drawings.append(partial(regret, result, **asked))
    return _pictures("regret", drawings)


def others(result: SweepResult) -> Shown:
    """List fronts and random networks, with the best network of the same question beside them."""
    rows = result.table
    found = rows[rows["of"].isin(["knee of the front", "mean of random networks"])]
    if found.empty:
        return words("The sweep has no fronts and no random networks.")
    groups, titles = list(result.groups), dict(result.facts.get("titles", {}))
    named = (str(titles.get(name, name)) for name in groups)
    heads = ("Point", "City", "What", "theta", "sensors", "networks", *named)
    shown = table(
        heads,
        [
            (
                str(number),
                str(row["city"]),
                f"{str(row['of'])[:1].upper()}{str(row['of'])[1:]}: {row['groups']}",
                _plain(row.get("theta")),
                _plain(row.get("n_sensors")),
                _plain(row["networks"]),
                *(
                    "-" if pd.isna(row[COVERAGE + name]) else percent(float(row[COVERAGE + name]))
                    for name in groups
                ),
            )
            for number, row in found.head(_LISTED).iterrows()
        ],
        "Coverage by group: of a front at its knee, of random networks their mean",
    )
    return together(
        shown,
        words(
            "A network that is not better than random ones by much is not worth the trouble: the "
            "difference to the networks above is what placing sensors by thought brings."
        ),
    )


def origins(result: SweepResult) -> Shown:
    """Name the data and the versions that this was computed from."""
    facts = dict(result.facts)
    lines = []
    for name, about in dict(facts.get("cities", {})).items():
        called = about.get("title") or name
        lines.append(f"{called}: {about.get('attribution') or 'the data name no source.'}")
    versions = table(("What", "Version"), list(versions_here().items()))
    return together(listed(*lines), versions)

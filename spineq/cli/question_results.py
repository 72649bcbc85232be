"""Answers about a network as the commands print and write them: tables, sentences, files."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spineq.cli.files import say_where, written
from spineq.cli.printing import finite, print_json, say, text_table
from spineq.model._objective_words import counted, maximised, percent, percent_up

if TYPE_CHECKING:
    import pandas as pd

    from spineq.insight.alternatives import Alternatives
    from spineq.insight.curve import CoverageCurve
    from spineq.insight.explain import Explanation
    from spineq.insight.robustness import Robustness
    from spineq.insight.scenarios import Answer
    from spineq.insight.stability import Stability
    from spineq.model.city import City

#: Most rows that are listed on a terminal.
_LISTED = 30

#: Most ids that stand in a cell.
_IN_A_CELL = 3

#: What tables call that which is maximised.
_REACHED = {
    "mean": "coverage",
    "equivalent": "equivalent coverage",
    "expected": "expected coverage",
    "worst": "worst-off group",
    "worst_share": "smallest share",
}

_Rows = list[tuple[str, ...]]


def is_question(answer: object) -> bool:
    """Whether something is the answer to a question about a network."""
    kind = type(answer)
    return kind.__name__ in _SAID and kind.__module__.startswith("spineq.insight.")


def finish_question(answer: Any, city: City, folder: Path | None, *, as_json: bool) -> None:
    """Write the answer's files, and print JSON alone, or for people sentences and a table.

    Parameters
    ----------
    answer, city
        What was found about a network, and where.
    folder
        Where the files go; None for no files.
    as_json
        Whether to print JSON.
    """
    name, table, more, note = _SAID[type(answer).__name__]
    files = []
    if folder is not None:
        files = written(folder, lambda beside: _files(answer, city, beside, name, more))
    if as_json:
        print_json(answer.to_dict())
        return
    for line in answer.summary().splitlines():
        say(line)
    click.echo()
    rows = table(answer)
    if len(rows) > 1:
        click.echo(f"{_listed(rows)}\n")
        if note:
            say(note)
    say_where(folder, files, "all figures")


def _files(
    answer: Any,
    city: City,
    folder: Path,
    name: str,
    more: Callable[[Any, City, Path], list[Path]],
) -> list[Path]:
    described = folder / f"{name}.json"
    text = json.dumps(finite(answer.to_dict()), allow_nan=False, indent=1)
    described.write_text(f"{text}\n", encoding="utf-8")
    return [described, *more(answer, city, folder)]


def _csv(table: pd.DataFrame, path: Path) -> Path:
    table.to_csv(path, lineterminator="\n")
    return path


def _listed(rows: _Rows) -> str:
    """A table of which no more rows are shown than can be read."""
    lines = [text_table(rows[: _LISTED + 1])]
    if (more := len(rows) - 1 - _LISTED) > 0:
        lines.append(f"... and {more:,} more")
    return "\n".join(lines)


def share(part: float) -> str:
    """Write a share of what is reached: ``2.1 %``, ``0.04 %``, ``none``; one below 0 is a gain."""
    if abs(part) <= 1e-9:
        return "none"
    sign, size = "\N{MINUS SIGN}" if part < 0.0 else "", abs(part)
    if size < 5e-5:
        return f"{sign}below 0.01 %"
    return f"{sign}{100 * size:.{1 if size >= 0.00995 else 2}f} %"


def _ids(sites: Sequence[str]) -> str:
    """Some ids, and how many more there are."""
    more = len(sites) - _IN_A_CELL
    return " ".join([*sites[:_IN_A_CELL], *([f"+{more:,}"] if more > 0 else [])]) or "-"


def _explained(made: Explanation) -> _Rows:
    """A row a sensor: people near it, and what it costs to do without it."""
    everyone = made.groups[0].name if made.groups else ""
    mark = "about " if made.groups and made.groups[0].estimated else ""
    near = f"near it ({made.near:,g} m)"
    heads = ("sensor", "site", near, "near no other", "lost without", "best without it")
    rows: _Rows = [(*heads, "as good", "best of them")]
    value = made.value if made.value > 0.0 else 1.0
    for sensor in made.sensors:
        again = sensor.replacement
        cost = made.cost(sensor)
        rows.append(
            (
                "stays" if sensor.number is None else f"{sensor.number:,}",
                sensor.site or f"in {sensor.area}",
                f"{mark}{sensor.people_near.get(everyone, 0.0):,.0f}",
                f"{mark}{sensor.people_only.get(everyone, 0.0):,.0f}",
                share(sensor.loss / value),
                "-"
                if cost is None
                else share(cost / value) + ("" if again is None or again.proven else " or less"),
                "-" if sensor.n_tenth is None else f"{sensor.n_tenth:,}",
                sensor.substitutes[0].site if sensor.substitutes and sensor.n_tenth else "-",
            )
        )
    return rows


def _explained_files(made: Explanation, city: City, folder: Path) -> list[Path]:
    text = folder / "explanation.txt"
    words = [made.summary()]
    words += [made.sentence(s.site or s.area) for s in made.sensors if s.site or s.area]
    text.write_text("\n\n".join(words) + "\n", encoding="utf-8")
    return [_csv(made.table, folder / "sensors.csv"), text]


def _withstood(found: Robustness) -> _Rows:
    """A row a sensor: what is lost when it alone fails."""
    name = "pop_total" if "pop_total" in found.groups else next(iter(found.groups), "")
    rows: _Rows = [
        ("sensor", "site", "lost if it fails", "remains", "people with no other in 500 m")
    ]
    if found.total.one_worst is None:
        return rows
    for order, row in found.table.iterrows():
        rows.append(
            (
                f"{order}{' (stays)' if row['kept'] else ''}",
                row["site"] or f"in {row['area']}",
                share(float(row["lost"]) / found.total.coverage if found.total.coverage else 0.0),
                percent(max(found.total.coverage - float(row["lost"]), 0.0)),
                f"{row[f'beyond {name}']:,.0f}" if name else "-",
            )
        )
    return rows


def _withstood_files(found: Robustness, city: City, folder: Path) -> list[Path]:
    return [
        _csv(found.table, folder / "sensors.csv"),
        _csv(found.groups_table(), folder / "groups.csv"),
    ]


def _finely(value: float) -> str:
    """Write a share as percent with two decimals: of networks that are nearly alike."""
    return f"{100 * value:.2f} %"


def _others(made: Alternatives) -> _Rows:
    """A row an alternative: how much less it is, and what differs."""
    whole = made.network.objective_value or 1.0
    reached = _REACHED[maximised(made.network.problem)]
    rows: _Rows = [("network", reached, "loses", "proven", "comes", "goes")]
    rows.append(("given", _finely(made.network.objective_value), "", "", "", ""))
    for number, each in enumerate(made.found, start=1):
        proven = "yes" if each.proven else "no"
        value, lost = _finely(each.value), share(each.loss / whole)
        rows.append((f"{number}", value, lost, proven, _ids(each.comes), _ids(each.goes)))
    return rows


def _others_files(made: Alternatives, city: City, folder: Path) -> list[Path]:
    files = [_csv(made.table, folder / "alternatives.csv")]
    for number, each in enumerate(made.found, start=1):
        files.append(each.network.to_netcdf(folder / f"alternative-{number}.nc"))
    return files


def _certain(found: Stability) -> _Rows:
    """A row a sensor: how often its place is chosen."""
    from spineq.insight.stability_words import share as agreed

    rows: _Rows = [("sensor", "site", "area", "same site", f"one within {found.near:,g} m")]
    if not found.n_scenarios:
        return rows
    for number, row in found.table.iterrows():
        chosen = "-" if math.isnan(row["chosen"]) else agreed(row["chosen"])
        rows.append((f"{number}", row["site"] or "-", row["area"], chosen, agreed(row["near"])))
    return rows


def _certain_files(found: Stability, city: City, folder: Path) -> list[Path]:
    from spineq import plot

    files = [
        _csv(found.table, folder / "sensors.csv"),
        _csv(found.sites, folder / "sites.csv"),
        _csv(found.scenarios, folder / "scenarios.csv"),
    ]
    if found.n_scenarios:
        files.append(folder / "stability.png")
        plot.save(plot.stability(found, city), files[-1])
    return files


def _grown(curve: CoverageCurve) -> _Rows:
    """A row a number of sensors: the best coverage, and what is possible at most."""
    titles = list(curve.titles.values())
    rows: _Rows = [("sensors", _REACHED[curve.unit_of_value], "at most", "proven", *titles)]
    for number, row in curve.table.iterrows():
        most = "-" if math.isnan(row["bound"]) else percent_up(row["bound"], 1)
        if row["proven"]:
            most = percent(row["value"])
        groups = (percent(row[name]) for name in curve.titles)
        proven = "yes" if row["proven"] else "no"
        rows.append((f"{number:,}", percent(row["value"]), most, proven, *groups))
    return rows


def _grown_files(curve: CoverageCurve, city: City, folder: Path) -> list[Path]:
    from spineq import plot

    files = [_csv(curve.table, folder / "curve.csv")]
    if len(curve.table):
        files.append(folder / "curve.png")
        plot.save(plot.curve(curve, city), files[-1])
    return files


#: What the table of an explanation means.
_EXPLAINED = (
    "'Lost without' is for nothing in its place, 'best without it' for the best network without a "
    "sensor there: shares of what is reached now. 'As good' counts sites that in its place lose "
    "0.1 % at most."
)

#: For each answer: its name among files, its table, its further files, and what the table means.
_SAID: Mapping[str, tuple[str, Callable[[Any], _Rows], Callable[[Any, Any, Path], list[Path]], str]]
_SAID = {
    "Explanation": (
        "explanation",
        _explained,
        _explained_files,
        _EXPLAINED,
    ),
    "Robustness": (
        "robustness",
        _withstood,
        _withstood_files,
        "'Lost' is a share of the coverage with every sensor at work.",
    ),
    "Alternatives": ("alternatives", _others, _others_files, ""),
    "Stability": ("stability", _certain, _certain_files, "Shares are of the scenarios."),
    "CoverageCurve": ("curve", _grown, _grown_files, ""),
}


def finish_scenarios(
    found: tuple[list[Answer], bool], folder: Path | None, *, as_json: bool
) -> None:
    """Print, and write, what a job of `spineq stability` found: a part of its scenarios.

    Parameters
    ----------
    found
        Answers of scenarios, and whether the job was stopped before it had all.
    folder
        Where scenarios.json goes; None for no file.
    as_json
        Whether to print JSON.
    """
    answers, stopped = found
    described = {"answers": [answer.to_dict() for answer in answers], "stopped": stopped}

    def make(beside: Path) -> list[Path]:
        path = beside / "scenarios.json"
        text = json.dumps(finite(described), allow_nan=False, indent=1)
        path.write_text(f"{text}\n", encoding="utf-8")
        return [path]

    files = [] if folder is None else written(folder, make)
    if as_json:
        print_json(described)
        return
    number = counted(len(answers), "scenario")
    said = "; the job was stopped before it had the others" if stopped else ""
    say(f"{number} of a test of how certain a network's places are{said}.")
    say("spineq stability with --queue puts such jobs together, and takes what is there already.")
    rows: _Rows = [("scenario", "this network", "best found", "at most")]
    rows += [
        (
            f"{answer.number:,}",
            percent(answer.network),
            percent(answer.value),
            "-" if answer.upper_bound is None else percent_up(answer.upper_bound, 1),
        )
        for answer in answers
    ]
    click.echo(f"\n{_listed(rows)}\n")
    say_where(folder, files, "them")

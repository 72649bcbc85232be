"""A plan with its cities: all that can be wrong before anything is written or started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spineq.errors import MissingFileError, ProblemError, shown
from spineq.sweeps.config import read_plan
from spineq.sweeps.points import Plan

if TYPE_CHECKING:
    from spineq.model.city import City


@dataclass(frozen=True)
class Prepared:
    """A plan with its cities, before anything is written or started."""

    plan: Plan
    cities: Mapping[str, City]
    digest: str


def prepare(
    config: str | Path | Mapping[str, Any],
    city: str | Path | Mapping[str, str | Path] | None = None,
) -> Prepared:
    """Read a configuration and its cities; nothing is written.

    Raises
    ------
    SpineqError
        As for `spineq.sweep`.
    """
    plan = read_plan(config)
    given = _given(plan, city)
    cities = {source.name: _read(source, given, plan.file) for source in plan.cities}
    digests = {name: each.digest for name, each in cities.items()}
    return Prepared(plan, cities, plan.digest(digests))


def _given(plan: Plan, city: str | Path | Mapping[str, str | Path] | None) -> dict[str, str | Path]:
    """Files of cities by name, where they are given beside the configuration."""
    names = [source.name for source in plan.cities]
    if city is None:
        return {}
    if isinstance(city, Mapping):
        for name in city:
            if name not in names:
                msg = f"the sweep has no city {shown(name)}"
                raise ProblemError(msg, field="city", mend=f"Use {', '.join(names)}")
        return dict(city)
    wanting = [source.name for source in plan.cities if source.where is None] or names
    if len(wanting) > 1:
        msg = f"{city} could be any of the cities {', '.join(wanting)}"
        raise ProblemError(msg, field="city", mend=f'Say which: --city "{wanting[0]}={city}"')
    return {wanting[0]: city}


def _read(source: Any, given: Mapping[str, str | Path], file: str) -> City:
    from spineq.data.named import CITY_WORDS, city_named, is_built_in

    where = given.get(source.name, source.where)
    if where is None:
        msg = f"there is no city or file {shown(source.name)}, and cities are not fetched by name"
        mend = f"Give its data with --city FILE_OR_FOLDER (in Python city=), or name {CITY_WORDS}"
        raise MissingFileError(msg, file=file or None, field=source.place, mend=mend)
    options = dict(source.options)
    if is_built_in(str(where)) and options:
        msg = f"{where} is built in and takes no {next(iter(options))}"
        raise ProblemError(msg, file=file or None, field=source.place, mend="Leave it out")
    try:
        made = city_named(where, **options)
    except (TypeError, AttributeError) as error:
        msg = f"the city's options are not what read_city takes ({error})"
        raise ProblemError(msg, file=file or None, field=source.place, mend="Mend them") from error
    # A name that is a path is none that a picture could show.
    return made if source.name == source.where else made.labelled(name=_title(source.name, made))


def _title(name: str, city: City) -> str:
    return city.name if "/" in name or "\\" in name else name

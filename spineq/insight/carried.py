"""A network in few words, for a job: its problem, its places and its certificate."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, shown
from spineq.measure import measured
from spineq.model._assembly import with_gone
from spineq.model._exports import need_same_city
from spineq.model.groups import known_keys
from spineq.model.network import Network
from spineq.model.problem import Problem
from spineq.progress import SilentProgress

if TYPE_CHECKING:
    from spineq.model.city import City

_WORDS = ("problem", "places", "kept", "method", "value", "bound", "own_best")

#: Words that only some networks have.
_MORE = ("stopped", "spent", "too_few", "today", "today_coverage", "gone")

#: Columns of a place, and of a sensor that is no longer there.
_PLACE, _GONE = ["site", "area", "x", "y"], ["sensor", "area", "x", "y"]

_MEND = "Give a network as network=net"

#: What a value may differ from the one that is measured here, by rounding on another machine.
_ROUNDING = 1e-9


def carried(city: City, net: Network) -> dict[str, Any]:
    """Describe a network of a city in JSON's types, without what can be measured again.

    Raises
    ------
    ProblemError
        No network, or one whose sensors are of several kinds.
    DataError
        It is of another city.
    """
    need_same_city(net, city)
    if net.problem.kinds:
        msg = "such questions are about sensors of one kind, and this network has several"
        mend = "Measure them alike: evaluate(city, network, theta=...)"
        raise ProblemError(msg, field="network", mend=mend)
    own = net.dataset["group_own_best"].to_series().dropna()
    made: dict[str, Any] = {
        "problem": net.problem.to_dict() | {"theta": net.problem.theta},
        "places": _rows(net.sensors[_PLACE]),
        "kept": net.n_kept,
        "method": net.method,
        "value": net.objective_value,
        "bound": net.upper_bound,
        "own_best": {str(name): float(best) for name, best in own.items()},
    }
    if "gone" in net.dataset.sizes:
        attrs = net.dataset.attrs
        made |= {"today": int(attrs["today"]), "today_coverage": float(attrs["today_coverage"])}
        made["gone"] = _rows(net.gone)
    more = {"stopped": net.stopped or None, "spent": net.spent, "too_few": net.too_few}
    return made | {name: word for name, word in more.items() if word is not None}


def _rows(table: pd.DataFrame) -> list[list[Any]]:
    """Rows of two ids and two coordinates."""
    return [[str(one), str(area), float(x), float(y)] for one, area, x, y in table.to_numpy()]


def remade(city: City, words: object) -> Network:
    """Measure what `carried` described, in the same city.

    Raises
    ------
    ProblemError
        Something else than it made, or figures that the places do not have.
    DataError
        The city lacks the data of a group.
    """
    from spineq.solvers.solution import Solution

    began = time.perf_counter()
    made = known_keys(words, (*_WORDS, *_MORE), "a network", "network")
    if not set(_WORDS) <= set(made) or not isinstance(made["problem"], Mapping):
        msg = f"a network is needed, not {shown(words)}"
        raise ProblemError(msg, field="network", mend=_MEND)
    problem = Problem.from_dict(made["problem"])
    try:
        places = _table(made["places"], _PLACE)
        kept, value, bound = int(made["kept"]), float(made["value"]), made["bound"]
        bound, spent = (math.nan if n is None else float(n) for n in (bound, made.get("spent")))
        own_best = {str(name): float(best) for name, best in made["own_best"].items()}
        more = {name: int(made[name]) for name in ("today", "too_few") if name in made}
        gone = _table(made["gone"], _GONE) if "gone" in made else None
        before = float(made["today_coverage"]) if gone is not None else 0.0
        stopped = bool(made.get("stopped", False))
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise _unreadable(str(error)) from error
    if not 0 <= kept <= len(places) or not all(best > 0.0 for best in own_best.values()):
        raise _unreadable(f"{shown(kept)} stay of {len(places):,}, own bests {shown(own_best)}")
    if math.isinf(bound) or bound < 0.0 or (gone is not None and "today" not in more):
        raise _unreadable(f"bound {shown(bound)}")
    sites = _located(city, places)
    net = measured(
        city,
        problem,
        places,
        str(made["method"]),
        Solution(sites, math.nan, math.nan, stopped=stopped),
        began,
        SilentProgress(),
        kept=kept,
        own_best=own_best,
        spent=spent,
    )
    if not abs(net.objective_value - value) <= _ROUNDING:
        msg = f"the sensors reach {net.objective_value:.6g}, and not {value:.6g} as is said"
        raise ProblemError(msg, field="network", mend="Give the network as it was made")
    if gone is not None:
        net = with_gone(net, more["today"], gone, before)
    # The certificate is in the units of the objective already.
    bound = bound if math.isnan(bound) else max(bound, net.objective_value)
    few = {"too_few": more["too_few"]} if "too_few" in more else {}
    return Network(net.dataset.assign_attrs(upper_bound=bound, **few))


def _unreadable(why: str) -> ProblemError:
    msg = f"the network's places or figures cannot be read ({why})"
    return ProblemError(msg, field="network", mend=_MEND)


def _table(rows: Any, columns: list[str]) -> pd.DataFrame:
    """Table of two ids and two coordinates, all of which are finite."""
    made = [[str(one), str(area), float(x), float(y)] for one, area, x, y in rows]
    table = pd.DataFrame(made, columns=columns)
    table = table.astype(dict.fromkeys(columns[:2], object) | dict.fromkeys("xy", np.float64))
    if not np.isfinite(table[["x", "y"]].to_numpy()).all():
        msg = "a coordinate is no number"
        raise ValueError(msg)
    return table


def _located(city: City, places: pd.DataFrame) -> Any:
    """Give places their positions among the sites; returns them, (sensor,), -1 for no site."""
    ids = pd.Index(city.dataset["site"].to_numpy(), dtype=object)
    sites = ids.get_indexer(pd.Index(places["site"], dtype=object)).astype(np.int64)
    where = city.name or "the city"
    strange = places["site"][(sites < 0) & (places["site"] != "")]
    if len(strange):
        msg = f"{shown(strange.iloc[0])} is no site of {where}"
        raise ProblemError(msg, field="network", mend="Give a network of this city")
    strange = places["area"][~places["area"].isin(city.dataset["area"].to_numpy())]
    if len(strange):
        msg = f"{shown(strange.iloc[0])} is no area of {where}"
        raise ProblemError(msg, field="network", mend="Give a network of this city")
    at = sites >= 0
    moved = np.flatnonzero((places.loc[at, ["x", "y"]] != city.site_xy[sites[at]]).any(axis=1))
    if len(moved):
        msg = f"the site {shown(places.loc[at, 'site'].iloc[moved[0]])} stands elsewhere in {where}"
        raise ProblemError(msg, field="network", mend="Give a network of this city")
    if city.travel is not None and not at.all():
        msg = "travel costs are known for sites only, and a sensor stands at none"
        raise ProblemError(msg, field="network", mend="Give a network of this city")
    places.insert(0, "position", sites)
    return sites

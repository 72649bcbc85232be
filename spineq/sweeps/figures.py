"""Figures behind the pictures of a sweep: networks by theta and number, gains, regret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from spineq.errors import ProblemError, shown
from spineq.sweeps.table import COVERAGE

if TYPE_CHECKING:
    from spineq.sweeps.table import SweepResult

#: Words that the pictures are over.
_WORDS = ("theta", "n_sensors")


def gain_of_one_more(values: pd.DataFrame) -> pd.DataFrame:
    """Mean gain of each sensor between two numbers of sensors.

    Parameters
    ----------
    values
        Coverage, 0 to 1: a row a theta, a column a number of sensors.

    Returns
    -------
    DataFrame
        ``theta, from, to, gain``, in order.

    Raises
    ------
    ProblemError
        No theta has two numbers of sensors.
    """
    made = []
    for theta, row in values.iterrows():
        known = row.dropna()
        for (low, before), (high, after) in zip(
            known.iloc[:-1].items(), known.iloc[1:].items(), strict=True
        ):
            n, m = int(str(low)), int(str(high))
            made.append((theta, n, m, (after - before) / (m - n)))
    if not made:
        msg = "one number of sensors says nothing about one more"
        raise ProblemError(msg, field="n_sensors", mend="Sweep over several numbers of sensors")
    return pd.DataFrame(made, columns=["theta", "from", "to", "gain"])


def regret_table(
    result: SweepResult,
    *,
    theta: float | None = None,
    n_sensors: int | None = None,
    city: str | None = None,
    where: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """What the groups of each column lose by the network that was made for each row's.

    Parameters
    ----------
    result, theta, n_sensors, city, where
        As for `regret`.

    Returns
    -------
    DataFrame
        By label of the set of groups, twice: coverage that the column's network gives to the
        column's groups, less what the row's gives them; 0 on the diagonal. Below 0 where a
        network that was not proven best is beaten by one that was made for others.

    Raises
    ------
    ProblemError
        As for `regret`.
    """
    return regret_of(result, theta, n_sensors, city, where)[0]


def regret_of(
    result: SweepResult,
    theta: float | None,
    n_sensors: int | None,
    city: str | None,
    where: Mapping[str, Any] | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`regret_table`, and the rows of the networks that it is about."""
    chosen = chosen_of(result, city, None, where, every=True)
    for word, wanted in zip(_WORDS, (theta, n_sensors), strict=True):
        value = chosen[word].iloc[-1] if wanted is None else wanted
        chosen = chosen[chosen[word] == value]
        if chosen.empty:
            msg = f"no network of the sweep has {word} {shown(wanted)}"
            raise ProblemError(msg, field=word, mend="Name one that was computed")
    sets: Mapping[str, Mapping[str, Any]] = result.facts.get("sets", {})
    chosen = chosen[chosen["groups"].isin(list(sets))]
    labels = list(dict.fromkeys(chosen["groups"]))
    if len(labels) < 2:
        msg = "regret is between networks that were made for different groups, and there are none"
        raise ProblemError(msg, field="groups", mend="Sweep over several sets of groups")
    if len(labels) < len(chosen):
        raise _several("groups", labels)
    judged = pd.DataFrame(
        {label: _judged(chosen, sets[label]) for label in labels}, index=chosen.index
    )
    judged.index = pd.Index(chosen["groups"])
    own = pd.Series({label: judged.loc[label, label] for label in labels})
    made = own - judged
    return made.rename_axis(index="network made for", columns="judged for"), chosen


def _judged(chosen: pd.DataFrame, groups: Mapping[str, Any]) -> pd.Series[float]:
    """Weighted mean coverage of a set of groups by each network, 0 to 1."""
    weights = {name: float(group.get("weight", 1.0)) for name, group in groups.items()}
    total = sum(weights.values())
    parts = [chosen[f"{COVERAGE}{name}"] * weight / total for name, weight in weights.items()]
    made: pd.Series[float] = pd.concat(parts, axis=1).sum(axis=1, skipna=False)
    return made


def chosen_of(
    result: SweepResult,
    city: str | None,
    groups: str | None,
    where: Mapping[str, Any] | None,
    *,
    every: bool = False,
) -> pd.DataFrame:
    """Rows of the networks that a picture is about, with theta and number of sensors."""
    table = result.table
    found = table[(table["of"] == "network") & (table["state"] == "finished")].copy()
    if "theta" not in found:
        found["theta"] = 500.0
    found["theta"] = found["theta"].astype(float).fillna(500.0)
    if "n_sensors" not in found:
        found["n_sensors"] = pd.NA
    found = found[found["n_sensors"].notna()]
    asked = {"city": city, "groups": groups} | dict(where or {})
    for word, wanted in asked.items():
        if word not in found:
            msg = f"the sweep has no word {shown(word)}"
            raise ProblemError(msg, field="where", mend=f"Use {', '.join(map(str, found))}")
        if (
            wanted is None
            and word in ("city", "groups")
            and len(found)
            and not (every and word == "groups")
        ):
            wanted = found[word].iloc[0]
        if wanted is not None:
            found = found[found[word] == wanted]
        if found.empty:
            what = f"{word} {shown(wanted)}" if wanted is not None else "a number of sensors"
            msg = f"no network of the sweep has {what}"
            raise ProblemError(msg, field=word, mend="Name one that was computed")
    return found.sort_values(list(_WORDS), kind="stable")


def over_both(chosen: pd.DataFrame, column: str) -> pd.DataFrame:
    """Values by theta, a row each, and number of sensors, a column each."""
    again = chosen.duplicated(list(_WORDS))
    if again.any():
        raise _several("where", chosen.loc[again, "groups"].unique())
    made = chosen.pivot(index="theta", columns="n_sensors", values=column)
    made.columns = made.columns.astype(int)
    return made.astype(float)


def _several(field: str, labels: Sequence[Any]) -> ProblemError:
    msg = f"several networks for {', '.join(map(str, labels))} have the same theta and sensors"
    mend = 'Say which of them, such as where={"method": "greedy"}'
    return ProblemError(msg, field=field, mend=mend)

"""A network described in JSON's types."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from spineq.model.groups import Group

if TYPE_CHECKING:
    import pandas as pd

    from spineq.model.network import Network


def described(network: Network) -> dict[str, Any]:
    """Write `Network.to_dict`."""
    data, problem = network.dataset, network.problem
    areas = [str(code) for code in data["area"].to_numpy()]
    table = network.table()
    weights = problem.group_weights
    groups = dict(problem.groups)
    ages = {name: group for name, group in groups.items() if group.ages is not None}
    within = [column for column in table.columns if column.startswith("within ")]
    return {
        "lad20cd": data.attrs["city_code"],
        "city": data.attrs["city_name"],
        "n_sensors": network.n_sensors,
        "theta": problem.theta,
        "decay": problem.decay,
        "sensors": [
            {"x": row.x, "y": row.y, "oa11cd": row.area, "site": row.site, "gain": row.gain}
            | ({"kind": row.kind, "theta": row.theta} if problem.kinds else {})
            for row in network.sensors.itertuples()
        ],
        "total_coverage": network.total_coverage,
        "objective": problem.objective,
        "aversion": problem.aversion,
        "aversion_form": problem.aversion_form,
        "objective_value": network.objective_value,
        "upper_bound": network.upper_bound,
        "gap": network.gap,
        "proven": network.proven,
        "too_few": network.too_few,
        "stopped": network.stopped,
        "method": network.method,
        "kept": network.placement_history[: network.n_kept],
        "gone": network.gone.to_dict("records"),
        "spent": network.spent,
        "group_coverage": table["coverage"].to_dict(),
        "worst_group": network.worst_group,
        "worst_group_coverage": network.worst_group_coverage,
        "own_best": _finite(data["group_own_best"].to_series()),
        "share_of_own_best": _finite(network.share_of_own_best.to_series()),
        "gini_areas": network.gini_areas,
        "gini_people": network.gini_people,
        "worst_tenth": network.worst_tenth,
        "people_within": {name: dict(table.loc[name, within]) for name in table.index},
        "distance_median": _finite(table["median distance"]),
        "distance_p90": _finite(table["90 % within"]),
        "estimated_groups": [str(name) for name in table.index[table["estimated"]]],
        "placement_history": [str(area) for area in data["sensor_area"].to_numpy()],
        "coverage_history": network.coverage_history,
        "pop_age_groups": {name: _in_old_words(group) for name, group in ages.items()},
        "population_weight": math.fsum(weights[name] for name in ages),
        "workplace_weight": math.fsum(
            weights[name] for name, group in groups.items() if group.column == "workers"
        ),
        "oa_coverage": [
            {"oa11cd": code, "coverage": value}
            for code, value in zip(areas, network.area_coverage.to_numpy().tolist(), strict=True)
        ],
        "oa_weight": [
            {"oa11cd": code, "weight": value}
            for code, value in zip(areas, data["area_weight"].to_numpy().tolist(), strict=True)
        ],
        "cutoff_error": float(data.attrs["cutoff_error"]),
        "seconds": network.seconds,
        "version": data.attrs["spineq_version"],
    }


def _finite(figures: pd.Series[float]) -> dict[str, float | None]:
    return {
        str(name): float(value) if math.isfinite(value) else None for name, value in figures.items()
    }


def _in_old_words(group: Group) -> dict[str, float]:
    youngest, oldest = group.ages or (0, 0)
    return {"min": youngest, "max": oldest, "weight": group.weight}

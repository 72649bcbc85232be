"""A front described in JSON's types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spineq.model.front import Front


def described(front: Front) -> dict[str, Any]:
    """Write `Front.to_dict`."""
    data, problem = front.dataset, front.problem
    table = front.table()
    some = front.n_networks > 0
    groups = [
        {
            "name": name,
            "title": str(title),
            "people": float(people),
            "estimated": bool(estimated),
            "best": float(table[name].max()) if some else None,
            "worst": float(table[name].min()) if some else None,
        }
        for name, title, people, estimated in zip(
            front.groups,
            data["group_title"].to_numpy(),
            data["group_people"].to_numpy(),
            data["group_estimated"].to_numpy(),
            strict=True,
        )
    ]
    return {
        "lad20cd": data.attrs["city_code"],
        "city": data.attrs["city_name"],
        "n_sensors": problem.n_sensors,
        "theta": problem.theta,
        "decay": problem.decay,
        "groups": groups,
        "networks": [
            {"number": k, "coverage": dict(table.loc[k]), "sites": front.network(k)}
            for k in range(front.n_networks)
        ],
        "hypervolume": front.hypervolume,
        "archive": int(data.sizes["found"]),
        "knee": front.knee() if some else None,
        "worst_best": front.worst_best() if some else None,
        "tolerance": front.tolerance,
        "method": front.method,
        "stopped": front.stopped,
        "seconds": front.seconds,
        "version": data.attrs["spineq_version"],
    }

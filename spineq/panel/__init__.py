"""The JupyterLab panel: small views over one state.

`Panel` is all of it. Each view can be used alone in a cell: ``JobsTable(queue)``,
``NetworkMap(city)``, or over a `PanelState` of one's own.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from spineq.errors import MissingExtraError

if TYPE_CHECKING:
    from spineq.panel.app import Panel as Panel
    from spineq.panel.areas_table import AreasTable as AreasTable
    from spineq.panel.comparison import Comparison as Comparison
    from spineq.panel.controls import SetUp as SetUp
    from spineq.panel.edit_view import EditView as EditView
    from spineq.panel.following import Following as Following
    from spineq.panel.jobs_table import JobsTable as JobsTable
    from spineq.panel.map import NetworkMap as NetworkMap
    from spineq.panel.results import Results as Results
    from spineq.panel.state import PanelState as PanelState
    from spineq.panel.trade_offs import TradeOffs as TradeOffs

_HOMES = {
    "AreasTable": "areas_table",
    "Comparison": "comparison",
    "EditView": "edit_view",
    "Following": "following",
    "JobsTable": "jobs_table",
    "NetworkMap": "map",
    "Panel": "app",
    "PanelState": "state",
    "Results": "results",
    "SetUp": "controls",
    "TradeOffs": "trade_offs",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a view when it is first used."""
    if name not in _HOMES:
        msg = f"module 'spineq.panel' has no attribute {name!r}"
        raise AttributeError(msg)
    try:
        found = getattr(importlib.import_module(f"spineq.panel.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("spineq"):
            raise
        msg = f"the panel needs the package {error.name}"
        raise MissingExtraError(msg, mend='Install it: pip install "spineq[panel]"') from error
    globals()[name] = found
    return found

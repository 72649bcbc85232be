"""The map's half in the page: what is drawn on ipyleaflet's map, and the controls above it."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from spineq.panel.elements import source
from spineq.panel.palette import UNKNOWN


class Bridge(anywidget.AnyWidget):
    """The controls above the map, and whatever is drawn on it.

    `areas_serial` and `serial` count what was sent: new areas, and new colours.
    """

    _esm = source("dom.js", "map.js")
    _css = source("map.css")
    map_id = traitlets.Unicode().tag(sync=True)
    link = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    attribution = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Unicode().tag(sync=True)
    bounds: Any = traitlets.List().tag(sync=True)
    shapes = traitlets.Bytes().tag(sync=True)
    areas_serial = traitlets.Int(0).tag(sync=True)
    paint = traitlets.Bytes().tag(sync=True)
    palette: Any = traitlets.List().tag(sync=True)
    unknown = traitlets.Unicode(UNKNOWN).tag(sync=True)
    serial = traitlets.Int(0).tag(sync=True)
    markers: Any = traitlets.List().tag(sync=True)
    legend: Any = traitlets.Dict().tag(sync=True)
    options: Any = traitlets.List().tag(sync=True)
    shading = traitlets.Unicode().tag(sync=True)
    opacity = traitlets.Float(1.0).tag(sync=True)
    tiles = traitlets.Bool(False).tag(sync=True)
    mode = traitlets.Unicode("look").tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    hover_lines: Any = traitlets.List().tag(sync=True)
    restored = traitlets.Int(0).tag(sync=True)

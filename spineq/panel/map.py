"""The map: areas in colours, sensors that can be moved, a legend and what is at a place.

Only this module knows ipyleaflet. It gives the map, its scale and its full-screen button; areas
and sensors are drawn by a widget of our own (`static/map.js`), for ipyleaflet sends every polygon
again with each change of a colour. That widget leans on one thing inside ipyleaflet: that the
view of a map has Leaflet's own map as ``obj``. A browser test holds it to that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipyleaflet
import ipywidgets
import numpy as np
import traitlets

from spineq.model._exports import need_city, need_same_city
from spineq.panel.geometry import Places, areas_of, places_of
from spineq.panel.map_bridge import Bridge
from spineq.panel.map_events import is_whole
from spineq.panel.map_words import area_lines, markers, sensor_lines, symbols
from spineq.panel.palette import NO_DATA, SEQUENTIAL, UNKNOWN
from spineq.panel.shading import PEOPLE, Shading, area_table, choices, nearest_metres, shading
from spineq.panel.state import PanelState

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.panel.marks import Overlay

#: What a click on the map means.
MODES = ("look", "move", "add", "delete", "ask")

#: Traits of the state that the map shows.
_SEEN = ["city", "network", "other", "marks", "overlay"]

_THINKING = "Working out what one sensor would cover."


class NetworkMap(ipywidgets.VBox):
    """A city's map with a network on it; in a notebook's cell, or in the panel.

    Parameters
    ----------
    city_or_state
        A city, or the state of a panel.
    state
        The state, where the first is a city or left out.
    network
        A network that is shown whatever the state's is; see `fix`.
    linked
        Whether all linked maps of this state are moved and zoomed together.
    height
        Of the map itself, in CSS.
    tiles
        Whether a background map is fetched from the internet.

    Raises
    ------
    ProblemError
        Neither a city nor a state, or something else than a network.
    DataError
        The network was made for another city.
    """

    #: What a click means, one of `MODES`; in "ask", which sensor or place a question is about.
    mode = traitlets.Enum(MODES, default_value="look")
    #: Key of what the colours mean, one of `choices`; empty for what suits what there is.
    shading = traitlets.Unicode("")
    #: Strength of the colours, 0 to 1.
    opacity = traitlets.Float(1.0, min=0.0, max=1.0)
    #: Whether there is a background map.
    tiles = traitlets.Bool(False)
    #: Number of colourings that were sent, and the last of them that a page has painted.
    serial = traitlets.Int(0)
    painted = traitlets.Int(0)
    #: Whether a page has drawn the areas.
    shown = traitlets.Bool(False)
    # Until it is whole: what was refused on the way has nothing to close.
    _closed = True

    def __init__(
        self,
        city_or_state: City | PanelState | None = None,
        state: PanelState | None = None,
        *,
        network: Network | None = None,
        linked: bool = False,
        height: str = "480px",
        tiles: bool = False,
    ) -> None:
        if isinstance(city_or_state, PanelState):
            state, city_or_state = city_or_state, None
        if state is None:
            need_city(city_or_state)
        self._own_state = state is None
        self.state = PanelState(city_or_state) if state is None else state
        city = city_or_state if state is None else self.state.city
        if network is not None:
            need_same_city(network, city)  # type: ignore[arg-type]
        self._fixed = network
        self._lock = threading.RLock()
        self._hearers: list[Callable[[dict[str, Any]], object]] = []
        self._city: City | None = None
        self._places: Places | None = None
        self._shading: Shading | None = None
        self._distance: tuple[Network, NDArray[np.float64]] | None = None
        self._importance: dict[object, Shading | None] = {}
        self.map = ipyleaflet.Map(
            layers=(),
            max_zoom=18,
            zoom_snap=0.25,
            zoom_delta=0.5,
            prefer_canvas=True,
            attribution_control=False,
            layout=ipywidgets.Layout(height=height, width="auto"),
        )
        self.map.add(ipyleaflet.ScaleControl(position="bottomleft", imperial=False))
        self.map.add(ipyleaflet.FullScreenControl(position="topleft"))
        link = f"{id(self.state)}" if linked else ""
        self.bridge = Bridge(map_id=self.map.model_id, link=link, tiles=tiles)
        super().__init__(children=[self.bridge, self.map], tiles=tiles)
        self.add_class("spineq-map")
        for name in ("mode", "opacity", "tiles"):
            traitlets.link((self, name), (self.bridge, name))
        self.bridge.on_msg(self._hear)
        self._closed = False
        self._renew()
        self.observe(self._ask, "shading")
        self.state.observe(self._ask, _SEEN)
        self.state.observe(self._turn_to_change, "other")

    @property
    def network(self) -> Network | None:
        """The network that is shown: the fixed one, or the state's; None without one."""
        return self.state.ours(self.state.network if self._fixed is None else self._fixed)

    @property
    def other(self) -> Network | None:
        """The network that it is compared with; None without one."""
        return self.state.ours(self.state.other)

    @property
    def shown_shading(self) -> Shading | None:
        """What the colours show at the moment; None where there is no city."""
        return self._shading

    def fix(self, network: Network | None) -> None:
        """Show this network whatever the state's is; None goes back to the state's.

        Raises
        ------
        ProblemError, DataError
            It is no network, or one of another city.
        """
        if network is not None:
            need_same_city(network, self.state.city)
        self._fixed = network
        self._ask()

    def on_edit(self, callback: Callable[[dict[str, Any]], object]) -> None:
        """Have a callback called with what somebody does on the map: a change, a question.

        It gets a dictionary: ``kind`` ("move", "add", "delete" or "ask"), ``sensor`` (position in
        the network's `sensors`, from 0; not for "add", nor for a question about another place),
        ``x`` and ``y`` (metres in the city's CRS; not for "delete").
        The map itself changes when the state's network does.
        """
        self._hearers.append(callback)

    def area_table(self) -> pd.DataFrame:
        """Table of what the map shows, one row an area; see `spineq.panel.shading.area_table`."""
        city = self.state.city
        need_city(city)
        assert city is not None
        return area_table(city, self.network, self.other)

    def redraw_sensors(self) -> None:
        """Put every marker where its sensor is: after a drag that came to nothing."""
        self.bridge.restored += 1

    def refresh(self) -> None:
        """Draw what has changed now, on this thread."""
        self._renew()

    def close(self) -> None:
        """Let go of the state, and close the map with everything on it."""
        if self._closed:
            return
        self._closed = True
        self.state.unobserve(self._ask, _SEEN)
        self.state.unobserve(self._turn_to_change, "other")
        self.state.ticker.forget(self._renew)
        if self._own_state:
            self.state.close()
        # ipyleaflet closes none of the widgets that it makes.
        parts = [*self.map.controls, *self.map.layers, self.map, self.bridge]
        held = [getattr(part, name) for part in parts for name in part.trait_names()]
        for widget in {id(each): each for each in [*held, *parts, self.layout]}.values():
            if isinstance(widget, ipywidgets.Widget) and widget is not self:
                widget.close()
        super().close()

    def _ask(self, _change: object = None) -> None:
        if not self._closed:
            self.state.ticker.ask(self._renew)

    def _turn_to_change(self, change: Mapping[str, Any]) -> None:
        """Show the change of coverage when there comes to be something to compare with."""
        if self._fixed is None and change["new"] is not None and not self._closed:
            self.shading = "difference"

    def _renew(self) -> None:
        """Bring the page up to date with the state; sends only what has changed."""
        with self.state.guard(), self._lock:
            if not self._closed:
                self._draw()

    def _draw(self) -> None:
        city, network, other = self.state.city, self.network, self.other
        if city is None:
            with self.bridge.hold_sync():
                self.bridge.kind, self.bridge.markers, self.bridge.options = "", [], []
                self.bridge.areas_serial += 1
            self._city = self._shading = None
            return
        if city is not self._city:
            self._turn_to(city)
        assert self._places is not None
        # What questions put on the map is about the network that the state has.
        asked = self._fixed is None
        overlay, marks = (self.state.overlay, self.state.marks) if asked else (None, ())
        options = choices(city, network, other, overlay)
        keys = [key for key, _ in options]
        key = self.shading if self.shading in keys else _likeliest(keys)
        found, note = self._shade(key, city, network, other, overlay)
        bridge = self.bridge
        with bridge.hold_sync():
            bridge.options = [list(each) for each in options]
            bridge.shading = key
            if note or bridge.note == _THINKING:
                bridge.note = note
            ghosts = other if key == "difference" else None
            bridge.markers = markers(city, self._places, network, ghosts, marks)
            bridge.hover_lines = []
            self._colour(city, found, symbols(city, network, ghosts, marks))

    def _turn_to(self, city: City) -> None:
        self._areas, self._places = areas_of(city), places_of(city)
        with self.bridge.hold_sync():
            self.bridge.label = f"Map of {city.name or 'the city'}"
            self.bridge.attribution = city.attribution
            self.bridge.kind, self.bridge.bounds = self._areas.kind, list(self._areas.bounds)
            self.bridge.shapes = self._areas.shapes()
            self.bridge.areas_serial += 1
        self._city, self._shading, self._distance = city, None, None
        self._importance.clear()
        self.shown = False

    def _colour(self, city: City, found: Shading | None, signs: list[list[str]]) -> None:
        before, bridge = self._shading, self.bridge
        legend: dict[str, Any] = {"symbols": signs}
        if found is not None:
            title = found.title
            if found.key == "difference" and self.state.other_name:
                title = f"{title} from {self.state.other_name}"
            legend |= {"title": title, "unit": found.unit}
            legend["steps"] = [list(each) for each in found.legend]
            if (found.classes == NO_DATA).any():
                legend["unknown"] = UNKNOWN
        bridge.legend = legend
        if (
            before is not None
            and found is not None
            and before.palette == found.palette
            and np.array_equal(before.classes, found.classes)
        ):
            self._shading = found
            return
        self._shading = found
        blank = np.full(city.n_areas, NO_DATA, dtype=np.uint8)
        classes, colours = (blank, SEQUENTIAL) if found is None else (found.classes, found.palette)
        bridge.palette = list(colours)
        bridge.paint = self._areas.paint(classes, colours, UNKNOWN)
        bridge.serial = self.serial = self.serial + 1

    def _shade(
        self,
        key: str,
        city: City,
        network: Network | None,
        other: Network | None,
        overlay: Overlay | None,
    ) -> tuple[Shading | None, str]:
        """Compute what is asked for, or begin to where that takes a while."""
        if not key:
            return None, ""
        if key != "importance":
            return shading(key, city, network, other, overlay), ""
        asked = network.problem if network is not None else None
        mark = None if asked is None else (asked.theta, asked.decay, asked.groups)
        if mark not in self._importance:
            self._importance.clear()
            self._importance[mark] = None
            self.state.beside(lambda: self._work_out(mark, city, network))
        found = self._importance.get(mark)
        return found, "" if found is not None else _THINKING

    def _work_out(self, mark: object, city: City, network: Network | None) -> None:
        found = None
        try:
            found = shading("importance", city, network)
        finally:
            with self._lock:
                if found is None:
                    self._importance.pop(mark, None)  # asked for again, it is tried again
                elif city is self._city:
                    self._importance[mark] = found
        self._ask()

    def _hear(self, _widget: object, content: Any, _buffers: object) -> None:
        """Take in what happened on the page."""
        with self.state.guard():
            if isinstance(content, Mapping) and not self._closed and is_whole(content):
                self._take(content)

    def _take(self, event: Mapping[str, Any]) -> None:
        kind = event["kind"]
        if kind == "painted":
            self.painted = max(self.painted, event["serial"])
        elif kind == "shown":
            self.shown = True
        elif kind == "dark":
            self.state.dark = event["dark"]
        elif kind == "note":
            self.bridge.note = event["text"]
            if event["text"]:
                self.tiles = False
        elif kind == "shading":
            self.shading = event["key"]
        elif kind == "hover":
            self.bridge.hover_lines = self._lines(event)
        elif self._places is not None:
            made: dict[str, Any] = {"kind": kind}
            if event.get("sensor") is not None:
                made["sensor"] = event["sensor"]
            if kind != "delete":
                x, y = self._places.to_xy(np.array([[event["lng"], event["lat"]]]))[0]
                if not np.isfinite([x, y]).all():
                    # A place that the city's coordinates do not reach.
                    return
                made |= {"x": float(x), "y": float(y)}
            for hearer in list(self._hearers):
                hearer(made)

    def _lines(self, event: Mapping[str, Any]) -> list[Any]:
        """Say what is at a place: a heading, and pairs of name and value."""
        city, network = self._city, self.network
        if city is None:
            return []
        if network is not None and event.get("sensor") is not None:
            return sensor_lines(network, event["sensor"])
        area = event.get("area")
        if area is None and "lat" in event:
            area = self._areas.area_at(event["lng"], event["lat"])
        if area is None or area >= city.n_areas:
            return []
        distance = None
        if network is not None:
            if self._distance is None or self._distance[0] is not network:
                self._distance = network, nearest_metres(network)
            distance = float(self._distance[1][area])
        return area_lines(city, area, network, self.other, distance, self._shading)


def _likeliest(keys: list[str]) -> str:
    """Coverage, and without a network where people are: that is there at once."""
    return next((key for key in keys if key == "coverage" or key.startswith(PEOPLE)), "")

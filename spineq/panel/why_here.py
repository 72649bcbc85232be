"""Why each sensor stands where it does, and why none stands elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from spineq.errors import SpineqError
from spineq.model._objective_words import counted
from spineq.panel.answering import Answering, answered
from spineq.panel.asked_about import askable
from spineq.panel.elements import Form, Message, Table, Text
from spineq.panel.errand import Errand
from spineq.panel.geometry import places_of
from spineq.panel.state import PanelState
from spineq.panel.view import View, visible
from spineq.panel.why_words import PAGE, facts, others, place_marks, sensor_marks, sensor_rows
from spineq.progress import Progress

if TYPE_CHECKING:
    from spineq.insight.explain import Explanation
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.panel.map import NetworkMap

#: Explanations that are remembered: whoever goes back and forth need not wait again.
_MOST = 12

_HOW = (
    "Press Why? beside a sensor, or click on one on the map. Without it is what the network loses "
    "where a sensor is taken away and nothing put in its place, as a share of what it covers."
)
_REFUSE = (
    "For each sensor: what the best network covers that must do without its place. That is a "
    "search for every sensor."
)


class WhyHere(View):
    """A table of the sensors, a sentence for the chosen one, and one for a place without any.

    Parameters
    ----------
    state
        Whose network is asked about.
    network_map
        The map on which sensors and places can be clicked.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "network")

    def __init__(self, state: PanelState, network_map: NetworkMap | None = None) -> None:
        super().__init__(state)
        self.map = network_map
        #: Position of the sensor that is asked about, -1 for none.
        self.chosen = -1
        self._page = 0
        self._seen: Network | None = None
        # Networks with what is known of them, the newest last.
        self._known: list[tuple[Network, Explanation]] = []
        self._place: tuple[Network, Explanation] | None = None
        self.looking = Errand(state, self.ask)
        # A network of which nothing can be told, and why: it is not tried again.
        self._failed: tuple[Network | None, str] = None, ""
        self.at_end(self.looking.close)
        self.intro = Text(_HOW)
        self.sensors = Table(
            [
                {"key": "sensor", "label": "Place", "head": True},
                {"key": "loss", "label": "Without it", "align": "right"},
                {"key": "cost", "label": "If refused", "align": "right"},
                {"key": "do", "label": "Ask", "kind": "actions", "quiet": True},
            ],
            caption="Sensors",
            page_words=["Earlier sensors", "Later sensors"],
        )
        self.words = Text()
        self.others = Table(
            [
                {"key": "site", "label": "Place", "head": True},
                {"key": "far", "label": "Distance", "align": "right"},
                {"key": "loss", "label": "Loses", "align": "right"},
            ],
            caption="Nearly as good in its place, the other sensors unchanged",
        )
        self.refuse = Form(_refuse_fields(), {})
        self.refusing = Answering(state, changed=self.ask)
        self.elsewhere = Form(_place_fields(), {"site": ""})
        self.insisting = Answering(state, changed=self.ask)
        self.children = (
            self.intro, self.insisting, self.words, self.others, self.sensors, self.refuse,
            self.refusing, self.elsewhere,
        )  # fmt: skip
        for part in (self.refusing, self.insisting):
            self.at_end(part.close)
        self.sensors.hear(state.guarded(self._acted))
        self.refuse.hear(state.guarded(self._pressed))
        self.elsewhere.hear(state.guarded(self._pressed))
        if network_map is not None:
            network_map.on_edit(state.guarded(self._clicked))
        self.observe(state.guarded(self._opened), "active")
        self.renew()

    # Showing

    def draw(self) -> None:
        """Show the sensors of the network that is looked at, and what is known of them."""
        city, network = self.state.city, self.state.ours(self.state.network)
        if network is not self._seen:
            self._seen, self._page, self.chosen = network, 0, -1
            if network is None:
                self.insisting.drop()
        if city is None or network is None or not network.n_sensors:
            self.looking.drop()
            self.state.marks = ()
            return
        found = self._found(network)
        if found is None and not self.looking.busy and network is not self._failed[0]:
            self._look(city, network)
        pages = max(-(-network.n_sensors // PAGE), 1)
        with self.sensors.hold_sync():
            self.sensors.page, self.sensors.pages = self._page, pages
            self.sensors.total = self.looking.words or counted(network.n_sensors, "sensor")
            self.sensors.selected = str(self.chosen) if self.chosen >= 0 else ""
            self.sensors.rows = sensor_rows(network, found, self._page, self.chosen)
        self._tell(city, network, found)

    def _tell(self, city: City, network: Network, found: Explanation | None) -> None:
        chosen, place = self.chosen, self._place
        sensor = facts(found, network, chosen) if chosen >= 0 else None
        marks: tuple[Any, ...] = ()
        if found is not None and sensor is not None:
            key = sensor.site if sensor.number is None else sensor.number
            said = found.sentence(key or sensor.area)
            self.words.lines(said, heading=f"Why {sensor.site or sensor.area}?", live=True)
            self.others.rows = others(found, sensor)
            marks = sensor_marks(city, sensor)
        elif place is not None and place[0] is network and place[1].place is not None:
            site = place[1].place.site
            said = place[1].sentence(site)
            if place[1].stopped:
                said += " The search was stopped early."
            self.words.lines(said, heading=f"Why not {site}?", live=True)
            marks = place_marks(city, place[1])
        elif chosen >= 0:
            self.words.lines("Being looked at ...")
        elif found is not None:
            self.words.lines(found.summary())
        elif network is self._failed[0]:
            # What is true of several kinds is said above.
            self.words.lines("" if network.problem.kinds else self._failed[1])
        else:
            self.words.lines()
        visible(self.others, sensor is not None and bool(self.others.rows))
        if self.state.marks != marks:
            self.state.marks = marks

    def _found(self, network: Network) -> Explanation | None:
        return next((found for each, found in self._known if each is network), None)

    def _keep(self, network: Network, found: Explanation) -> None:
        rest = [pair for pair in self._known if pair[0] is not network]
        self._known = [*rest[-_MOST + 1 :], (network, found)]

    def _look(self, city: City, network: Network) -> None:
        """Look at each sensor without solving anything again, which takes a moment."""

        def work(progress: Progress) -> Explanation | str:
            from spineq.insight.explain import explain

            try:
                return explain(city, askable(city, network), refuse=False, progress=progress)
            except SpineqError as error:  # nobody asked for it: no news of its own
                return f"Why its sensors stand where they do cannot be told: {error.what}."

        def done(found: Explanation | str) -> None:
            if isinstance(found, str):
                self._failed = network, found
            elif not found.stopped:
                self._keep(network, found)
            self.ask()

        self.looking.start(work, done, "looking at each sensor")

    # Asking

    def choose(self, sensor: int) -> None:
        """Ask about a sensor, by its position in the network."""
        network = self.state.network
        if network is None or not 0 <= sensor < network.n_sensors:
            return
        self.chosen, self._page, self._place = sensor, sensor // PAGE, None
        self.insisting.say("")
        self.ask()

    def ask_refused(self) -> None:
        """Find out what it costs to do without each sensor."""
        city, network = self.state.city, self.state.ours(self.state.network)
        if city is None or network is None:
            return

        def work(progress: Progress) -> Any:
            plain = askable(city, network)
            return answered(self.state, city, "explain", progress, network=plain)

        def done(found: Explanation) -> str:
            self._keep(network, found)
            known = sum(sensor.replacement is not None for sensor in found.sensors)
            if found.stopped:
                asked = sum(sensor.refusable for sensor in found.sensors)
                return f"Cancelled: it is known for {known:,} of {counted(asked, 'sensor')}."
            every = "All of it is proven." if found.proven else "Not all of it is proven."
            return f"Looked at {counted(known, 'sensor')}. {every}"

        self.refusing.start("what if each is refused?", work, done)

    def ask_place(self, site: str) -> None:
        """Ask why a site has no sensor; one that has is chosen."""
        city, network = self.state.city, self.state.ours(self.state.network)
        site = site.strip()
        if city is None or network is None:
            return
        if not site:
            self.elsewhere.errors = {"site": "Type the id of a place first, or click on the map."}
            return
        self.elsewhere.errors = {}
        sites = network.sensors["site"].tolist()
        if site in sites:
            self.choose(sites.index(site))
            return
        self.chosen, self._place = -1, None

        def work(progress: Progress) -> Any:
            words: dict[str, Any] = {
                "network": askable(city, network),
                "site": site,
                "refuse": False,
            }
            return answered(self.state, city, "explain", progress, **words)

        def done(found: Explanation) -> str:
            self._place = network, found
            return ""

        self.insisting.start(f"why not {site}?", work, done)
        self.ask()

    # What people do

    def _acted(self, message: Message) -> None:
        if message.get("action") == "why":
            self.choose(int(message["id"]))
        elif isinstance(message.get("page"), int):
            self._page = max(int(message["page"]), 0)
            self.ask()

    def _pressed(self, message: Message) -> None:
        if message.get("press") == "refuse":
            self.ask_refused()
        elif message.get("press") == "place":
            self.ask_place(str(self.elsewhere.values.get("site") or ""))

    def _clicked(self, event: Mapping[str, Any]) -> None:
        """A sensor or a place of the map was clicked."""
        city = self.state.city
        if event.get("kind") != "ask" or not self.active or city is None:
            return
        if isinstance(event.get("sensor"), int):
            self.choose(event["sensor"])
            return
        at = places_of(city).nearest_site((event["x"], event["y"]))
        site = str(city.dataset["site"].to_numpy()[at])
        self.elsewhere.put(site=site)
        self.ask_place(site)

    def _opened(self, change: Mapping[str, Any]) -> None:
        if self.map is not None:
            if change["new"]:
                self.map.mode = "ask"
            elif self.map.mode == "ask":
                self.map.mode = "look"
        if not change["new"]:
            self.state.marks = ()


def _refuse_fields() -> list[dict[str, Any]]:
    button = {"name": "refuse", "label": "What if each is refused?", "title": _REFUSE}
    return [{"kind": "buttons", "buttons": [button], "help": _REFUSE}]


def _place_fields() -> list[dict[str, Any]]:
    return [
        {"kind": "heading", "label": "Why not there?"},
        {
            "kind": "text", "name": "site", "label": "A place that was not chosen",
            "most": 80, "enter": "place",
            "help": "The id of a place where a sensor could stand; a click on the map fills it in.",
        },
        {"kind": "buttons", "buttons": [{"name": "place", "label": "Why not there?"}]},
    ]  # fmt: skip

"""A view: widgets that follow some of the state's traits, at a pace that browsers bear."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import ipywidgets
import traitlets

from spineq.panel.state import PanelState


class View(ipywidgets.VBox):
    """A box that renews itself when what it shows has changed.

    Parameters
    ----------
    state
        What is looked at.
    """

    children: Any

    #: Names of the state's traits that the view shows.
    shows: ClassVar[tuple[str, ...]] = ()

    #: Whether anybody can see the view; one that is hidden renews nothing.
    active = traitlets.Bool(True)

    #: Whether all of it is there: traits may change on other threads while it is being made.
    _is_made = False

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        make = cls.__init__

        @functools.wraps(make)
        def made(self: View, *arguments: Any, **words: Any) -> None:
            make(self, *arguments, **words)
            if type(self) is cls:
                self._is_made = True
                if self._asked_early:
                    self._renewal()

        cls.__init__ = made  # type: ignore[method-assign]

    def __init__(self, state: PanelState, **words: Any) -> None:
        super().__init__(**words)
        self.state = state
        self._asked_early = False
        self._closed = False
        self._enders: list[Callable[[], object]] = []
        self._drawing = threading.RLock()
        # One and the same object each time: the ticker knows an update by it.
        self._renewal = state.guarded(self.renew)
        self.follow(self._changed, *self.shows)
        self.observe(self._changed, "active")
        self.at_end(lambda: self.unobserve(self._changed, "active"))
        self.at_end(lambda: state.ticker.forget(self._renewal))

    def at_end(self, ender: Callable[[], object]) -> None:
        """Have something done when the view is closed, what was said last first."""
        self._enders.append(ender)

    def follow(self, hearer: Callable[[Any], object], *names: str) -> None:
        """Have a callback called when one of these traits of the state changes."""
        self.state.observe(hearer, list(names))
        self.at_end(lambda: self.state.unobserve(hearer, list(names)))

    def renew(self) -> None:
        """Show what is the case now, where anybody can see it; on any thread."""
        with self._drawing:
            if not self._is_made:
                self._asked_early = True
            elif self.active and not self._closed:
                self.draw()

    def draw(self) -> None:
        """Show what is the case now; never on two threads at once."""

    def ask(self) -> None:
        """Have the view renewed soon."""
        if not self._closed:
            self.state.ticker.ask(self._renewal)

    def _changed(self, _change: object) -> None:
        self.ask()

    def close(self) -> None:
        """Follow the state no more, and take the widgets away."""
        # Also called for one whose making failed, and again when it is taken from memory.
        if getattr(self, "_closed", True):
            return
        self._closed = True
        for ender in reversed(self._enders):
            with self.state.guard():
                ender()
        self._enders.clear()
        close_all(self)
        layout = self.layout
        super().close()
        layout.close()


def close_all(box: ipywidgets.Box) -> None:
    """Close the widgets in a box, and those in them, each with its layout, which is one too."""
    for child in box.children:
        # A widget of a class of its own knows better what to close, and in which order.
        if type(child) in (ipywidgets.Box, ipywidgets.VBox, ipywidgets.HBox):
            close_all(child)
        layout = child.layout
        child.close()
        # That of a plotly figure is no widget.
        if isinstance(layout, ipywidgets.Widget):
            layout.close()


def visible(widget: Any, seen: bool) -> None:
    """Show or hide a widget."""
    wanted = "" if seen else "none"
    if (widget.layout.display or "") != wanted:
        widget.layout.display = wanted

"""Forms, tables, tabs and messages: plain HTML that follows the page's theme.

They are widgets of our own because those of ipywidgets have no place for an error beside a
field, no tables, and labels that a screen reader does not find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

_STATIC = Path(__file__).parent / "static"

Message = Mapping[str, Any]


def source(*names: str) -> str:
    """Put scripts of ours together into the one module that a widget has."""
    return "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in names)


class _Element(anywidget.AnyWidget):
    """A widget that hears custom messages of its page."""

    _css = source("panel.css")

    def __init__(self, **words: Any) -> None:
        super().__init__(**words)
        self._hearers: list[Callable[[Message], object]] = []
        self.on_msg(self._hear)

    def hear(self, hearer: Callable[[Message], object]) -> None:
        """Have a callback called with each message: buttons, actions, pages."""
        self._hearers.append(hearer)

    def _hear(self, _widget: object, content: Any, _buffers: object) -> None:
        if isinstance(content, Mapping):
            for hearer in list(self._hearers):
                hearer(content)

    def close(self) -> None:
        """Take the widget away, and its layout, which is a widget too."""
        if self.comm is not None:
            self.layout.close()
        super().close()

    def say(self, **content: Any) -> None:
        """Act as if the page had sent a message; for tests and scripts."""
        self._hear(self, content, None)


class Form(_Element):
    """Labelled fields, each with a sentence of help, a note and its error.

    Parameters
    ----------
    fields
        Dictionaries with ``kind``, ``name``, ``label``, ``help`` and ``inline`` (whether two stand
        in a row). Kinds with a value: ``range`` (min, max, step, unit), ``number``, ``text``,
        ``select`` (options: pairs of value and label), ``check``, ``groups`` (options; rows of
        who, ages, weight). Others: ``heading``,
        ``fold`` ... ``end`` (open), ``say`` (a line that shows the note of its name), ``code`` (the
        same as text to copy), ``buttons`` (buttons: name, label, title, primary, toggle,
        disabled), whose message is ``{"press": name}``.
    values
        What is entered, by name; a number that is not there is None.
    errors, notes
        A sentence by name of field.
    hidden, disabled, pressed
        Names of fields, folds and buttons that are not shown; of buttons that cannot be pressed;
        of toggles that are on.
    """

    _esm = source("dom.js", "form.js")
    fields: Any = traitlets.List().tag(sync=True)
    values: Any = traitlets.Dict().tag(sync=True)
    #: What a page changed that it has not seen in `values` yet: view, serial, values.
    entered: Any = traitlets.Dict().tag(sync=True)
    #: View and serial of what the values have of that.
    seen: Any = traitlets.List().tag(sync=True)
    errors: Any = traitlets.Dict().tag(sync=True)
    notes: Any = traitlets.Dict().tag(sync=True)
    hidden: Any = traitlets.List().tag(sync=True)
    disabled: Any = traitlets.List().tag(sync=True)
    pressed: Any = traitlets.List().tag(sync=True)

    def __init__(self, fields: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> None:
        super().__init__(fields=[dict(each) for each in fields], values=dict(values))

    @traitlets.observe("entered")
    def _take(self, change: Mapping[str, Any]) -> None:
        # The page sends what it changed, not all that it shows: what was changed here while that
        # was on its way stays. Both go back together, so that the page knows what it may forget.
        entered = change["new"]
        with self.hold_sync():
            self.seen = [entered.get("view", ""), entered.get("serial", 0)]
            self.put(**entered.get("values", {}))

    def put(self, **values: Any) -> None:
        """Change some values."""
        self.values = {**self.values, **values}

    def note(self, **notes: str) -> None:
        """Change some notes."""
        self.notes = {**self.notes, **notes}

    def press(self, name: str) -> None:
        """Press a button; for tests and scripts."""
        self.say(press=name)


class Table(_Element):
    """One page of a table.

    Parameters
    ----------
    columns
        Dictionaries with ``key``, ``label``; optionally ``align`` ("right"), ``sortable``, ``head``
        (whether the cell names its row), ``narrow`` ("hide" where there is little room), ``quiet``
        (whether the label is for screen readers alone) and ``kind``: ``progress`` (fraction, text,
        second, bar), ``state``, ``actions`` (list of name, label, title, disabled).
    quiet
        Whether the caption is for screen readers alone.
    rows
        Dictionaries with ``id`` and a value by key: text, or a dictionary of text and second.

    The page sends ``{"action": name, "id": row}``, ``{"sort": key}`` and ``{"page": number}``.
    """

    _esm = source("dom.js", "table.js")
    columns: Any = traitlets.List().tag(sync=True)
    rows: Any = traitlets.List().tag(sync=True)
    sort: Any = traitlets.Dict().tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    quiet = traitlets.Bool(False).tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    page = traitlets.Int(0).tag(sync=True)
    pages = traitlets.Int(1).tag(sync=True)
    page_words: Any = traitlets.List(["Previous", "Next"]).tag(sync=True)
    total = traitlets.Unicode("").tag(sync=True)

    def __init__(self, columns: Sequence[Mapping[str, Any]], **words: Any) -> None:
        super().__init__(columns=[dict(each) for each in columns], **words)


class _Part(_Element):
    _esm = source("dom.js", "words.js")
    part = traitlets.Unicode().tag(sync=True)


class Tabs(_Part):
    """A row of tabs: `chosen` is the name of one of `items`, pairs of name and label."""

    items: Any = traitlets.List().tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode("Parts of the panel").tag(sync=True)

    def __init__(self, items: Sequence[tuple[str, str]], **words: Any) -> None:
        given = [list(item) for item in items]
        super().__init__(part="tabs", items=given, chosen=items[0][0], **words)


class Messages(_Part):
    """Lines of news: `items` with text, kind ("bad", "good" or ""), details, name (to close)."""

    items: Any = traitlets.List().tag(sync=True)

    def __init__(self, **words: Any) -> None:
        super().__init__(part="messages", **words)


class Text(_Part):
    """Paragraphs and headings: `items` with text, heading, kind (a class), live."""

    items: Any = traitlets.List().tag(sync=True)

    def __init__(self, *lines: str, **words: Any) -> None:
        super().__init__(part="text", items=[{"text": line} for line in lines], **words)

    def lines(self, *lines: str, heading: str = "", live: bool = False) -> None:
        """Show these paragraphs."""
        head = [{"text": heading, "heading": True}] if heading else []
        self.items = head + [{"text": line, "live": live} for line in lines if line]


class Download(_Part):
    """Hands a file to whoever sits at the browser."""

    def __init__(self) -> None:
        super().__init__(part="download")

    def offer(self, file: str, data: bytes, kind: str = "application/octet-stream") -> None:
        """Have the browser save a file."""
        self.send({"file": file, "type": kind}, [data])


class Presence(_Part):
    """Counts the pages that show the panel."""

    def __init__(self, changed: Callable[[int], object]) -> None:
        super().__init__(part="presence")
        self.views = 0
        self._changed = changed
        self.hear(self._count)

    def _count(self, message: Message) -> None:
        self.views = max(self.views + int(message.get("views", 0)), 0)
        self._changed(self.views)

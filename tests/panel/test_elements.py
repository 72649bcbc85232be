"""Forms, tables and messages: what a page sends reaches whoever listens."""

from __future__ import annotations

import json

from spineq.panel.elements import Download, Form, Messages, Presence, Table, Tabs, Text


def test_a_button_reaches_its_hearers() -> None:
    """Every hearer gets the message; what is no message is nothing."""
    form = Form([{"kind": "buttons", "buttons": [{"name": "run", "label": "Run"}]}], {})
    heard = []
    form.hear(heard.append)
    form.press("run")
    form._hear(form, "nonsense", None)
    assert heard == [{"press": "run"}]


def test_a_form_changes_part_of_its_values_and_notes() -> None:
    """The others stay."""
    form = Form([], {"n": 1, "theta": 500})
    form.put(n=2)
    form.note(theta="so far")
    form.note(n="that many")
    assert form.values == {"n": 2, "theta": 500}
    assert form.notes == {"theta": "so far", "n": "that many"}


def test_what_a_page_changed_joins_what_was_changed_here() -> None:
    """The page sends its changes alone, and hears in one message up to which they are in."""
    form = Form([], {"n": 1, "theta": 500, "preset": ""})
    heard: list[dict[str, object]] = []
    form.observe(lambda change: heard.append(change["new"]), "values")
    form.put(theta=300)  # on its way to the page when the person changes the number
    sent: list[dict[str, object]] = []
    form._send = lambda message, buffers=None: sent.append(message)
    form.set_state({"entered": {"view": "a", "serial": 1, "values": {"n": 2}}})
    assert form.values == {"n": 2, "theta": 300, "preset": ""}
    assert heard[-1] == form.values
    (answer,) = [each for each in sent if each["method"] == "update"]
    assert answer["state"] == {"seen": ["a", 1], "values": form.values}


def test_a_table_tells_of_actions_and_pages() -> None:
    """As the page sends them."""
    table = Table([{"key": "name", "label": "Name"}], caption="Things")
    heard = []
    table.hear(heard.append)
    table.say(action="cancel", id="x")
    table.say(page=2)
    assert heard == [{"action": "cancel", "id": "x"}, {"page": 2}]


def test_presence_counts_pages_and_never_below_none() -> None:
    """A page that closes twice does not count as minus one."""
    counts: list[int] = []
    presence = Presence(counts.append)
    for change in (1, 1, -1, -1, -1, 1):
        presence.say(views=change)
    assert counts == [1, 2, 1, 0, 0, 1]


def test_a_file_goes_to_the_browser_as_bytes() -> None:
    """With its name and type."""
    download, sent = Download(), []
    download.send = lambda content, buffers: sent.append((content, buffers))
    download.offer("net.csv", b"a,b", "text/csv")
    assert sent == [({"file": "net.csv", "type": "text/csv"}, [b"a,b"])]


def test_what_is_shown_can_be_sent() -> None:
    """Everything that goes to a page is JSON."""
    text = Text("one")
    text.lines("two", "", heading="Head", live=True)
    assert [item["text"] for item in text.items] == ["Head", "two"]
    tabs = Tabs([("a", "A"), ("b", "B")])
    assert tabs.chosen == "a"
    messages = Messages()
    messages.items = [{"text": "no", "kind": "bad"}]
    for part in (text, tabs, messages):
        json.dumps(part.items)

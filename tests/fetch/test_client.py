"""Requests: politely, once each, and in words without the package."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from statistics_office import Office, Town, endless, led, status

from spineq.errors import MissingExtraError
from spineq.fetch import FetchError, client, desk, fetch_city
from spineq.fetch.client import Client, Request, is_here
from spineq.fetch.failure import MovedError


def test_without_requests_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A sentence that says what to install."""
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(MissingExtraError, match=r"pip install \"spineq\[fetch\]\""):
        fetch_city("anywhere", root="http://127.0.0.1:9", store=tmp_path)


def test_offline_needs_no_requests(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in the cache needs no package for asking."""
    with Office([town]) as office:
        fetch_city("madeby", root=office.url, store=tmp_path)
    monkeypatch.setitem(sys.modules, "requests", None)
    assert fetch_city("madeby", root=office.url, store=tmp_path, offline=True).n_areas == 60


def test_others_are_asked_with_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests to another host begin a pause apart, from however many threads."""
    monkeypatch.setattr(client, "PAUSE", 0.05)
    asking = Client()
    began = time.monotonic()
    for _ in range(4):
        asking._wait_for_turn("https://services.example.org/x")
    assert time.monotonic() - began >= 0.15
    asking.stop()
    began = time.monotonic()
    asking._wait_for_turn("https://services.example.org/x")
    assert time.monotonic() - began < 0.05


def test_a_stopped_client_does_not_wait(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever interrupts a fetch gets the prompt back, whatever a service asks for."""
    asking = Client()
    asking.stop()
    with Office([town]) as office:
        office.spoil("", status(503, "60"), times=99)
        began = time.monotonic()
        with pytest.raises(FetchError, match="status 503"):
            asking.send(Request(f"{office.url}/x"), lambda body: None)
    assert time.monotonic() - began < 5


def test_a_long_wait_is_cut(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that asks for an hour is asked again sooner, and then given up."""
    monkeypatch.setattr(client, "LONGEST_WAIT", 0.01)
    with Office([town]) as office:
        office.spoil("", status(429, "3600"), times=99)
        with pytest.raises(FetchError, match="asked too often"):
            Client().send(Request(f"{office.url}/x"), lambda body: None)
        assert len(office.asked) == 1 + client.RETRIES


def test_the_agent_is_named(town: Town) -> None:
    """Services see who asks."""
    session = Client()._session("https://services.example.org")
    assert session.headers["User-Agent"].startswith("spineq/")
    assert session.trust_env


@pytest.mark.parametrize(
    ("url", "here"),
    [("http://127.0.0.1:80/x", True), ("http://localhost", True), ("http://[::1]:1", True),
     ("https://127.0.0.1.example.org", False), ("https://example.org/localhost", False)],
)  # fmt: skip
def test_which_hosts_are_here(url: str, here: bool) -> None:
    """By the host's name alone."""
    assert is_here(url) is here


def test_a_question_is_the_same_in_any_order() -> None:
    """What is asked names the entry of the cache; how it is sent does not."""
    one = Request("u", (("a", "1"), ("b", "2")))
    other = Request("u", (("b", "2"), ("a", "1")), post=True)
    assert one.asked == other.asked
    assert len(Request("u", (("a", "x" * 9000),)).shown) <= 400


def sent(office: Office) -> str:
    """Ask something, and return the sentence that it ends in."""
    with pytest.raises(FetchError) as caught:
        Client().send(Request(f"{office.url}/x"), lambda body: None)
    return str(caught.value)


def test_bytes_that_drip_for_ever(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each comes within the time-out, and the answer never."""
    monkeypatch.setattr(client, "TIMEOUT", (1.0, 0.5))
    with Office([town]) as office:
        office.spoil("", endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.02), times=9)
        began = time.monotonic()
        assert "sends too slowly" in sent(office)
    assert time.monotonic() - began < 5


def test_a_body_without_end(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory of this machine has one."""
    monkeypatch.setattr(client, "LARGEST", 1 << 20)
    with Office([town]) as office:
        office.spoil("", endless(b"HTTP/1.1 200 OK\r\n\r\n", bytes(1 << 16), 0.0))
        assert "sends more than the 1,048,576 bytes" in sent(office)


def test_a_head_that_drips_for_ever(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the first line comes: who waits for the answer gives up."""
    monkeypatch.setattr(desk, "LONGEST", 1.5)
    with Office([town]) as office:
        office.spoil("odwp01ew", endless(b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.02), times=9)
        began = time.monotonic()
        with pytest.raises(FetchError, match="ODWP01EW: no whole answer came within"):
            fetch_city("madeby", root=office.url, store=tmp_path)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("asked", ["soon", "9" * 5000, "-5", "Wed, 99 Oct 99999 07:28:00 GMT"])
def test_a_wait_that_is_none(town: Town, asked: str) -> None:
    """The service is asked again as if it had not said when."""
    with Office([town]) as office:
        office.spoil("", status(429, asked), times=99)
        assert "asked too often" in sent(office)
        assert len(office.asked) == 1 + client.RETRIES


@pytest.mark.parametrize("address", ["http://[::1", "http://a..b/", "/x", "file:///etc/passwd"])
def test_a_redirect_that_leads_nowhere(town: Town, address: str) -> None:
    """Round in circles too."""
    with Office([town]) as office:
        office.spoil("", led(address), times=99)
        assert "the request cannot be made" in sent(office)


def test_a_query_that_is_led_elsewhere(town: Town) -> None:
    """It would arrive there without its body, and what is asked then is something else."""
    with Office([town]) as office:
        office.spoil("", led("/elsewhere"), times=99)
        with pytest.raises(MovedError, match="the service has moved to /elsewhere"):
            Client().send(Request(f"{office.url}/x", (("f", "json"),), post=True), lambda _: None)
        assert len(office.asked) == 1


def test_an_address_that_none_can_be() -> None:
    """The words of a library are made a sentence."""
    with pytest.raises(FetchError, match="the request cannot be made"):
        Client().send(Request("http://a..b/x"), lambda body: None)

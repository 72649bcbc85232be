"""Settings of a gateway: what is refused, and the token that is made."""

from __future__ import annotations

import pytest

from spineq.errors import GatewayError
from spineq.gateway.settings import Limits, Settings, is_loopback, set_up

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        (Settings(port=70_000), "field port: 70000 is no port"),
        (Settings(port=-1), "is no port"),
        (Settings(method="best"), "there is no method 'best'.*greedy"),  # type: ignore[arg-type]
        (Settings(limits=Limits(sensors=0)), "field sensors: the limit sensors must be 1 or more"),
        (Settings(token="short"), "16 or more plain characters"),
        (Settings(token="ä" * 20), "16 or more plain characters"),
        (Settings(token="a" * 16 + "\n"), "16 or more plain characters"),
        (Settings(origins=("city.example",)), "field cors: 'city.example' is no origin"),
        (Settings(origins=("null",)), "is no origin"),
        (Settings(origins=("*",)), "is no origin"),
        (Settings(origins=("https://a@city.example",)), "is no origin"),
        (Settings(origins=("https://city.example/page",)), "more than an origin.*Give https://c"),
        (Settings(host="0.0.0.0", compat=True), "--compat lets any web page use the queue"),
        (Settings(proxy="127.0.0.1", compat=True), "--compat lets any web page use the queue"),
        (Settings(proxy="nginx"), "field proxy: 'nginx' is no address of a machine"),
    ],
)
def test_what_cannot_or_must_not_be_is_refused(settings: Settings, match: str) -> None:
    """In one sentence with the mend."""
    with pytest.raises(GatewayError, match=match):
        set_up(settings)


def test_a_token_is_made_for_every_host_but_this_one() -> None:
    """None is needed on loopback; elsewhere each start has another, or the one given."""
    assert set_up(Settings()).token == ""
    assert set_up(Settings(host="::1")).token == ""
    made = [set_up(Settings(host="0.0.0.0")).token for _ in range(2)]
    assert len(set(made)) == 2
    assert all(len(token) >= 32 for token in made)
    assert set_up(Settings(host="0.0.0.0", token=TOKEN, compat=True)).token == TOKEN


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True), ("127.8.0.1", True), ("localhost", True), ("LOCALHOST", True),
        ("::1", True), ("0.0.0.0", False), ("::", False), ("192.168.1.7", False), ("", False),
        ("localhost.city.example", False), ("127.0.0.1.city.example", False),
    ],
)  # fmt: skip
def test_which_hosts_are_this_machine_alone(host: str, local: bool) -> None:
    """A name that only begins so is somebody else's."""
    assert is_loopback(host) is local


def test_addresses_and_origins_in_one_form() -> None:
    """What is printed can be opened; origins are compared in small letters."""
    assert Settings(host="0.0.0.0", port=1).url == "http://127.0.0.1:1"
    assert Settings(host="::", port=1).url == "http://[::1]:1"
    assert Settings(host="::1", port=1).url == "http://[::1]:1"
    made = set_up(Settings(origins=("HTTPS://City.example/", "http://localhost:8888")))
    assert made.origins == ("https://city.example", "http://localhost:8888")

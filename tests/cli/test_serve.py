"""``spineq serve``: what it refuses, and what it says before it answers anybody."""

from __future__ import annotations

import importlib.util
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from command_line import good, run

from spineq.cli.signals import ending

TOKEN = "a-token-of-mine-1234"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def opened(
    needs: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> list[tuple[Any, Any]]:
    """Gateways that would have answered: (settings, queue) of each. They end at once."""
    made: list[tuple[Any, Any]] = []
    for package in ("fastapi", "fastapi_offline", "uvicorn", "socketio"):
        needs(package)
    from spineq.gateway import serving

    plain = serving.Gateway.__init__

    def noting(self: Any, queue: Any, *words: Any) -> None:
        plain(self, queue, *words)
        made.append((words[-1], queue))

    monkeypatch.setattr(serving.Gateway, "__init__", noting)
    monkeypatch.setattr(serving.Gateway, "run", lambda self: None)
    return made


def serve(*words: object) -> str:
    """Serve a small city from a store here; what is printed."""
    return good("serve", "synthetic:12", "--store", "store", *words)


@pytest.mark.cluster
def test_it_says_where_it_is_and_how_it_ends(opened: list[tuple[Any, Any]]) -> None:
    """On this machine alone and without a token, unless told otherwise."""
    text = serve("--port", 0, "--max-waiting", 7, "--max-per-client", 3)
    ((settings, queue),) = opened
    assert f"Open http://127.0.0.1:{settings.port}/ " in text
    assert "Jobs in store" in text
    assert "Ctrl-C ends it" in text
    assert "The gateway has ended" in text
    assert "oken" not in text
    assert settings.token == ""
    assert settings.method == "greedy"
    assert (queue.max_waiting, queue.max_waiting_per_user) == (7, 3)
    assert queue.keeper.is_closed


@pytest.mark.cluster
def test_it_says_how_open_it_is(
    opened: list[tuple[Any, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is made for others, or taken from the environment; what --compat opens is said."""
    text = serve("--host", "0.0.0.0", "--port", 0)
    made = opened[0][0].token
    assert len(made) >= 16
    assert f"?token={made}" in text
    assert "HTTPS" in text
    monkeypatch.setenv("SPINEQ_TOKEN", TOKEN)
    text = serve("--host", "0.0.0.0", "--port", 0, "--compat")
    assert opened[1][0].token == TOKEN
    assert f"Authorization: Bearer {TOKEN}" in text
    assert "pages of any origin that know the token" in text
    text = serve("--port", 0, "--token", "", "--compat")
    assert "GET /queue/deleteall empties the queue" in text


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--token", "short"], "16 or more plain characters"),
        (["--host", "0.0.0.0", "--compat"], "Give --token too"),
        (["--cors", "city.example"], "scheme, host and port"),
        (["--cors", "https://city.example/page"], "Give https://city.example"),
        (["--cors", "https://ann:word@city.example"], "is no origin"),
        (["--host", "no such host", "--port", 0], "cannot be listened to"),
        (["--host", "192.0.2.1", "--port", 0], "cannot be listened to"),
        (["--port", 65536], "65535"),
        (["--method", "best"], "best"),
        (["--max-sensors", 0], "1"),
        (["--also", "nowhere"], "nowhere"),
        (["--scheduler", "127.0.0.1:1"], "127.0.0.1:1"),
    ],
)
@pytest.mark.cluster
def test_what_it_refuses(opened: list[tuple[Any, Any]], words: list[object], match: str) -> None:
    """In a sentence, before anybody is answered."""
    made = run("serve", "synthetic:12", "--store", "store", *words)
    assert made.exit_code == 2, made.output
    assert match in re.sub(r"\s+", " ", made.stderr)
    assert "Traceback" not in made.stderr
    assert opened == []


@pytest.mark.cluster
def test_a_port_that_is_taken(opened: list[tuple[Any, Any]]) -> None:
    """The message names it, and another may be given."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        made = run("serve", "synthetic:12", "--store", "store", "--port", port)
    assert made.exit_code == 2
    assert f"127.0.0.1 port {port} cannot be listened to" in made.stderr
    assert "--port" in made.stderr


@pytest.mark.parametrize("package", ["fastapi", "fastapi_offline", "uvicorn", "socketio"])
def test_without_the_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install, and no cluster was started for it."""
    plain = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == package else plain(name)
    )
    made = run("serve", "synthetic:12", "--store", "store")
    assert made.exit_code != 0
    assert 'pip install "spineq[gateway]"' in re.sub(r"\s+", " ", made.stderr)
    assert not Path("store").exists()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_being_told_to_end(name: str) -> None:
    """Each signal is heard, what is ignored stays so, and all is as it was afterwards."""
    number, heard = getattr(signal, name), []
    before = signal.getsignal(number)
    try:
        with ending(lambda *_: heard.append(name)):
            signal.raise_signal(number)
        assert heard == [name]
        assert signal.getsignal(number) is before
        signal.signal(number, signal.SIG_IGN)
        with ending(lambda *_: heard.append(name)):
            signal.raise_signal(number)
        assert heard == [name]
    finally:
        signal.signal(number, before)

"""Connections: slow ones, many of them, and the end of the gateway."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from served import Served

API = "/api/v1"


def connected(gateway: Served, said: bytes) -> socket.socket:
    """A connection on which somebody has said something."""
    made = socket.create_connection(("127.0.0.1", gateway.settings.port), timeout=30)
    made.sendall(said)
    return made


def heard(connection: socket.socket) -> bytes:
    """What comes until the other side closes it."""
    made = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            made += piece
    connection.close()
    return made


@pytest.mark.parametrize(
    "said", [b"", b"GET /queue HT", b"GET /queue HTTP/1.1\r\nHost: localhost\r\n\r\nGET /que"]
)
def test_who_does_not_ask_is_not_waited_for(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    """Neither at first nor after an answer."""
    monkeypatch.setattr("spineq.gateway.serving._HEADERS", 0.3)
    gateway = serve()
    began = time.monotonic()
    answer = heard(connected(gateway, said))
    assert time.monotonic() - began < 10
    assert (b"200 OK" in answer) == (b"Host" in said)
    assert gateway.get("/queue").status_code == 200


def test_a_body_that_does_not_come(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    """408 in words."""
    monkeypatch.setattr("spineq.gateway.safety._PATIENCE", 0.3)
    gateway = serve()
    head = f"POST {API}/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n"
    asked = f"{head}Content-Type: application/json\r\nConnection: close\r\n\r\n{{"
    answer = heard(connected(gateway, asked.encode()))
    assert b" 408 " in answer.partition(b"\r\n")[0]
    assert b"came too slowly" in answer


def test_a_slow_answer_is_waited_for(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only questions have to come soon: who follows a job may do so for ever."""
    monkeypatch.setattr("spineq.gateway.serving._HEADERS", 0.2)
    monkeypatch.setattr("spineq.gateway.safety._PATIENCE", 0.2)
    monkeypatch.setattr("spineq.gateway.api_jobs.KEEP_ALIVE", 0.5)
    gateway = serve()
    job = gateway.post(f"{API}/jobs", json={"problem": {"n_sensors": 1}}).json()
    with gateway.streamed(job["links"]["events"]) as lines:
        assert next(lines) == "event: progress"
        while next(lines) != ": still here":
            pass
        gateway.queue.cancel(job["id"])
        assert "event: end" in list(lines)


def test_more_connections_than_there_is_room_for(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is closed at once; when they have gone, there is room again."""
    monkeypatch.setattr("spineq.gateway.serving._MOST_CONNECTIONS", 5)
    gateway = serve()
    many = [connected(gateway, b"") for _ in range(5)]
    time.sleep(0.3)
    assert heard(connected(gateway, b"GET /queue HTTP/1.1\r\nHost: localhost\r\n\r\n")) == b""
    for each in many:
        each.close()
    end = time.monotonic() + 30
    while True:
        with suppress(Exception):
            assert gateway.get("/queue").status_code == 200
            break
        assert time.monotonic() < end


def test_the_end_closes_what_follows_jobs(serve: Callable[..., Served]) -> None:
    """A stream ends whole, without waiting and without a word that is not true."""
    gateway = serve()
    job = gateway.post(f"{API}/jobs", json={"problem": {"n_sensors": 1}}).json()
    made: list[str] = []
    ready = threading.Event()

    def follow() -> None:
        with gateway.streamed(job["links"]["events"]) as lines:
            for line in lines:
                made.append(line)
                ready.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert ready.wait(30)
    began = time.monotonic()
    gateway.stop()
    thread.join(30)
    assert not thread.is_alive()
    assert time.monotonic() - began < 3
    assert "event: progress" in made
    assert "event: gone" not in made
    assert "event: end" not in made

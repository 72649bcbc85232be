"""Stores behind URLs: whatever a service does, the words are ours, and they come soon."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from pretended_s3 import S3

from spineq.errors import NotInStoreError, StoreError
from spineq.store import Store, UrlStore, open_store

#: Everything that a store can be asked to do.
ACTS: dict[str, Callable[[Store], object]] = {
    "put": lambda store: store.put("a", b""),
    "replace": lambda store: store.replace("a", b""),
    "get": lambda store: store.get("a"),
    "get_many": lambda store: store.get_many(["a", "b"]),
    "exists": lambda store: store.exists("a"),
    "names": lambda store: store.names(),
    "names below": lambda store: store.names("a/b"),
    "delete": lambda store: store.delete("a"),
}


@pytest.fixture
def anew(s3: S3, needs: Callable[[str], ModuleType]) -> Iterator[None]:
    """Let s3fs look at the environment again, before the test changes it and after."""
    forget = needs("s3fs").S3FileSystem.clear_instance_cache
    forget()
    yield
    forget()


# ---------------------------------------------------------------------------- S3


def test_no_act_asks_s3_more_than_it_must(s3: S3) -> None:
    """A request costs time and money: one each, and two to see that there is nothing."""
    store = open_store(s3.url())
    names = [f"runs/{k}" for k in range(20)]

    def asked(act: Callable[[], object]) -> int:
        before = s3.requests()
        act()
        return s3.requests() - before

    assert asked(lambda: [store.put(name, b"x") for name in names]) == 20
    assert asked(lambda: store.replace(names[0], b"y")) == 1
    assert asked(lambda: store.get(names[0])) == 1
    assert asked(lambda: store.get_many(names)) == 20
    assert asked(lambda: store.exists(names[0])) == 1
    assert asked(lambda: store.exists("none")) == 2
    assert asked(lambda: store.names("runs/")) == 1
    assert asked(lambda: store.delete(names[0])) == 1
    assert asked(store.tidy) == 0


def test_a_folder_made_in_the_console_is_no_name(s3: S3) -> None:
    """It is an empty object with a slash at its end."""
    url = s3.url()
    for folder in ("", "runs/"):
        marker = f"{s3.endpoint}/{url.removeprefix('s3://')}/{folder}"
        urllib.request.urlopen(urllib.request.Request(marker, method="PUT")).close()
    store = open_store(url)
    store.put("runs/1", b"")
    assert store.names() == store.names("runs/") == ["runs/1"]
    assert not store.exists("runs")


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_bucket_that_is_not_there_is_no_empty_store(
    s3: S3, act: Callable[[Store], object]
) -> None:
    """Nobody takes a misspelt bucket for a queue without jobs."""
    with pytest.raises(StoreError, match=r"in s3://no-bucket/x \(The specified bucket") as caught:
        act(open_store("s3://no-bucket/x"))
    assert not isinstance(caught.value, NotInStoreError)


@pytest.mark.usefixtures("anew")
def test_a_dead_endpoint_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """In our words, and within ten seconds."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    store = open_store("s3://bucket/x")
    for act in (ACTS["get_many"], ACTS["exists"], ACTS["put"]):
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"in s3://bucket/x \(Could not connect"):
            act(store)
        assert time.monotonic() - began < 10


@pytest.mark.usefixtures("anew")
def test_missing_credentials_are_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's own error, which is no OSError."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreError, match=r"\(Unable to locate credentials\)"):
        open_store("s3://bucket/x").get("a")


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("url", ["s3://", "s3://B_!d/x"])
def test_a_bucket_that_cannot_be_is_a_store_error(url: str) -> None:
    """Found out at the first act."""
    with pytest.raises(StoreError, match="'' cannot be listed in s3://"):
        open_store(url).names()


# ---------------------------------------------------------------------------- any service


class Refusing:
    """A file system of which every act raises the same error."""

    async_impl = True

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        def act(*_: object, **__: object) -> None:
            self.calls += 1
            raise self.error

        return act


def _refusing(error: Exception) -> tuple[UrlStore, Refusing]:
    store = UrlStore("memory://refusing")
    service = Refusing(error)
    store._fs = service
    return store, service


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize(
    "error",
    [PermissionError("Access Denied"), OSError(5, "said why"), TimeoutError(), RuntimeError("x")],
    ids=repr,
)
def test_whatever_a_service_raises_is_a_store_error(
    act: Callable[[Store], object], error: Exception
) -> None:
    """With the service's own reason, or at least the error's name."""
    reason = {5: "said why"}.get(getattr(error, "errno", 0) or 0, str(error)) or "TimeoutError"
    with pytest.raises(StoreError, match=rf"cannot be .* in memory://refusing \({reason}\)"):
        act(_refusing(error)[0])


def test_a_put_that_s3_does_not_decide_is_tried_again() -> None:
    """Racers may be told that they conflict; who is told so too often fails."""
    error = OSError(5, "conflict")
    error.__cause__ = Exception("An error occurred (ConditionalRequestConflict) when calling ...")
    store, service = _refusing(error)
    with pytest.raises(StoreError, match=r"\(conflict\)"):
        store.put("a", b"")
    assert service.calls == 5

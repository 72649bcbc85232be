"""Answers in order, kept before they are handed on."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from statistics_office import Asked, Office, Town, status

from spineq.errors import ProblemError
from spineq.fetch import FetchError
from spineq.fetch.cache import Cache, key_of, sha256
from spineq.fetch.client import Request
from spineq.fetch.desk import Desk


def requests(office: Office, n: int) -> list[Request]:
    """Ask for one area each."""
    url = f"{office.url}/api/v01/dataset/NM_1300_1.data.csv"
    areas = office.towns[0].frame["area_id"].iloc[:n]
    params = {"measures": "20100", "select": "geography_code,record_count"}
    return [Request(url, (*params.items(), ("geography", area))) for area in areas]


def test_answers_come_in_the_order_of_the_questions(town: Town, tmp_path: Path) -> None:
    """Several at once, and each is in the cache when it is handed on."""
    with Office([town]) as office, Desk(tmp_path, root=office.url) as desk:
        gate = threading.Barrier(3, timeout=10)

        def together(number: int, asked: Asked) -> None:
            if number <= 3:
                gate.wait()

        office.before = together
        asked = requests(office, 20)
        for request, body in zip(asked, desk.answers(asked, "S", lambda _: None), strict=True):
            assert dict(request.params)["geography"].encode() in body
            kept = Cache(tmp_path).answer(key_of(request.asked))
            assert kept is not None
            assert kept.body == body
        (source,) = desk.sources()
    assert source["answers"] == 20
    assert source["first"] <= source["last"]
    assert len(source["sha256"]) == 64


def test_what_a_check_refuses_is_not_kept(town: Town, tmp_path: Path) -> None:
    """Neither an answer that is wrong, nor one of a service out of order."""

    def refuse(body: bytes) -> None:
        raise FetchError("it is wrong")

    with Office([town]) as office, Desk(tmp_path, root=office.url) as desk:
        (request,) = requests(office, 1)
        with pytest.raises(FetchError, match="it is wrong"):
            desk.answer(request, "S", refuse)
        office.spoil("", status(500), times=99)
        with pytest.raises(FetchError, match="status 500"):
            desk.answer(request, "S", lambda _: None)
    assert not (tmp_path / "answers").exists()
    assert desk.sources() == []


def test_one_answer_has_its_own_sha256(town: Town, tmp_path: Path) -> None:
    """A file that somebody downloads by hand can be compared with it."""
    with Office([town]) as office, Desk(tmp_path, root=office.url) as desk:
        (request,) = requests(office, 1)
        body = desk.answer(request, "S", lambda _: None)
        assert desk.sources()[0]["sha256"] == sha256(body)
        assert desk.sources()[0]["url"] == request.url


def test_addresses_of_a_mirror() -> None:
    """Scheme and host change, the path stays."""
    url = "https://services.example.org/a/b"
    assert Desk(root="http://127.0.0.1:80/").address(url) == "http://127.0.0.1:80/a/b"
    assert Desk().address(url) == url


@pytest.mark.parametrize("root", ["", "127.0.0.1:80", "file:///etc", 7, "http://"])
def test_what_is_no_mirror(root: object) -> None:
    """Only addresses of web servers."""
    with pytest.raises(ProblemError, match="is not the address of a web server"):
        Desk(root=root)  # type: ignore[arg-type]

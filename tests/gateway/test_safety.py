"""Who may ask what: tokens, foreign pages, foreign hosts, and how much."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from served import Served

from spineq.gateway.settings import Limits

TOKEN = "a-token-of-many-letters"
ASKED = {"problem": {"n_sensors": 2}}
ELSEWHERE = {"Origin": "https://elsewhere.example"}

#: Everything that changes something: method, path, body.
CHANGES = [
    ("POST", "/api/v1/jobs", ASKED),
    ("POST", "/api/v1/trade-offs", ASKED),
    ("POST", "/api/v1/coverage", {"sensors": ["1"]}),
    ("DELETE", "/api/v1/jobs?state=queued", None),
    ("DELETE", "/api/v1/jobs/0000000000000000", None),
    ("POST", "/api/v1/jobs/0000000000000000/cancel", None),
    ("POST", "/coverage", {"sensors": ["1"]}),
    ("GET", "/optimise?n_sensors=2", None),
    ("GET", "/optimise/?n_sensors=2", None),
    ("GET", "/queue/deleteall", None),
    ("POST", "/queue/deleteall", None),
    ("GET", "/queue/delete/0000000000000000", None),
    ("POST", "/queue/delete/0000000000000000", None),
    ("GET", "/socket.io/?EIO=4&transport=polling", None),
    ("POST", "/socket.io/?EIO=4&transport=polling", None),
]


@pytest.fixture
def plain(serve: Callable[..., Served]) -> Served:
    """One as it is without options."""
    return serve()


@pytest.mark.parametrize(
    "headers",
    [
        ELSEWHERE,
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"},
        {"Referer": "https://elsewhere.example/page"},
        {"Origin": "http://["},
        {"Referer": "http://[x"},
    ],
    ids=str,
)
def test_a_page_of_another_origin_changes_nothing(plain: Served, headers: dict[str, str]) -> None:
    """Neither by script nor by form, link or image; what only looks is not its to read."""
    for method, path, body in CHANGES:
        answer = plain.request(method, path, json=body, headers=headers)
        assert answer.status_code == 403, (method, path)
        assert "another origin" in answer.text
    assert plain.queue.jobs() == []
    looked = plain.get("/queue", headers=headers)
    assert "access-control-allow-origin" not in looked.headers


def test_programmes_and_the_own_page_may(plain: Served) -> None:
    """They send no such header, or that of the gateway itself."""
    for headers in (
        {}, {"Origin": plain.url}, {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"}, {"Referer": f"{plain.url}/docs"},
    ):  # fmt: skip
        assert plain.post("/api/v1/jobs", json=ASKED, headers=headers).status_code == 201
    assert len(plain.queue.jobs()) == 5


def test_compat_is_as_open_as_the_original(serve: Callable[..., Served]) -> None:
    """Any page may submit, and links delete."""
    made = serve(compat=True)
    answer = made.get("/optimise?n_sensors=2&theta=500", headers=ELSEWHERE)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    job = answer.json()["job_id"]
    said = made.get(f"/queue/delete/{job}", headers=ELSEWHERE).json()
    assert said == {"code": 200, "message": f"Successfully deleted job {job}"}
    assert made.get("/queue/deleteall", headers=ELSEWHERE).json()["code"] == 200
    # Cookies that other servers of this machine gave its browser mean nothing here.
    cookie = ELSEWHERE | {"Cookie": "_xsrf=1; spineq-5000=x"}
    assert made.get("/optimise", headers=cookie).status_code == 200


def test_compat_with_a_token(serve: Callable[..., Served]) -> None:
    """Pages that bring the token may; that a browser has it in a cookie is no leave."""
    made = serve(compat=True, token=TOKEN)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert made.get("/optimise", headers=ELSEWHERE | bearer).status_code == 200
    opened = made.get(f"/?token={TOKEN}").headers["set-cookie"].partition(";")[0]
    assert made.get("/queue", headers={"Cookie": opened}).status_code == 200
    assert made.get("/optimise", headers=ELSEWHERE | {"Cookie": opened}).status_code == 403
    assert len(made.queue.jobs()) == 1


def test_pages_that_are_listed_may(serve: Callable[..., Served]) -> None:
    """They, and no other; browsers are told so before they send."""
    made = serve(origins=("https://city.example",))
    mine = {"Origin": "https://city.example"}
    assert made.post("/api/v1/jobs", json=ASKED, headers=mine).status_code == 201
    assert made.post("/api/v1/jobs", json=ASKED, headers=ELSEWHERE).status_code == 403
    asks = {"Access-Control-Request-Method": "POST"}
    told = made.options("/api/v1/jobs", headers=mine | asks)
    assert told.headers["access-control-allow-origin"] == "https://city.example"
    told = made.options("/api/v1/jobs", headers=ELSEWHERE | asks)
    assert "access-control-allow-origin" not in told.headers
    # They may read too why they were refused.
    strict = serve(origins=("https://city.example",), token=TOKEN)
    refused = strict.post("/api/v1/jobs", json=ASKED, headers=mine)
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://city.example"


def test_who_asks_is_what_the_server_before_it_says(serve: Callable[..., Served]) -> None:
    """And nobody else: a client cannot call itself another one to get its turn or its room."""
    other = {"X-Forwarded-For": "192.0.2.7"}
    alone = serve(room={"max_waiting_per_user": 1})
    assert alone.post("/api/v1/jobs", json=ASKED, headers=other).json()["user"] == "web 127.0.0.1"
    assert alone.post("/api/v1/jobs", json=ASKED).status_code == 429
    behind = serve(proxy="127.0.0.1")
    assert len(behind.settings.token) >= 32  # others can reach it
    mine = other | {"Authorization": f"Bearer {behind.settings.token}"}
    assert behind.post("/api/v1/jobs", json=ASKED, headers=mine).json()["user"] == "web 192.0.2.7"
    odd = mine | {"X-Forwarded-For": "x\ty"}
    assert behind.post("/api/v1/jobs", json=ASKED, headers=odd).status_code < 500


@pytest.mark.parametrize(
    "host",
    ["elsewhere.example", "127.0.0.1.elsewhere.example", "10.0.0.7:80", "", "[::2]:1", "a b"],
)
def test_on_this_machine_it_has_this_machine_s_names(plain: Served, host: str) -> None:
    """A name that was made to point here is refused, whatever is asked."""
    for path in ("/", "/queue", "/docs", "/socket.io/?EIO=4&transport=polling"):
        answer = plain.get(path, headers={"Host": host})
        assert answer.status_code == 400, path
    port = plain.settings.port
    for name in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "LOCALHOST"):
        assert plain.get("/queue", headers={"Host": name}).status_code == 200, name


@pytest.mark.parametrize(
    ("name", "value"),
    [("Cookie", "a=\x80; =; spineq-1"), ("Authorization", "Bearer"), ("Authorization", ""),
     ("Origin", "//"), ("Referer", ":"), ("Sec-Fetch-Site", ""),
     ("X-Forwarded-For", "a, b")],
)  # fmt: skip
def test_odd_headers_are_no_error_of_ours(plain: Served, name: str, value: str) -> None:
    """Refused or not, in words."""
    for path in ("/queue", "/optimise"):
        assert plain.get(path, headers={name: value.encode("latin-1")}).status_code < 500


@pytest.fixture
def guarded(serve: Callable[..., Served]) -> Served:
    """One that other machines may reach: it has made a token."""
    made = serve(host="0.0.0.0")
    assert len(made.settings.token) >= 32
    return made


def test_without_the_token_nothing_is_answered(guarded: Served) -> None:
    """Not even a page; wrong ones, in every place, neither."""
    for method, path, body in [
        *CHANGES, ("GET", "/", None), ("GET", "/queue", None), ("GET", "/job/x", None),
        ("GET", "/docs", None), ("GET", "/openapi.json", None), ("GET", "/api/v1/jobs", None),
        ("GET", "/nowhere", None),
    ]:  # fmt: skip
        if path.startswith("/socket.io"):
            continue  # asked when it connects: tests/gateway/test_events.py
        for wrong in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic d"},
                      {"Cookie": f"spineq-{guarded.settings.port}=wrong"}):  # fmt: skip
            answer = guarded.request(method, path, json=body, headers=wrong)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "set-cookie" not in answer.headers
        answer = guarded.request(method, f"{path}{'&' if '?' in path else '?'}token=wrong")
        assert answer.status_code == 401
    assert guarded.queue.jobs() == []


def test_the_token_comes_in_a_header_an_address_or_a_cookie(guarded: Served) -> None:
    """A page that was opened with it hands on a cookie that other pages cannot use."""
    token = guarded.settings.token
    bearer = {"Authorization": f"Bearer {token}"}
    assert guarded.post("/api/v1/jobs", json=ASKED, headers=bearer).status_code == 201
    opened = guarded.get(f"/docs?token={token}")
    assert opened.status_code == 200
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    brought = {"Cookie": cookie.partition(";")[0]}
    assert guarded.get("/openapi.json", headers=brought).status_code == 200
    assert guarded.post("/api/v1/jobs", json=ASKED, headers=brought).status_code == 201
    foreign = guarded.post("/api/v1/jobs", json=ASKED, headers=brought | ELSEWHERE)
    assert foreign.status_code == 403
    # Whoever knows it only asked with it: no cookie for a wrong one, at Socket.IO's address too.
    for path in ("/socket.io/?EIO=4&transport=polling&token=wrong", "/queue?token=wrong"):
        assert "set-cookie" not in guarded.get(path).headers


@pytest.fixture
def narrow(serve: Callable[..., Served]) -> Served:
    """One that takes little."""
    room = {"max_waiting": 4, "max_waiting_per_user": 3}
    return serve(room=room, limits=Limits(body=2_000, sensors=3, seconds=7))


def test_too_large_a_request_is_refused(narrow: Served) -> None:
    """Announced or not."""

    def drops() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 100

    for path in ("/api/v1/jobs", "/coverage", "/queue/deleteall"):
        for body in ({"content": b" " * 2001}, {"content": drops()}):
            if path == "/queue/deleteall" and not isinstance(body["content"], bytes):
                continue  # nobody reads it
            answer = narrow.post(path, **body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 413, (path, body)
            assert "2,000 bytes" in answer.text


def test_more_sensors_than_it_takes(narrow: Served) -> None:
    """422 in every way to ask, naming the field and the limit."""
    for answer in (
        narrow.post("/api/v1/jobs", json={"problem": {"n_sensors": 4}}),
        narrow.post("/api/v1/trade-offs", json={"problem": {"n_sensors": 4}}),
        narrow.post("/api/v1/coverage", json={"sensors": ["1", "2", "3", "4"]}),
        narrow.post("/coverage", json={"sensors": ["1", "2", "3", "4"]}),
        narrow.get("/optimise?n_sensors=4"),
    ):
        assert answer.status_code == 422
        assert "4 sensors are more than this gateway takes. Give up to 3" in answer.text


def test_more_jobs_than_it_takes(narrow: Served) -> None:
    """429, and when to come again; whoever has ended counts no more."""
    for seed in range(3):
        body = {"problem": {"n_sensors": 2, "seed": seed}}
        made = narrow.post("/api/v1/jobs", json=body)
        assert made.json()["time_limit"] == 7
    mine = narrow.get("/optimise?n_sensors=2")
    assert mine.status_code == 429
    assert int(mine.headers["retry-after"]) > 0
    assert "3 jobs of 'web 127.0.0.1' wait" in mine.text
    narrow.queue.submit(narrow.city, n_sensors=1, user="ann")
    everybody = narrow.post("/api/v1/jobs", json=ASKED | {"time_limit": 3})
    assert everybody.status_code == 429
    assert "4 jobs wait" in everybody.text
    assert narrow.delete("/api/v1/jobs?state=queued").json() == {"deleted": 4}
    assert narrow.post("/api/v1/jobs", json=ASKED | {"time_limit": 3}).json()["time_limit"] == 3

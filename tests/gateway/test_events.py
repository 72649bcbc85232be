"""The original's Socket.IO events, with a client of the original's kind."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from job_records import finished, job_of
from served import Served
from wire import PATIENCE, Wire, play

import spineq as sq
from spineq.jobs.ledger import Ledger

JOB = {"job_id", "call_str", "status", "progress", "last_message", "result"}


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.parametrize("transports", [["websocket"], ["polling"]], ids=str)
def test_the_original_s_script(live: Served, transports: list[str]) -> None:
    """Submit, progress, finished, getJob, getQueue, deleteJob; and another client hears of it."""
    asked = {
        "n_sensors": 3, "theta": 789, "min_age": 3, "max_age": 18,
        "population_weight": 0.5, "workplace_weight": 0.5,
    }  # fmt: skip

    async def script() -> None:
        async with (
            Wire(live.url, transports=transports) as wire,
            Wire(live.url, transports=transports) as other,
        ):
            assert await wire.until("message") == {"data": "Connected"}
            job = await wire.ask("submitJob", asked, "job")
            assert set(job) == JOB
            name = job["job_id"]
            done = await wire.until("jobFinished", lambda data: data["job_id"] == name)
            assert set(done) == JOB
            assert done["status"] == "finished"
            assert done["progress"] == 100
            wanted = sq.optimise(
                live.city, n_sensors=3, theta=789, min_age=3, max_age=18,
                population_weight=0.5, workplace_weight=0.5, method="greedy",
            ).to_dict()  # fmt: skip
            assert done["result"] | {"seconds": 0} == wanted | {"seconds": 0}
            heard = await other.until("jobFinished", lambda data: data["job_id"] == name)
            assert heard == done
            again = await wire.ask("getJob", name, "job")
            assert again == done
            assert name in (await wire.ask("getQueue", None, "queue"))["finished"]
            said = await wire.ask("deleteJob", name, "message")
            assert said == {"code": 200, "message": f"Successfully deleted job {name}"}
            gone = {"error": {"code": 404, "message": f"No job with id {name}"}}
            assert await wire.ask("getJob", name, "job") == gone
            assert await wire.ask("deleteJob", name, "message") == gone

    play(script())


@pytest.mark.cluster
@pytest.mark.slow
def test_progress_is_told_to_everybody(live: Served) -> None:
    """As numbers from 0 to 100 that grow; and the end of the job once."""
    big = sq.demo_city("synthetic", n_areas=8_000)

    async def script() -> None:
        async with Wire(live.url) as wire:
            await wire.until("message")
            job = live.queue.submit(big, n_sensors=60, theta=500, method="greedy", user="ann")
            await wire.until("jobFinished", lambda data: data["job_id"] == job.id)

    async def with_notes() -> list[tuple[str, Any]]:
        heard: list[tuple[str, Any]] = []
        async with Wire(live.url) as other:
            other.client.on("*", lambda event, *data: heard.append((event, data[0])))
            await script()
            await asyncio.sleep(0.5)
        return heard

    heard = asyncio.run(asyncio.wait_for(with_notes(), 2 * PATIENCE))
    figures = [data["progress"] for event, data in heard if event == "jobProgress"]
    assert figures == sorted(figures)
    assert len(figures) >= 2
    assert 0 <= figures[0] <= figures[-1] <= 100
    assert Counter(event for event, _ in heard)["jobFinished"] == 1


def test_what_is_missing_or_not_there(serve: Callable[..., Served]) -> None:
    """In the original's words."""
    made = serve()
    missing = {"code": 400, "message": "Must supply n_sensors and theta."}
    none = {"error": {"code": 404, "message": "No job with id 0000000000000000"}}

    async def script() -> None:
        async with Wire(made.url) as wire:
            for asked in (None, {}, {"n_sensors": 3}, {"theta": 5}, [], "x", 7):
                assert await wire.ask("submitJob", asked, "job") == missing
            assert await wire.ask("getJob", "0" * 16, "job") == none
            assert await wire.ask("deleteJob", "0" * 16, "message") == none
            job = await wire.ask("submitJob", {"n_sensors": 3, "theta": 500}, "job")
            assert job["status"] == "queued"
            assert await wire.ask("getQueue", None, "queue") == {
                "queued": [job["job_id"]], "started": [], "finished": [], "failed": [],
            }  # fmt: skip
            assert await wire.ask("deleteQueue", None, "message") == {
                "code": 200, "message": "Removed all jobs from the queue",
                "n_jobs_removed": 1, "n_jobs_remaining": 0,
            }  # fmt: skip

    play(script())


def test_a_job_that_does_not_finish_is_told_to_whoever_waits(serve: Callable[..., Served]) -> None:
    """The original said nothing, and its clients waited for ever."""
    made = serve()

    async def script() -> None:
        async with Wire(made.url) as wire, Wire(made.url) as other:
            job = await wire.ask("submitJob", {"n_sensors": 3, "theta": 500}, "job")
            made.queue.cancel(job["job_id"])
            ended = await wire.until("job")
            assert ended["job_id"] == job["job_id"]
            assert ended["status"] == "cancelled"
            # Whatever had been said before is heard before what is said afterwards.
            await other.say("getQueue")
            heard = [event for event, _ in other.heard]
            while "queue" not in heard:
                await asyncio.sleep(0.05)
                heard = [event for event, _ in other.heard]
            assert "job" not in heard

    play(script())


def test_a_job_that_somebody_else_deletes_is_told_to_whoever_waits(
    serve: Callable[..., Served],
) -> None:
    """One job, or all; whoever deletes a job of his own is told once."""
    made = serve()

    async def script() -> None:
        async with Wire(made.url) as wire, Wire(made.url) as other:
            ids = []
            for k in (3, 4, 5):
                asked = {"n_sensors": k, "theta": 500}
                ids.append((await wire.ask("submitJob", asked, "job"))["job_id"])
            await other.ask("deleteJob", ids[0], "message")
            gone = await wire.until("job")
            assert gone == {"error": {"code": 404, "message": f"No job with id {ids[0]}"}}
            wire.heard.clear()
            await wire.ask("deleteJob", ids[1], "message")
            await other.ask("deleteQueue", None, "message")
            gone = await wire.until("job")
            assert gone["error"]["message"] == f"No job with id {ids[2]}"

    play(script())


@pytest.mark.parametrize("end", ["finished", "cancelled", "deleted"])
def test_an_end_that_comes_before_the_job_s_id_is_told_again(
    serve: Callable[..., Served], kept: list[Any], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Many submit at once, the disk is slow: news do not wait for ever, nobody misses them."""
    monkeypatch.setattr("spineq.gateway.news._PATIENCE", 0.1)
    made = serve()
    desk = kept[0]._desk
    submit = desk.submit_original

    def slow(*words: Any) -> Any:
        job = submit(*words)
        if end == "finished":
            ledger = Ledger.open(made.queue.store)
            ledger.publish(ledger.job(job.id).attempt, finished())
            made.queue.refresh()
        elif end == "cancelled":
            made.queue.cancel(job.id)
        else:
            made.queue.delete(job.id)
        time.sleep(3)
        return job

    monkeypatch.setattr(desk, "submit_original", slow)

    async def script() -> None:
        async with Wire(made.url) as wire:
            job = await wire.ask("submitJob", {"n_sensors": 3, "theta": 500}, "job")
            if end == "finished":
                told = await wire.until("jobFinished")
                assert (told["job_id"], told["status"]) == (job["job_id"], "finished")
            elif end == "cancelled":
                told = await wire.until("job")
                assert (told["job_id"], told["status"]) == (job["job_id"], "cancelled")
            else:
                told = await wire.until("job")
                assert told["error"]["message"] == f"No job with id {job['job_id']}"
            await wire.say("getQueue")
            await wire.until("queue")
            assert not [event for event, _ in wire.heard if event in {"job", "jobFinished"}]

    play(script())


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, _web: None) -> list[Any]:
    """What answers the events of gateways that are made from now on."""
    from spineq.gateway import events

    made: list[Any] = []
    plain = events.Events.__init__

    def noting(self: Any, *words: Any) -> None:
        plain(self, *words)
        made.append(self)

    monkeypatch.setattr(events.Events, "__init__", noting)
    return made


def test_who_has_gone_is_waited_for_no_more(serve: Callable[..., Served], kept: list[Any]) -> None:
    """Nothing is kept of clients that went, nor of jobs that ended."""
    made = serve()

    async def script() -> None:
        async with Wire(made.url) as wire:
            for k in (3, 4):
                job = await wire.ask("submitJob", {"n_sensors": k, "theta": 500}, "job")
            await wire.ask("deleteJob", job["job_id"], "message")
            (client,) = kept[0]._clients.values()
            assert len(client) == len(kept[0]._waits) == 1

    play(script())
    end = time.monotonic() + 60
    while kept[0]._clients or kept[0]._waits:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_who_asks_and_does_not_read_is_cut_off(
    serve: Callable[..., Served], kept: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Little is kept for him, and nobody else notices."""
    monkeypatch.setattr("spineq.gateway.events._MOST_UNREAD", 20)
    monkeypatch.setattr("spineq.gateway.app._PING", 1)
    made = serve()
    for k in range(1, 60):
        made.queue.submit(made.city, n_sensors=k)
    mute = socket.socket()
    mute.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    mute.settimeout(5)
    mute.connect(("127.0.0.1", made.settings.port))
    mute.sendall(
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    assert mute.recv(300).startswith(b"HTTP/1.1 101")
    for said in (b"40", *[b'42["getQueue"]'] * 20_000):
        with suppress(OSError):
            # A frame of text, masked with zeros.
            mute.sendall(b"\x81" + bytes([0x80 | len(said)]) + bytes(4) + said)

    async def script() -> None:
        async with Wire(made.url) as calm:
            assert "queued" in await calm.ask("getQueue", None, "queue")
            assert len(kept[0]._clients) == 2

    play(script())
    server = kept[0]._server
    end, most = time.monotonic() + 60, 0
    # Cut off, or without a sign of life, he is forgotten.
    while kept[0]._clients or most <= 20:
        assert time.monotonic() < end, most
        most = max([most, *(each.queue.qsize() for each in list(server.eio.sockets.values()))])
        time.sleep(0.01)
    assert most < 100
    mute.close()


def test_events_of_a_client_are_answered_in_order(serve: Callable[..., Served]) -> None:
    """Who submits and clears without waiting clears what was submitted."""
    made = serve()

    async def script() -> None:
        async with Wire(made.url, transports=["websocket"]) as wire:
            for k in range(20):
                await wire.say("submitJob", {"n_sensors": k + 1, "theta": 500})
            await wire.say("getQueue")
            assert len((await wire.until("queue"))["queued"]) == 20

    play(script())


def test_jobs_of_which_no_network_comes(serve: Callable[..., Served]) -> None:
    """Whatever else the queue does, its jobs are told of: without a result, or in words."""
    made = serve()
    ledger = Ledger.open(made.queue.store)
    jobs = [
        job_of(task=task, city_name="Smallton")
        for task in ("report", "trade_off", "of a module that is not here", "optimise")
    ]

    async def script() -> None:
        async with Wire(made.url) as wire:
            await wire.until("message")
            for job in jobs:
                ledger.put_job(job)
                ledger.publish(job.attempt, finished(job.run))
            made.queue.refresh()
            heard = [await wire.until("jobFinished") for _ in jobs]
            assert {each["job_id"] for each in heard} == {job.id for job in jobs}
            assert {each["result"] for each in heard} == {None}
            for job in jobs[:3]:
                assert (await wire.ask("getJob", job.id, "job"))["status"] == "finished"
                assert made.get(f"/job/{job.id}").json()["result"] is None
            # The answer of the last one is gone from the store.
            said = await wire.ask("getJob", jobs[3].id, "job")
            assert said["code"] == 409
            assert "is damaged or gone" in said["message"]
            assert made.queue.store not in said["message"]
            assert made.get(f"/job/{jobs[3].id}").status_code == 409

    play(script())


def test_what_the_store_knows_is_there_at_once(serve: Callable[..., Served]) -> None:
    """The job comes with its result, and its end is told as well."""
    made = serve()
    asked = {"n_sensors": 3, "theta": 500}
    first = made.queue.submit(made.city, **asked, method="greedy", max_age=90, min_age=0)
    network = sq.optimise(made.city, **asked, method="greedy")
    ledger = made.queue.keeper.ledger
    run = ledger.job(first.id).run
    ledger.put_answer(f"answers/{run}", network.to_bytes())

    async def script() -> None:
        async with Wire(made.url) as wire:
            job = await wire.ask("submitJob", asked, "job")
            assert job["status"] == "finished"
            assert job["result"]["placement_history"] == network.placement_history
            done = await wire.until("jobFinished", lambda data: data["job_id"] == job["job_id"])
            assert done == job

    play(script())
    assert made.get("/optimise?n_sensors=3").json()["result"]["n_sensors"] == 3


def test_who_has_no_room_is_told_so(serve: Callable[..., Served]) -> None:
    """With a code, and what to do."""
    made = serve(room={"max_waiting_per_user": 1})

    async def script() -> None:
        async with Wire(made.url) as wire:
            await wire.ask("submitJob", {"n_sensors": 3, "theta": 500}, "job")
            said = await wire.ask("submitJob", {"n_sensors": 4, "theta": 500}, "job")
            assert said["code"] == 429
            assert "Wait for some" in said["message"]

    play(script())


def test_who_does_not_bring_the_token_is_not_let_in(serve: Callable[..., Served]) -> None:
    """In the first packet, the address or a header; never without, whatever else is brought."""
    import socketio

    made = serve(host="0.0.0.0")
    token = made.settings.token

    async def script() -> None:
        for wrong in (
            {}, {"auth": {"token": "wrong"}}, {"auth": {"token": 7}}, {"auth": [token]},
            {"auth": {"token": "\ud800"}}, {"headers": {"Authorization": "Bearer wrong"}},
        ):  # fmt: skip
            wire = Wire(made.url, **wrong)
            with pytest.raises(socketio.exceptions.ConnectionError):
                await wire.__aenter__()
            await wire.client.disconnect()
        for right in (
            {"auth": {"token": token}}, {"headers": {"Authorization": f"Bearer {token}"}},
        ):  # fmt: skip
            async with Wire(made.url, **right) as wire:
                assert await wire.until("message") == {"data": "Connected"}
        async with Wire(f"{made.url}?token={token}") as wire:
            assert await wire.until("message") == {"data": "Connected"}

    play(script())


def test_a_page_of_another_origin_is_not_let_in(serve: Callable[..., Served]) -> None:
    """By WebSocket neither, whose handshake browsers send anywhere."""
    import socketio

    made = serve(origins=("https://city.example",))

    async def script() -> None:
        for transports in (["websocket"], ["polling"]):
            foreign = {"Origin": "https://elsewhere.example"}
            wire = Wire(made.url, headers=foreign, transports=transports)
            # The client stumbles over its own session when it reads why it was refused.
            with pytest.raises((socketio.exceptions.ConnectionError, RuntimeError)):
                await wire.__aenter__()
            await wire.client.disconnect()
            mine = {"Origin": "https://city.example"}
            async with Wire(made.url, headers=mine, transports=transports) as wire:
                assert await wire.until("message") == {"data": "Connected"}

    play(script())


_HUGE = 10**4000

#: What no client should send.
NONSENSE: list[Any] = [
    None, True, 0, -1, 1.5, 1e308, _HUGE, -_HUGE, "", "x" * 10_000, "\u0000", [], [[]], {},
    {"a": {}}, b"", b"\x00\xff" * 100, {"b": b"\x00"}, ["n_sensors", "theta"],
    [[[[[[[["deep"]]]]]]]], {"n_sensors": {"theta": [None]}},
]  # fmt: skip


def _submissions() -> list[Any]:
    """Submissions with something odd in each place."""
    names = ("n_sensors", "theta", "min_age", "max_age", "population_weight", "workplace_weight")
    good = {"n_sensors": 3, "theta": 500}
    made = [good | {name: odd} for name in (*names, "lad20cd") for odd in NONSENSE]
    return [*made, good | {"method": "milp", "__class__": "x", "": 0}, {"theta": 0} | good]


def test_nonsense_is_answered_in_words(serve: Callable[..., Served]) -> None:
    """Wrong types, huge numbers, nested junk, binary, events of nobody's: and it goes on."""
    made = serve()
    events = [("getJob", "job"), ("deleteJob", "message"), ("submitJob", "job")]

    async def script() -> None:
        async with Wire(made.url) as wire:
            for event, answer in events:
                for odd in NONSENSE:
                    said = await wire.ask(event, odd, answer)
                    error = said.get("error", said)
                    assert error["code"] in (400, 404, 422), (event, odd, said)
                    assert error["message"]
            for asked in _submissions():
                said = await wire.ask("submitJob", asked, "job")
                assert set(said) == JOB or (said["code"] in (400, 404, 422) and said["message"]), (
                    asked,
                    said,
                )
                assert "Traceback" not in json.dumps(said)
            for event in ("nobody", "", "x" * 1000, "connect_error", "disconnecting", "job"):
                said = await wire.ask(event, {"a": 1}, "message")
                assert said["code"] == 400
                assert "There is no event" in said["message"]
            for odd in NONSENSE:
                assert set(await wire.ask("getQueue", odd, "queue")) == {
                    "queued", "started", "finished", "failed",
                }  # fmt: skip
            assert (await wire.ask("deleteQueue", NONSENSE[-1], "message"))["code"] == 200

    play(script())


@pytest.mark.parametrize(
    "packet",
    [
        b"", b"\x00\xff", b"4", b"42", b"42[", b"42[]", b"42{}", b'42["submitJob"', b"42[1]",
        b"45-", b"451-", b'451-["submitJob",{"_placeholder":true,"num":7}]',
        b'451-["submitJob",{"_placeholder":true,"num":-1}]', b"4" + b"[" * 50_000,
        b'42["submitJob",' + b"[" * 100_000 + b"]" * 100_000 + b"]",
        b"459999999999-[]", b"42/other,[]", b"40/other,", b"41", b"3" * 100, b"9", b"b!!!",
        b'42["submitJob",1' + b"0" * 6000 + b"]", b"42999999999999999999999[]",
        b'43["x"]', b"6", b"5", b"1",
    ],
    ids=lambda packet: packet[:20],
)  # fmt: skip
def test_broken_packets_do_not_stop_it(
    serve: Callable[..., Served], packet: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends one may be cut off; nobody else notices."""
    monkeypatch.setattr("spineq.gateway.safety._PACKETS", 1.0)
    made = serve()
    base = "/socket.io/?EIO=4&transport=polling"
    sid = json.loads(made.get(base).text[1:])["sid"]
    made.post(f"{base}&sid={sid}", content=b"40")
    end = time.monotonic() + PATIENCE
    while "Connected" not in made.get(f"{base}&sid={sid}").text:
        assert time.monotonic() < end
    answer = made.post(f"{base}&sid={sid}", content=packet)
    assert answer.status_code in (200, 400)
    assert "Traceback" not in answer.text
    if packet.startswith(b"451-["):
        made.post(f"{base}&sid={sid}", content=b"bAAAA")
    if packet[:2] in (b"42", b"45") and b"/other" not in packet and answer.status_code == 200:
        said = made.get(f"{base}&sid={sid}").text
        assert "There is no event" in said or "No job" in said or "Must supply" in said, said

    async def script() -> None:
        async with Wire(made.url) as wire:
            assert await wire.until("message") == {"data": "Connected"}
            assert "queued" in await wire.ask("getQueue", None, "queue")

    play(script())

"""The original's Socket.IO events, with a client of the original's kind."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from served import Served
from wire import PATIENCE, Wire, play

import spineq as sq

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
            await asyncio.sleep(0.5)
            assert [event for event, _ in other.heard] == ["message"]

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
    monkeypatch.setattr("spineq.gateway.safety._PATIENCE", 1.0)
    made = serve()
    base = "/socket.io/?EIO=4&transport=polling"
    sid = json.loads(made.get(base).text[1:])["sid"]
    made.post(f"{base}&sid={sid}", content=b"40")
    while "Connected" not in made.get(f"{base}&sid={sid}").text:
        pass
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

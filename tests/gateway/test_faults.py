"""Gateways that are killed, and several that serve one store."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest
from command_line import PATIENCE, start
from job_records import finished, job_of
from served import served, wait_for
from wire import Wire, play

import spineq as sq

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.usefixtures("_web")]


@contextmanager
def command(store: Path, port: int = 0, *words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run ``spineq serve``; its address, and its process."""
    process = start("serve", "synthetic:60", "--store", store, "--port", port, *words)
    try:
        assert process.stdout is not None
        url = ""
        while not url:
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read()
            if found := re.search(r"Open (http://\S+?)/(\s|\?)", line):
                url = found[1]
        wait_for(url)
        yield url, process
    finally:
        kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    """End a gateway and its cluster as a loss of power does."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def test_killed_in_the_middle_of_fifty_jobs(tmp_path: Path) -> None:
    """All finish after it was started again, and clients that come back get them."""
    store = tmp_path / "store"
    results: dict[str, Any] = {}

    async def submit(url: str) -> list[str]:
        async with Wire(url) as wire:
            ids = []
            for k in range(50):
                asked = {"n_sensors": 3 + k % 5, "theta": 300.0 + k}
                ids.append((await wire.ask("submitJob", asked, "job"))["job_id"])
            # The last one takes long enough not to be done before all ends.
            asked = {"n_sensors": 60, "theta": 500.0, "lad20cd": "synthetic:8000"}
            ids.append((await wire.ask("submitJob", asked, "job"))["job_id"])
            await wire.until("jobFinished")
            return ids

    async def collect(url: str, ids: list[str]) -> None:
        async with Wire(url) as wire:
            for name in ids:
                end = time.monotonic() + PATIENCE
                while (job := await wire.ask("getJob", name, "job"))["status"] != "finished":
                    assert job["status"] in ("queued", "started"), job
                    assert time.monotonic() < end
                    await asyncio.sleep(0.1)
                results[name] = job["result"]

    ids: list[str] = []
    with command(store, 0, "--also", "synthetic:8000") as (url, process):
        ids += asyncio.run(submit(url))
        kill(process)
    port = int(url.rsplit(":", 1)[1])
    with sq.JobQueue(store=store, connect=False) as queue:
        assert queue.get(ids[-1]).status != "finished"
    with command(store, port) as (url, _):
        play(collect(url, ids))
    assert len(results) == 51
    city = sq.demo_city("synthetic", n_areas=60)
    for k, name in enumerate(ids[:5]):
        wanted = sq.optimise(city, n_sensors=3 + k % 5, theta=300.0 + k, method="greedy")
        assert results[name]["placement_history"] == list(wanted.placement_history)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_gateway_that_is_told_to_end_does(tmp_path: Path, number: int) -> None:
    """Soon, whoever follows a job or waits for news, and in words."""
    import httpx

    with command(tmp_path / "store") as (url, process):
        body = {"problem": {"n_sensors": 5, "method": "random", "effort": 1e9}}
        job = httpx.post(f"{url}/api/v1/jobs", json=body, timeout=PATIENCE).json()
        lines: list[str] = []

        async def follow() -> None:
            async with (
                httpx.AsyncClient(timeout=60) as client,
                client.stream("GET", url + job["links"]["events"]) as answer,
            ):
                async for line in answer.aiter_lines():
                    lines.append(line)  # noqa: PERF401  # as they come

        async def script() -> None:
            async with (
                Wire(url, transports=["websocket"]) as wire,
                Wire(url, transports=["polling"]) as other,
            ):
                await wire.until("message")
                await other.until("message")
                following = asyncio.create_task(follow())
                while not lines:
                    await asyncio.sleep(0.05)
                process.send_signal(number)
                await following  # a stream that was cut off would raise
                await asyncio.to_thread(process.wait, 60)

        play(script())
        assert process.returncode == 0
        assert process.stdout is not None
        assert "The gateway has ended" in process.stdout.read()
        assert process.stderr is not None
        said = process.stderr.read()
        assert "Traceback" not in said
        assert "ERROR" not in said


def test_several_gateways_of_one_store(city: sq.City, tmp_path: Path) -> None:
    """What one is given, clients of the other hear of; each end once, and both list the same."""
    store = tmp_path / "store"
    with (
        sq.JobQueue(store=store, n_workers=2) as first,
        sq.JobQueue(store=store, connect=False) as second,
        served(first, city) as one,
        served(second, city) as other,
    ):

        async def script() -> None:
            async with Wire(one.url) as here, Wire(other.url) as there:
                job = await there.ask("submitJob", {"n_sensors": 3, "theta": 500}, "job")
                for wire in (here, there):
                    done = await wire.until(
                        "jobFinished", lambda data: data["job_id"] == job["job_id"]
                    )
                    assert done["result"]["n_sensors"] == 3
                await asyncio.sleep(2)
                for wire in (here, there):
                    assert "jobFinished" not in [event for event, _ in wire.heard]

        play(script())
        assert one.get("/queue").json() == other.get("/queue").json()


def test_two_hundred_clients(tmp_path: Path) -> None:
    """Each submits one small job, and sees its own finish exactly once."""
    finished: dict[str, int] = {}
    mine: list[str] = []
    done: set[str] = set()

    async def client(url: str, k: int) -> None:
        async with Wire(url, transports=["websocket"]) as wire:
            asked = {"n_sensors": 2 + k % 4, "theta": 200.0 + k}
            await wire.until("message")
            await wire.say("submitJob", asked)
            job = await wire.until("job")
            name = job["job_id"]
            mine.append(name)
            await wire.until("jobFinished", lambda data: data["job_id"] == name)
            done.add(name)
            # Until everybody has been told of everything.
            while len(done) < 200:
                await asyncio.sleep(0.05)
            await asyncio.sleep(1)
            twice = [d for e, d in wire.heard if e == "jobFinished" and d["job_id"] == name]
            finished[name] = 1 + len(twice)

    async def script(url: str) -> None:
        await asyncio.gather(*(client(url, k) for k in range(200)))

    with (
        sq.connect(n_workers=2, set_as_default=False) as two_workers,
        command(tmp_path / "store", 0, "--scheduler", two_workers.scheduler.address) as (url, _),
    ):
        began = time.monotonic()
        play(script(url))
        print(f"200 clients, 200 jobs: {time.monotonic() - began:.1f} s")
    assert len(set(mine)) == 200
    assert finished == dict.fromkeys(mine, 1)


def _memory(process: int) -> float:
    """Resident memory of a process, MB."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


async def _ask(url: str, times: int, status: int = 200) -> list[float]:
    """Seconds that each of many requests took, one after the other."""
    import aiohttp

    took = []
    async with aiohttp.ClientSession() as session:
        for _ in range(times):
            began = time.perf_counter()
            async with session.get(url) as answer:
                assert answer.status == status
                await answer.read()
            took.append(time.perf_counter() - began)
    return took


def test_ten_thousand_jobs_and_ten_thousand_requests(
    tmp_path: Path, lacking: Callable[[str], NoReturn]
) -> None:
    """The list stays quick, and memory flat."""
    import httpx

    if not Path("/proc/self/status").exists():
        lacking("the system has no /proc")
    store = tmp_path / "store"
    with sq.JobQueue(store=store, connect=False):
        pass
    for folder in ("jobs", "outcomes"):
        (store / folder).mkdir(exist_ok=True)
    now = time.time()
    for k in range(10_000):
        run = f"{k:032x}"
        job = job_of(run=run, task="optimise", user=f"user {k % 7}", created=now)
        (store / "jobs" / job.id).write_bytes(job.to_bytes())
        (store / "outcomes" / job.attempt).write_bytes(finished(run, ended=now).to_bytes())
    with command(store) as (url, process):
        listed = httpx.get(f"{url}/queue", timeout=PATIENCE).json()
        assert len(listed["finished"]) == 10_000
        time.sleep(5)
        took = asyncio.run(_ask(f"{url}/queue", 200))
        median, most = 1000 * statistics.median(took), 1000 * max(took)
        print(f"GET /queue with 10,000 jobs: median {median:.1f} ms, most {most:.0f} ms")
        paths = {
            "/queue": 200, f"/api/v1/jobs/{listed['finished'][5_000]}": 200,
            "/job/0000000000000000": 404, "/api/v1/jobs?limit=5": 200,
        }  # fmt: skip
        for path, status in paths.items():
            asyncio.run(_ask(url + path, 300, status))
        before, began = _memory(process.pid), time.monotonic()
        for path, status in paths.items():
            asyncio.run(_ask(url + path, 2_500, status))
        seconds, after = time.monotonic() - began, _memory(process.pid)
        print(f"10,000 requests in {seconds:.0f} s: {before:.0f} MB before, {after:.0f} after")
    assert after - before < 20

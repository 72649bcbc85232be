"""kill -9 at any page leaves no half-written entry, and the next run goes on."""

from __future__ import annotations

import hashlib
import itertools
import json
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from statistics_office import Asked, Office, Town

from spineq.fetch import fetch_city
from spineq.fetch.cache import Cache

#: Pages of 25 areas and of 1,500 counts: 22 questions in all.
LIMITS = {"arcgis_rows": 25, "nomis_rows": 1500}


def _fetch(
    url: str,
    folder: str,
    pid: multiprocessing.Value,  # type: ignore[valid-type]
    die_at_write: int = 0,
) -> None:
    pid.value = os.getpid()
    if die_at_write:
        writes, named = itertools.count(1), Path.replace

        def replace(self: Path, target: Path) -> Path:
            # The content is there, and has no name yet.
            if next(writes) == die_at_write:
                os.kill(os.getpid(), signal.SIGKILL)
            return named(self, target)

        Path.replace = replace  # type: ignore[method-assign]
    fetch_city("madeby", root=url, store=folder)


def check_whole(folder: Path) -> int:
    """Check every entry of a cache; their number."""
    entries = [path for path in folder.rglob("*") if path.is_file()]
    kept = [path for path in entries if not path.name.startswith(".tmp-")]
    for path in kept:
        data = path.read_bytes()
        if path.parent.name == "answers":
            head, _, body = data.partition(b"\n")
            assert json.loads(head)["sha256"] == hashlib.sha256(body).hexdigest()
            assert Cache(folder).answer(path.name) is not None
        elif path.parent.name == "cities":
            assert path.stem == hashlib.sha256(data).hexdigest()
        else:
            json.loads(data)
    return len(kept)


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["geopandas", "requests", "spineq.fetch", "spineq.data.files"])
    return context


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True], ids=["question", "answer"])
def test_kill_at_every_page(
    town: Town,
    tmp_path: Path,
    processes: multiprocessing.context.ForkServerContext,
    late: bool,
) -> None:
    """Killed at the first question, at the second, at every one."""
    with Office([town], **LIMITS) as office:
        expected = fetch_city("madeby", root=office.url, store=tmp_path / "whole")
        questions = [str(asked) for asked in office.asked]
        assert len(questions) > 20
        for at in range(1, len(questions) + 1):
            office.asked.clear()
            folder = tmp_path / f"killed-{at}"
            pid = processes.Value("i", 0)

            def kill(number: int, asked: Asked, at: int = at, pid: object = pid) -> None:
                if number == at:
                    os.kill(pid.value, signal.SIGKILL)  # type: ignore[attr-defined]

            if late:
                # The answer is half on its way when the process dies.
                def act(handler: object, body: bytes, kind: str, pid: object = pid) -> None:
                    handler.head(200, len(body), kind)  # type: ignore[attr-defined]
                    handler.wfile.write(body[: len(body) // 2])  # type: ignore[attr-defined]
                    handler.wfile.flush()  # type: ignore[attr-defined]
                    os.kill(pid.value, signal.SIGKILL)  # type: ignore[attr-defined]

                office.spoil("", act, skip=at - 1)
            else:
                office.before = kill
            process = processes.Process(target=_fetch, args=(office.url, str(folder), pid))
            process.start()
            process.join(60)
            office.before = None
            office.faults.clear()
            assert process.exitcode == -signal.SIGKILL
            there = check_whole(folder)
            asked = len(office.asked)
            city = fetch_city("madeby", root=office.url, store=folder)
            assert city == expected
            # What had arrived is not asked again.
            assert len(office.asked) - asked == len(questions) - there
            assert check_whole(folder) == len(questions) + 2


@pytest.mark.slow
def test_kill_at_every_write(
    town: Town, tmp_path: Path, processes: multiprocessing.context.ForkServerContext
) -> None:
    """Killed before an entry gets its name: answers, the city, and what it is the answer to."""
    with Office([town], **LIMITS) as office:
        expected = fetch_city("madeby", root=office.url, store=tmp_path / "whole")
        entries = check_whole(tmp_path / "whole")
        # The city's own file is written whole too, beside the cache.
        for at in range(1, entries + 2):
            folder = tmp_path / f"killed-{at}"
            words = (office.url, str(folder), processes.Value("i", 0), at)
            process = processes.Process(target=_fetch, args=words)
            process.start()
            process.join(60)
            assert process.exitcode == -signal.SIGKILL
            check_whole(folder)
            assert fetch_city("madeby", root=office.url, store=folder) == expected
            assert check_whole(folder) == entries

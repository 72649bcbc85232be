"""The cluster that serves a store is found by those who open it later, while it lives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spineq.errors import StoreError
from spineq.jobs import meeting
from spineq.jobs.ledger import Ledger
from spineq.store import FolderStore


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger in a folder."""
    return Ledger.open(str(tmp_path))


def test_nobody_is_there_at_first(ledger: Ledger) -> None:
    """And leaving does nothing."""
    assert meeting.address(ledger) is None
    meeting.leave(ledger)


@pytest.mark.parametrize("ours", [True, False])
def test_an_address_is_found_by_others(ledger: Ledger, ours: bool) -> None:
    """The last one counts, and it is taken away by the process whose it is."""
    for address in ("tcp://127.0.0.1:1", "tcp://127.0.0.1:2"):
        meeting.announce(ledger, address, ours=ours)
        assert meeting.address(Ledger.open(ledger.store.where)) == address
    meeting.leave(ledger)
    assert meeting.address(ledger) == (None if ours else address)


def test_an_address_within_a_process_is_not_announced(ledger: Ledger) -> None:
    """Nobody else can reach it."""
    meeting.announce(ledger, "inproc://127.0.0.1/1/1", ours=True)
    assert ledger.store.names() == ["format"]


@pytest.mark.usefixtures("_named_processes")
def test_a_cluster_that_died_with_its_process_is_not_there(ledger: Ledger) -> None:
    """Its notice stays, and is not another process's to take away."""
    code = (
        "import sys; from spineq.jobs import meeting; from spineq.jobs.ledger import Ledger\n"
        "meeting.announce(Ledger.open(sys.argv[1]), 'tcp://127.0.0.1:1', ours=True)\n"
        "print('said', flush=True); input()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code, ledger.store.where],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "said\n"
    meeting.leave(ledger)
    assert meeting.address(ledger) == "tcp://127.0.0.1:1"
    owner.kill()
    owner.communicate()
    assert meeting.address(ledger) is None
    meeting.announce(ledger, "tcp://127.0.0.1:2", ours=True)
    assert meeting.address(ledger) == "tcp://127.0.0.1:2"


@pytest.mark.parametrize("data", [b"", b'{"addr', b"[]", b'{"address":5}', b"\xff", b'{"at":1}'])
def test_a_torn_notice_is_none(ledger: Ledger, data: bytes) -> None:
    """And is written over."""
    ledger.store.put("scheduler.json", data)
    assert meeting.address(ledger) is None
    meeting.leave(ledger)
    meeting.announce(ledger, "tcp://127.0.0.1:1", ours=True)
    assert meeting.address(ledger) == "tcp://127.0.0.1:1"


def test_leaving_a_store_that_fails_is_no_failure(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads the notice finds nobody."""

    def fail(*_: object) -> None:
        msg = "gone"
        raise StoreError(msg)

    meeting.announce(ledger, "tcp://127.0.0.1:1", ours=True)
    monkeypatch.setattr(FolderStore, "delete", fail)
    meeting.leave(ledger)
    monkeypatch.setattr(FolderStore, "get", fail)
    meeting.leave(ledger)
    assert meeting.address(ledger) is None

"""Where the cluster that serves a store is to be found, written into the store itself."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from spineq.errors import NotInStoreError, StoreError
from spineq.jobs._host import is_gone, process_name
from spineq.jobs.ledger import Ledger
from spineq.jobs.records import Record

_LOG = logging.getLogger(__name__)

_NAME = "scheduler.json"


@dataclass(frozen=True, kw_only=True)
class _Notice(Record):
    """Address of a scheduler, and the process that it ends with (empty if that is not known)."""

    address: str
    process: str = ""
    at: float = 0.0


def address(ledger: Ledger) -> str | None:
    """Address of the scheduler that serves a store; None if none is known to live."""
    notice = _read(ledger)
    return None if notice is None or is_gone(notice.process) else notice.address


def announce(ledger: Ledger, address: str, *, ours: bool) -> None:
    """Write where the scheduler is, for those who open the store later.

    Parameters
    ----------
    ledger
        Of the store.
    address
        Of the scheduler; one that only its own process can reach is not announced.
    ours
        Whether the scheduler ends with this process.
    """
    known = _read(ledger)
    # Whoever started it knows better than whoever joined.
    if address.startswith("inproc") or (known and known.address == address and not ours):
        return
    notice = _Notice(address=address, process=process_name() if ours else "", at=time.time())
    try:
        ledger.store.replace(_NAME, notice.to_bytes())
    except StoreError as error:
        # It only helps others to find us.
        _LOG.warning("%s", error)


def leave(ledger: Ledger) -> None:
    """Take the notice away, if it is this process's own."""
    try:
        notice = _read(ledger)
        if notice is not None and notice.process == process_name() != "":
            ledger.store.delete(_NAME)
    except StoreError:
        # Whoever reads it finds nobody there.
        return


def _read(ledger: Ledger) -> _Notice | None:
    try:
        return _Notice.from_bytes(ledger.store.get(_NAME))
    except StoreError as error:
        if not isinstance(error, NotInStoreError):
            _LOG.warning("%s", error)
        return None

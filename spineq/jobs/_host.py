"""Who this process is, so that another one on the same machine can tell whether it lives."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


@cache
def clock_name() -> str:
    """Name of the clock that this process reads: the machine and its start.

    Times of the same clock may be compared; those of two clocks never are.
    """
    boot = _read("/proc/sys/kernel/random/boot_id")
    return f"{socket.gethostname()}/{boot or 'unknown'}"


def process_name() -> str:
    """Name of this process: empty where the system gives no way to tell later that it ended."""
    return _name_of(os.getpid())


def is_gone(process: str) -> bool:
    """Whether a process is known to have ended; False where that cannot be told from here.

    Parameters
    ----------
    process
        What `process_name` said in that process.
    """
    here = process_name().rpartition("#")[0]
    if not here or process.rpartition("#")[0] != here:
        return False
    pid, _, _ = process.rpartition("#")[2].partition("@")
    return pid.isdecimal() and _name_of(int(pid)) != process


def _name_of(pid: int) -> str:
    # Containers share a host name now and then, but not a space of process numbers.
    space = _link("/proc/self/ns/pid")
    # The line's second field, in brackets, is the command and may hold anything.
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if not space:
        return ""
    # A killed process that nobody has waited for yet is still listed.
    if len(fields) < 20 or fields[0] in ("Z", "X"):
        return "gone"
    return f"{clock_name()}/{space}#{pid}@{fields[19]}"


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""

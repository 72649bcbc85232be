"""Tasks for the tests of the queue; workers import them from here."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any


class OddError(Exception):
    """Has no words, and does not travel."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = (each for each in ())

    def __str__(self) -> str:
        raise RuntimeError


def steps(_: None, progress: Any, *, number: int, seconds: float, diary: str) -> dict[str, Any]:
    """Take some seconds, and write down when that begins; gives how far it came if told to stop."""
    _note(diary, f"{number}")
    began = time.monotonic()
    while (spent := time.monotonic() - began) < seconds:
        if progress.report(spent / seconds, f"step {number}", spent, seconds):
            return {"so far": spent}
        time.sleep(0.01)
    return {"number": number}


def gate(_: None, progress: Any, *, path: str) -> bool:
    """Wait until there is a file of this name."""
    Path(f"{path}.reached").touch()
    while not Path(path).exists():
        if progress.report(0.0, "waiting"):
            return False
        time.sleep(0.01)
    return True


def odd(_: None, progress: Any, *, kind: str) -> Any:
    """Raise or return something odd."""
    if kind == "a set":
        return {1, 2}
    if kind == "not a number":
        return float("nan")
    if kind == "exit":
        raise SystemExit(3)
    if kind == "interrupt":
        raise KeyboardInterrupt
    if kind == "generator":
        raise GeneratorExit("no more")
    if kind == "cancelled":
        from asyncio import CancelledError

        raise CancelledError("odd")
    if kind == "long":
        raise ValueError("x" * 1_000_000)
    if kind == "recursion":
        return odd(_, progress, kind=kind)
    raise OddError


def _note(diary: str, words: str) -> None:
    # Appended in one piece, however many processes write.
    file = os.open(diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, f"{words}\n".encode())
    finally:
        os.close(file)

"""A process of its own for HiGHS, which can be killed at any moment."""

from __future__ import annotations

import io
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.errors import SolverError

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Seconds from one look at the process to the next.
LOOK = 0.02

Data = Mapping[str, "NDArray[Any]"]
Messages = Iterator[dict[str, Any] | None]
Run = Callable[[Data], AbstractContextManager[Messages]]


@contextmanager
def by_child(data: Data) -> Iterator[Messages]:
    """Run HiGHS in a process of its own; it is gone when the context is left.

    Yields messages of `_milp_child.solve`, and None every `LOOK` seconds without one.

    Raises
    ------
    SolverError
        The process ended without an answer.
    """
    # Not as a module of the package, whose import would take longer than small problems; and
    # without the script's folder on the path, where our random.py is not Python's.
    command = [sys.executable, "-P", str(Path(__file__).with_name("_milp_child.py"))]
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **data)
    # A session of its own: Ctrl-C in the terminal is for us, and we decide what it means.
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threads = [
        threading.Thread(target=_send, args=(process, packed.getbuffer()), daemon=True),
        threading.Thread(target=_receive, args=(process, lines), daemon=True),
    ]
    try:
        for thread in threads:
            thread.start()
        yield _messages(process, lines)
    finally:
        process.kill()
        process.wait()
        for thread in threads:
            thread.join()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None  # both are pipes
            with suppress(OSError):
                pipe.close()


def _send(process: subprocess.Popen[bytes], packed: Any) -> None:
    assert process.stdin is not None  # it is a pipe
    # It stays open: its end would tell the child that we are gone.
    with suppress(OSError):
        process.stdin.write(b"%d\n" % len(packed))
        process.stdin.write(packed)
        process.stdin.flush()


def _receive(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    assert process.stdout is not None  # it is a pipe
    for line in process.stdout:
        lines.put(line)
    lines.put(b"")


def _messages(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> Messages:
    while True:
        try:
            line = lines.get(timeout=LOOK)
        except queue.Empty:
            yield None
            continue
        if not line.endswith(b"\n"):
            code = process.wait()
            how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            msg = f"the process of HiGHS {how} before it had an answer"
            raise SolverError(msg, mend="Try again, with fewer sites if memory was short")
        message: dict[str, Any] = json.loads(line)
        yield message
        if "end" in message or "error" in message:
            return

"""Processes that do the same thing at the same moment."""

from __future__ import annotations

import subprocess
import sys

_LINE_UP = """
print("ready", flush=True)
sys.stdin.readline()
"""


def race(get_ready: str, run: str, where: str, names: str) -> dict[str, int]:
    """Let one process a letter run the same code, all from one signal; return what each prints.

    The code, ``get_ready`` before the signal and ``run`` after it, finds ``where`` and its own
    letter as ``where`` and ``me``, and prints a whole number.
    """
    code = f"import sys\nwhere, me = sys.argv[1:]\n{get_ready}{_LINE_UP}{run}"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, where, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return dict(zip(names, (int(racer.communicate()[0]) for racer in racers), strict=True))

"""Another process of this machine can tell whether this one lives; one elsewhere cannot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from spineq.jobs import _host
from spineq.jobs._host import clock_name, is_gone, process_name

pytestmark = pytest.mark.usefixtures("_named_processes")

SAY = (
    "import sys; from spineq.jobs._host import *;"
    "print(process_name(), flush=True); print(clock_name(), flush=True); sys.stdin.read()"
)


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Another process, what it calls itself, and its clock."""
    process = subprocess.Popen(
        [sys.executable, "-c", SAY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process, process.stdout.readline().strip(), process.stdout.readline().strip()
    process.kill()
    process.communicate()


def test_this_process_lives() -> None:
    """And is called the same each time."""
    assert process_name() == process_name()
    assert not is_gone(process_name())


def test_another_process_lives_until_it_is_killed(
    other: tuple[subprocess.Popen[str], str, str],
) -> None:
    """Also one that nobody has waited for is gone, at once."""
    process, name, clock = other
    assert clock == clock_name()
    assert name != process_name()
    assert not is_gone(name)
    process.kill()
    process.stdout.read()  # type: ignore[union-attr]  # its end comes with the process's
    for _ in range(1000):
        if is_gone(name):
            break
    assert is_gone(name)
    process.wait()
    assert is_gone(name)


def test_a_number_that_another_process_got_is_another_process() -> None:
    """The time of its start is part of a name."""
    head, _, start = process_name().rpartition("@")
    assert is_gone(f"{head}@{int(start) - 1}")


@pytest.mark.parametrize(
    "name", ["", "x", "#", "other/boot/pid:[1]#1@1", "#1@1", "nobody/1/x#99999999@5"]
)
def test_of_what_is_not_from_here_nothing_is_known(name: str) -> None:
    """Another machine's process may live, and so may one that has no name."""
    assert not is_gone(name)


@pytest.mark.parametrize("number", ["", "x", "-1", "1.5", "٣x"])
def test_a_name_that_nobody_wrote_is_of_nobody(number: str) -> None:
    """It raises nothing."""
    assert not is_gone(f"{process_name().rpartition('#')[0]}#{number}@1")


def test_without_proc_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process there has no name, and knows of nobody's end."""
    there = process_name()
    monkeypatch.setattr(_host, "_link", lambda path: "")
    monkeypatch.setattr(_host, "_read", lambda path: "")
    assert process_name() == ""
    assert not is_gone(there)
    assert not is_gone("5")


def test_the_clock_has_the_machine_and_its_start() -> None:
    """Two machines of one name have two clocks."""
    machine, _, boot = clock_name().partition("/")
    assert machine
    assert boot

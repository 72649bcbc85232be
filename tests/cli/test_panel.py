"""``spineq panel``: its notebook, what it starts, and how that ends."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from command_line import PATIENCE, command, good, is_there, run, until

import spineq as sq
from spineq.cli import panel as module
from spineq.cli.panel import NOTEBOOK, panel_notebook, written


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Servers:
    """Stands for the servers: what was started, and what each ends with."""

    def __init__(self) -> None:
        self.started: list[tuple[list[str], dict[str, Any]]] = []
        self.status: int | None = 0

    def __call__(self, words: list[str], **how: Any) -> Servers:
        self.started.append((words, how))
        return self

    def poll(self) -> int | None:
        """It has ended."""
        return self.status


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    """Whatever is started, here it is not."""
    made = Servers()
    monkeypatch.setattr(module.subprocess, "Popen", made)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    return made


def said() -> dict[str, Any]:
    """Parameters that the notebook in this folder has."""
    made: dict[str, Any] = {}
    cells = json.loads(Path(NOTEBOOK).read_text(encoding="utf-8"))["cells"]
    (cell,) = [each for each in cells if "parameters" in each["metadata"].get("tags", ())]
    exec("".join(cell["source"]), made)
    return {name: made[name] for name in ("city", "store")}


# ---------------------------------------------------------------------------- the notebook


def test_the_notebook_of_the_repository_is_this_one(root: Path) -> None:
    """What the command writes for San Francisco is what the source tree has."""
    kept = (root / "notebooks" / "panel.ipynb").read_text(encoding="utf-8")
    assert kept == written(panel_notebook("san-francisco", None))


def test_the_notebook_is_one(needs: Callable[[str], ModuleType]) -> None:
    """It is of nbformat 4.5, and its text is what nbformat itself would write."""
    nbformat = needs("nbformat")
    text = written(panel_notebook("Ma\u00f1ana", "s3://bucket/jobs"))
    read = nbformat.reads(text, as_version=4)
    nbformat.validate(read)
    assert nbformat.writes(read) == text.rstrip("\n")
    assert not any(cell.get("outputs") for cell in read.cells)
    assert "sq.Panel(city, sq.JobQueue(store=store))" in read.cells[-1].source


@pytest.mark.parametrize(
    "place", ['a "b" c', "back\\slash", "Mañana", "new\nline", "{braces}", "bytes\udcff", "'"]
)
def test_any_name_is_kept(place: str) -> None:
    """Whatever a file is called, the cell says so in Python, and the file is UTF-8."""
    Path(NOTEBOOK).write_text(written(panel_notebook(place, place)), encoding="utf-8")
    assert said() == {"city": place, "store": place}


# ---------------------------------------------------------------------------- the command


def test_what_is_started(servers: Servers) -> None:
    """JupyterLab by this Python on this machine alone, in a session of its own."""
    assert good("panel") == ""
    (words, how) = servers.started[0]
    assert words == [sys.executable, "-m", "jupyterlab", NOTEBOOK, "--ServerApp.ip=127.0.0.1"]
    assert how == {"stdin": subprocess.DEVNULL, "start_new_session": True}
    assert said() == {"city": "san-francisco", "store": None}
    good("panel", "--voila", "--port", 8899, "--no-browser")
    (words, _) = servers.started[1]
    assert words[1:4] == ["-m", "voila", NOTEBOOK]
    assert words[4:] == ["--Voila.ip=127.0.0.1", "--port=8899", "--no-browser"]


@pytest.mark.parametrize(
    ("store", "kept"),
    [("jobs", "{here}/jobs"), ("s3://bucket/jobs", "s3://bucket/jobs"), ("/srv/jobs", "/srv/jobs")],
)
def test_paths_are_whole(servers: Servers, tmp_path: Path, store: str, kept: str) -> None:
    """A notebook may be moved: what it says of files holds from anywhere; names stay."""
    sq.demo_city("synthetic", n_areas=20).to_geoparquet("town")
    good("panel", "town", "--store", store)
    assert said() == {"city": str(tmp_path / "town"), "store": kept.format(here=tmp_path)}
    Path(NOTEBOOK).unlink()
    good("panel", "synthetic:20")
    assert said()["city"] == "synthetic:20"


def test_a_notebook_that_is_there_stays(servers: Servers) -> None:
    """It is opened, to the letter as it is; who asked for another city is told."""
    Path(NOTEBOOK).write_text("mine")
    assert run("panel").stderr == ""
    made = run("panel", "synthetic:20")
    assert made.exit_code == 0
    assert "opened as it is" in made.stderr
    assert Path(NOTEBOOK).read_text() == "mine"
    assert [words[3] for words, _ in servers.started] == [NOTEBOOK, NOTEBOOK]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "there is no such file or folder"),
        ([""], "the text is empty"),
        (["synthetic:0"], "n_areas"),
        (["broken.csv"], "broken.csv"),
        (["--port", 0], "0 is not in the range"),
        (["--store", " "], "the store has no name"),
    ],
)
def test_bad_input_starts_nothing(servers: Servers, words: list[str], sentence: str) -> None:
    """One sentence, status 2, no notebook, no server."""
    Path("broken.csv").write_text("a,b\n1,2\n")
    made = run("panel", *words)
    assert made.exit_code == 2
    assert sentence in made.stderr
    assert made.stderr.startswith("spineq: ")
    assert "Traceback" not in made.stderr
    assert not servers.started
    assert not Path(NOTEBOOK).exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], 'package jupyterlab is not installed. Install it: pip install "spineq[panel]".'),
        (["--voila"], 'package voila is not installed. Install it: pip install "spineq[voila]".'),
    ],
)
def test_a_missing_package_is_said(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    """With the command that installs it; nothing is started or written."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    made = run("panel", *words)
    assert made.exit_code == 2
    assert sentence in made.stderr
    assert not servers.started
    assert not Path(NOTEBOOK).exists()


def test_a_folder_that_cannot_be_written(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a sentence, and nothing is started."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    made = run("panel")
    assert made.exit_code == 2
    assert "cannot be written (No space left on device)" in made.stderr
    assert not servers.started


def test_a_server_that_fails_is_a_failure(servers: Servers) -> None:
    """It has said why itself."""
    servers.status = 7
    made = run("panel")
    assert (made.exit_code, made.stderr) == (1, "")


# ---------------------------------------------------------------------------- its end

#: Stands for JupyterLab: starts a child of its own, and says when it was told to end.
_SERVER = """
import pathlib, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
def end(*_):
    pathlib.Path("told").touch()
    if not {deaf}:
        child.kill()
        sys.exit(0)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, lambda *_: pathlib.Path("interrupted").touch())
pathlib.Path("group.part").write_text(str(__import__("os").getpid()))
pathlib.Path("group.part").rename("group")
while True:
    time.sleep(0.05)
"""

#: Runs the command with that server in place of JupyterLab.
_COMMAND = """
import sys
from spineq.cli import main, panel
sys.modules["spineq.cli.panel"]._PATIENCE = {patience}
run = panel._run
panel._run = lambda words: run([sys.executable, "server.py"])
sys.argv = ["spineq", "panel", "--no-browser"]
main()
"""


def _started(tmp_path: Path, *, deaf: bool, patience: float = 60.0) -> subprocess.Popen[str]:
    (tmp_path / "server.py").write_text(_SERVER.format(deaf=deaf))
    return subprocess.Popen(
        [sys.executable, "-c", _COMMAND.format(patience=patience)], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_quietly_with_its_children(tmp_path: Path, number: signal.Signals) -> None:
    """At Ctrl-C, which reaches all processes of a terminal, the server is told once to end; so it
    is when the terminal closes.
    """
    process = _started(tmp_path, deaf=False)
    group = int(until(lambda: (tmp_path / "group").exists() and (tmp_path / "group").read_text()))
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, "", "")
    assert (tmp_path / "told").exists()
    assert not (tmp_path / "interrupted").exists()
    until(lambda: not is_there(group))


@pytest.mark.parametrize("twice", [True, False], ids=["twice", "after a time"])
def test_a_server_that_does_not_end_is_killed(tmp_path: Path, twice: bool) -> None:
    """At the second Ctrl-C, or when it has had its time; its children too."""
    process = _started(tmp_path, deaf=True, patience=600.0 if twice else 0.3)
    group = int(until(lambda: (tmp_path / "group").exists() and (tmp_path / "group").read_text()))
    os.killpg(process.pid, signal.SIGINT)
    until((tmp_path / "told").exists)
    if twice:
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, "", "")
    until(lambda: not is_there(group))


@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["--voila"]], ids=["jupyterlab", "voila"])
def test_the_real_servers(
    tmp_path: Path, needs: Callable[[str], ModuleType], words: list[str]
) -> None:
    """They listen on this machine alone, and end with the command."""
    needs("voila" if words else "jupyterlab")
    settings = tmp_path / "settings"
    settings.mkdir()
    for name in ("jupyter_server_config", "voila"):
        # Tests may run as root in a container.
        text = json.dumps({"ServerApp": {"allow_root": True, "ip": "0.0.0.0"}})
        (settings / f"{name}.json").write_text(text)
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command("panel", "synthetic:20", "--no-browser", *words), cwd=tmp_path,
            env=os.environ | dict.fromkeys(places, str(settings)), stdout=file, stderr=file,
            start_new_session=True,
        )  # fmt: skip
    try:
        until(lambda: "http://127.0.0.1:" in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert "Traceback" not in log.read_text()
    assert said() == {"city": "synthetic:20", "store": None}

"""JupyterLab and Voila as processes on a loopback port, and what a page does with them.

`browser` says how they are used. Everything listens on 127.0.0.1 alone, has folders of its own for
settings, and ends with the block; on Linux also when the tests are killed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.error import HTTPError
from urllib.parse import quote

from dask_processes import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]

#: Longest time until a server, a kernel or a notebook is there, seconds: two cores may be busy.
PATIENCE = 90.0

_TOKEN = "spineq"

_KERNEL = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel"


class _Server(ABC):
    """A Jupyter process on a free port of 127.0.0.1, with settings in folders of its own."""

    def __init__(self, environment: Mapping[str, str] | None) -> None:
        self._more = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        #: Its address, without a slash at the end.
        self.url = ""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        own = Path(self._folder.name)
        try:
            self._prepare(own)
            self._start(own)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is not None:
            # SIGTERM lets it end its kernels, which are in sessions of their own.
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._process = None
        self._folder.cleanup()

    @property
    def log(self) -> str:
        """What it has written."""
        return (Path(self._folder.name) / "log").read_text(errors="replace")

    def _prepare(self, own: Path) -> None:  # noqa: B027 - most servers want none
        """Write settings before the start."""

    @abstractmethod
    def _command(self, port: int) -> Sequence[str]:
        """Arguments of Python that start it on a port."""

    def _start(self, own: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        with (own / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._command(port)],
                env=self._environment(own),
                cwd=own,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            self._ask("/api/status")
        except OSError:
            return False
        return True

    def _ask(self, path: str, method: str = "GET") -> bytes:
        request = urllib.request.Request(f"{self.url}{path}", method=method)
        request.add_header("Authorization", f"token {_TOKEN}")
        # No proxy of the machine's stands between us and loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            content: bytes = answer.read()
            return content

    def _environment(self, own: Path) -> dict[str, str]:
        # What a test runs under must not leak in.
        leaks = ("JUPYTER", "IPYTHON", "VOILA", "DASK_", "SPINEQ_STORE")
        made = {name: value for name, value in os.environ.items() if not name.startswith(leaks)}
        for name, folder in {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }.items():
            made[name] = str(own / folder)
        # Notebooks find the modules in tests too; without colours, tracebacks can be read.
        paths = [str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
        made["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        made["NO_COLOR"] = "1"
        return {**made, **self._more}

    def end_kernels(self) -> None:
        """End every kernel, so that the next test has both cores."""
        for kernel in json.loads(self._ask("/api/kernels")):
            self._ask(f"/api/kernels/{kernel['id']}", "DELETE")


def _end_with_parent() -> None:
    """Ask Linux for SIGTERM when the process that started us is gone (PR_SET_PDEATHSIG)."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of these cells; one that begins with ``%%markdown`` is text."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    made = [
        new_markdown_cell(cell.removeprefix("%%markdown").lstrip("\n"))
        if cell.startswith("%%markdown")
        else new_code_cell(cell)
        for cell in cells
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=made, metadata={"kernelspec": kernel}), path)


class Lab(_Server):
    """JupyterLab for notebooks in a folder.

    Parameters
    ----------
    folder
        Where the notebooks are.
    environment
        Further variables, which the kernels have too; for example SPINEQ_STORE.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(environment)
        self.folder = Path(folder)

    def _prepare(self, own: Path) -> None:
        # No question about news from jupyter.org in front of what a test wants to click.
        settings = own / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')

    def _command(self, port: int) -> Sequence[str]:
        return [
            "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
            f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={_TOKEN}",
            f"--ServerApp.root_dir={self.folder}", "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
        ]  # fmt: skip

    def notebook(self, name: str, cells: Sequence[str]) -> str:
        """Write a notebook into the folder; returns its name, which `open` takes."""
        name = name if name.endswith(".ipynb") else f"{name}.ipynb"
        write_notebook(self.folder / name, cells)
        return name

    def open(self, page: Page, name: str) -> None:
        """Open a notebook of the folder and wait until its kernel is idle."""
        from playwright.sync_api import TimeoutError as TooLong

        address = f"{self.url}/doc/tree/{quote(name)}?token={_TOKEN}"
        idle = f"() => {_KERNEL}?.status === 'idle'"
        try:
            page.goto(address, wait_until="domcontentloaded")
            page.wait_for_function(idle, timeout=30_000)
        except TooLong:
            # About one opening in 75 never gets a kernel.
            page.goto(address, wait_until="domcontentloaded")
            page.wait_for_function(idle, timeout=PATIENCE * 1000)

    def run_all(self, page: Page, seconds: float = PATIENCE) -> None:
        """Run every cell and wait for the end; fails with the traceback of a cell that failed."""
        self._command_of_lab(page, "notebook:run-all-cells")
        self._ran(page, seconds)

    def restart_and_run_all(self, page: Page, seconds: float = PATIENCE) -> None:
        """Restart the kernel as the menu does, its question included, and run every cell."""
        self._command_of_lab(page, "notebook:restart-run-all")
        page.locator(".jp-Dialog button.jp-mod-accept").click()
        self._ran(page, seconds)

    def _command_of_lab(self, page: Page, name: str) -> None:
        # Not awaited here: page.evaluate has no time limit.
        page.evaluate(
            """name => {
                 window.spineqRun = "running";
                 window.jupyterapp.commands.execute(name).then(
                   () => { window.spineqRun = "done"; },
                   error => { window.spineqRun = `failed: ${error}`; });
               }""",
            name,
        )

    def _ran(self, page: Page, seconds: float) -> None:
        from playwright.sync_api import TimeoutError as TooLong

        over = f"() => window.spineqRun !== 'running' && {_KERNEL}?.status === 'idle'"
        try:
            page.wait_for_function(over, timeout=seconds * 1000)
        except TooLong:
            status = page.evaluate(f"() => [window.spineqRun, {_KERNEL}?.status]")
            raise AssertionError(f"after {seconds:g} s the cells are at {status}") from None
        failed = [output for output in self.outputs(page) if output["output_type"] == "error"]
        assert not failed, _plain("\n".join("\n".join(output["traceback"]) for output in failed))
        ran = page.evaluate("() => window.spineqRun")
        assert ran == "done", ran

    def outputs(self, page: Page) -> list[dict[str, Any]]:
        """Outputs of all cells in nbformat's form, in order."""
        found: list[dict[str, Any]] = page.evaluate(
            """() => {
                 const made = [];
                 for (const cell of window.jupyterapp.shell.currentWidget.content.model.cells) {
                   const outputs = cell.outputs;
                   for (let i = 0; outputs && i < outputs.length; i++)
                     made.push(outputs.get(i).toJSON());
                 }
                 return made;
               }"""
        )
        return found

    def execute(self, page: Page, code: str, seconds: float = 30.0) -> str:
        """Run code in the notebook's kernel, outside its cells; returns what it prints."""
        page.evaluate(
            f"""code => {{
                 window.spineqSaid = "";
                 window.spineqRun = "running";
                 const future = {_KERNEL}.requestExecute({{code, store_history: false}});
                 future.onIOPub = message => {{
                   if (message.header.msg_type === "stream")
                     window.spineqSaid += message.content.text;
                   if (message.header.msg_type === "error")
                     window.spineqRun = message.content.traceback.join("\\n");
                 }};
                 future.done.then(() => {{
                   if (window.spineqRun === "running") window.spineqRun = "done";
                 }});
               }}""",
            code,
        )
        page.wait_for_function("() => window.spineqRun !== 'running'", timeout=seconds * 1000)
        ran = page.evaluate("() => window.spineqRun")
        assert ran == "done", _plain(ran)
        said: str = page.evaluate("() => window.spineqSaid")
        return said

    def theme(self, page: Page, dark: bool) -> None:
        """Switch to JupyterLab's dark or light theme, and wait until the page is painted in it."""
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        page.evaluate(
            """name => { window.jupyterapp.commands.execute("apputils:change-theme",
                                                            {theme: name}); }""",
            name,
        )
        # The attribute changes before the style sheet is there: the colour tells.
        page.wait_for_function(
            """([name, dark]) => {
                 if (document.body.dataset.jpThemeName !== name) return false;
                 const probe = document.createElement("div");
                 probe.style.color = "var(--jp-layout-color0)";
                 document.body.append(probe);
                 const [red] = getComputedStyle(probe).color.match(/\\d+/g) ?? [NaN];
                 probe.remove();
                 return dark ? red < 128 : red >= 128;
               }""",
            arg=[name, dark],
        )
        page.locator("#jupyterlab-splash").wait_for(state="detached")

    def collapse_sidebars(self, page: Page) -> None:
        """Give the notebook the whole width."""
        page.evaluate(
            """() => {
                 window.jupyterapp.shell.collapseLeft();
                 window.jupyterapp.shell.collapseRight();
               }"""
        )


class VoilaServer(_Server):
    """Voila for one notebook.

    Parameters
    ----------
    notebook
        Its path.
    environment
        Further variables, which the kernels have too; for example SPINEQ_STORE.
    dark
        Whether in JupyterLab's dark theme.
    """

    def __init__(
        self, notebook: Path, environment: Mapping[str, str] | None = None, *, dark: bool = False
    ) -> None:
        super().__init__(environment)
        self.notebook = Path(notebook)
        self._dark = dark

    def _command(self, port: int) -> Sequence[str]:
        return [
            "-m", "voila", str(self.notebook), "--no-browser", "--Voila.ip=127.0.0.1",
            f"--port={port}", "--port_retries=0", f"--token={_TOKEN}",
            f"--theme={'dark' if self._dark else 'light'}",
            # A cell that fails shows its traceback, which `open` then finds.
            "--show_tracebacks=True",
        ]  # fmt: skip

    def _answers(self) -> bool:
        # Not the page itself, which would start a kernel: whatever it says to this, it is there.
        try:
            self._ask("/voila/static/voila.js")
        except HTTPError:
            return True
        except OSError:
            return False
        return True

    def open(self, page: Page, seconds: float = PATIENCE) -> None:
        """Open the notebook, wait until its cells have run and its widgets are there."""
        from playwright.sync_api import TimeoutError as TooLong

        # The page ends when the last cell has run.
        page.goto(f"{self.url}/?token={_TOKEN}", wait_until="load", timeout=seconds * 1000)
        # Then scripts put outputs where the page has descriptions of them.
        try:
            page.wait_for_function(
                """() => !document.getElementById("loading")
                      && document.getElementById("rendered_cells")?.style.display === ""
                      && !document.querySelector(
                           "script[type='application/vnd.voila.cell-output+json']")
                      && ![...document.querySelectorAll(".jp-OutputArea-output")].some(
                           output => output.textContent === "Loading widget...")""",
                timeout=seconds * 1000,
            )
        except TooLong:
            raise AssertionError(f"Voila shows nothing\n{self.log}") from None
        failed = page.locator("[data-mime-type='application/vnd.jupyter.stderr']")
        said = "\n".join(text for text in failed.all_inner_texts() if "Traceback" in text)
        assert not said, said


def _plain(text: str) -> str:
    """Take terminal colours out."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)

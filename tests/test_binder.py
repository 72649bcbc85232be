"""Binder: what its folder says, and the demo as it runs there, in one core and 2 GB."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest
from browser import Lab, find_chromium, launch, new_context, screenshot
from dask_processes import free_port
from panel_page import ANSWER, PanelPage

#: What Binder promises, MB; and what the demo may take of it, so that the next one fits too.
PROMISED, MOST = 2000, 1600

#: Where a hub puts a user's server.
PREFIX = "/user/somebody/"

#: Runs a command on one core: the rest of the arguments.
_ON_ONE_CORE = """\
import os, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.execvp(sys.argv[1], sys.argv[1:])"""

_KERNEL = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel"


class BinderLab(Lab):
    """JupyterLab as Binder starts it, by binder/start, at a hub's prefix and on one core."""

    def _command(self, port: int) -> Sequence[str]:
        usual = super()._command(port)
        self.url += PREFIX.rstrip("/")
        start = self.folder / "binder" / "start"
        prefix = f"--ServerApp.base_url={PREFIX}"
        return ["-c", _ON_ONE_CORE, str(start), sys.executable, *usual, prefix]

    @property
    def pid(self) -> int:
        """Number of the server's process."""
        assert self._process is not None
        return self._process.pid

    def clusters(self) -> list[dict[str, object]]:
        """What Dask's pane lists."""
        found: list[dict[str, object]] = json.loads(self._ask("/dask/clusters"))
        return found


@contextmanager
def peak_of(pid: int) -> Iterator[dict[str, float]]:
    """Memory of a process and all that descend from it, MB, where the sum was largest.

    Each page that several processes share counts once (PSS).
    """
    import psutil

    peak: dict[str, float] = {}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.3):
            now: dict[str, float] = {}
            for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
                try:
                    name = _kind(process.cmdline())
                    now[name] = now.get(name, 0.0) + process.memory_full_info().pss / 1e6
                except psutil.NoSuchProcess:
                    continue
            if sum(now.values()) > sum(peak.values()):
                peak.clear()
                peak.update(now)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _kind(command: list[str]) -> str:
    words = " ".join(command)
    if "ipykernel" in words:
        return "kernel"
    if "spawn_main" in words:
        return "worker"
    return "server" if "jupyter" in words else "others"


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_scripts_can_run(name: str, root: Path) -> None:
    """They may be executed, stop at the first failure, and are scripts that bash can read."""
    script = root / "binder" / name
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/bin/bash"
    assert "set -euo pipefail" in lines
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_start_ends_in_what_it_is_given(root: Path) -> None:
    """It hands over to the command with its arguments whole, and its status."""
    start = root / "binder" / "start"
    assert start.read_text(encoding="utf-8").rstrip().endswith('\nexec "$@"')
    command = [str(start), "bash", "-c", 'printf "%s|" "$@"; exit 7', "-", "a b", "$HOME", ""]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stdout) == (7, "a b|$HOME||")


def test_start_and_build_compile_for_the_same_machine(root: Path) -> None:
    """What postBuild compiles would otherwise be of no use on another processor."""
    said = [
        re.findall(r"^export (NUMBA_\w+=.*)$", (root / "binder" / name).read_text(), re.MULTILINE)
        for name in ("postBuild", "start")
    ]
    assert said[0] == said[1] == ["NUMBA_CPU_NAME=${NUMBA_CPU_NAME:-generic}"]


@pytest.mark.parametrize(("prefix", "link"), [(PREFIX, PREFIX), ("", "/")])
def test_what_start_tells_dask(root: Path, prefix: str, link: str) -> None:
    """Dask reads it as meant: one small cluster on loopback, its dashboard behind the server."""
    asked = (
        "import json, dask, distributed; print(json.dumps({key: dask.config.get(key) for key in"
        " ['labextension', 'scheduler-address', 'distributed.dashboard.link',"
        " 'distributed.scheduler.worker-saturation']}))"
    )
    leaks = ("DASK_", "JUPYTER", "SPINEQ_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(leaks)}
    if prefix:
        clean["JUPYTERHUB_SERVICE_PREFIX"] = prefix
    command = [str(root / "binder" / "start"), sys.executable, "-c", asked]
    said = json.loads(subprocess.run(command, env=clean, capture_output=True, check=True).stdout)
    address = said["scheduler-address"]
    assert address.startswith("tcp://127.0.0.1:")
    kwargs = said["labextension"]["factory"]["kwargs"]
    assert kwargs["host"] == "127.0.0.1"
    assert kwargs["scheduler_port"] == int(address.rpartition(":")[2])
    assert (kwargs["n_workers"], kwargs["threads_per_worker"]) == (1, 1)
    assert said["labextension"]["initial"] == [{"name": "spineq"}]
    assert said["distributed.dashboard.link"] == f"{link}proxy/{{port}}/status"
    # From dask-config.yaml.
    assert said["distributed.scheduler.worker-saturation"] == 1.0


@pytest.mark.slow
@pytest.mark.cluster
def test_the_demo(
    root: Path,
    tmp_path: Path,
    needs: Callable[[str], ModuleType],
    lacking: Callable[[str], NoReturn],
) -> None:
    """It opens on the panel, whose jobs run on the pane's cluster, and fits in 2 GB."""
    # It is not imported: that wants an event loop, which belongs to JupyterLab.
    if importlib.util.find_spec("dask_labextension") is None:
        lacking("dask_labextension is not installed")
    playwright, chromium = needs("playwright.sync_api"), find_chromium()
    if chromium is None:
        lacking("Chromium is not here (SPINEQ_CHROMIUM names one elsewhere)")
    if not Path("/proc/self/smaps_rollup").exists():
        lacking("this system does not say what memory processes share")
    for name in ("notebooks/panel.ipynb", "dask-config.yaml", "binder"):
        _copy(root / name, tmp_path / name)
    environment = {
        "SPINEQ_SCHEDULER_PORT": str(free_port()),
        "SPINEQ_STORE": str(tmp_path / "store"),
        "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
        # What other tests have compiled is not compiled again, on one core.
        "NUMBA_CPU_NAME": needs("llvmlite.binding").get_host_cpu_name(),
    }
    with (
        BinderLab(tmp_path, environment) as lab,
        peak_of(lab.pid) as peak,
        playwright.sync_playwright() as driver,
        launch(driver, chromium) as browser,
    ):
        page = new_context(browser).new_page()
        page.goto(f"{lab.url}/?token=spineq")
        page.wait_for_url(f"**{PREFIX}lab/tree/notebooks/panel.ipynb*")
        page.wait_for_function(f"() => {_KERNEL}?.status === 'idle'")
        began = time.monotonic()
        lab.run_all(page)
        panel = PanelPage(lab, page)
        panel.ready()
        painted = time.monotonic() - began
        address = f"tcp://127.0.0.1:{environment['SPINEQ_SCHEDULER_PORT']}"
        (cluster,) = lab.clusters()
        assert (cluster["name"], cluster["workers"]) == ("spineq", 1)
        assert cluster["scheduler_address"] == address
        # Where the panel's queue is, and what a notebook's own client says.
        notice = json.loads((tmp_path / "store" / "scheduler.json").read_text(encoding="utf-8"))
        asked = "c = sq.connect(); print(c.scheduler.address, c.dashboard_link); c.close()"
        joined, link = lab.execute(page, asked).split()
        assert notice["address"] == joined == address
        assert re.fullmatch(rf"{PREFIX}proxy/\d+/status", link), link
        assert b"bokeh" in lab._ask(link.removeprefix(PREFIX.rstrip("/"))).lower()
        panel.press("run")
        panel.root.get_by_text(re.compile(ANSWER)).first.wait_for(timeout=90_000)
        answered = time.monotonic() - began
        page.locator('li[data-id="dask-dashboard-launcher"]').click()
        page.locator(".dask-ClusterListingItem").wait_for()
        # The pane asks the cluster for its charts, on one core and in its own time.
        page.locator("button:has-text('Task Stream')").wait_for(timeout=120_000)
        screenshot(page, "binder")
    total = sum(peak.values())
    print(
        f"\npanel after {painted:.1f} s, an answer after {answered:.1f} s; {total:,.0f} MB: {peak}"
    )
    assert set(peak) >= {"server", "kernel", "worker"}
    assert total < MOST < PROMISED


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)

"""JupyterLab and Voila as real processes, seen by a real browser.

::

    from browser import Console, Lab, Traffic, VoilaServer, axe, screenshot

    with Lab(tmp_path, environment={"SPINEQ_STORE": "..."}) as lab:
        name = lab.notebook("demo", ["import spineq", "panel = ..."])
        lab.open(page, name)               # returns when the kernel is idle
        lab.run_all(page)                  # fails with the traceback of a cell that failed
        lab.theme(page, dark=True)
        lab.restart_and_run_all(page)

    with VoilaServer(tmp_path / "demo.ipynb", dark=True) as voila:
        voila.open(page)                   # returns when the cells have run and widgets are drawn

    console, traffic = Console(page), Traffic(page)   # before the page is opened
    assert console.ours() == []            # errors, without the known noise of others
    traffic.reset(); ...; traffic.received_bytes, traffic.received, traffic.types
    screenshot(page.locator(".mine"), "panel-dark")   # test-artefacts/panel-dark.png
    assert axe(page, ".mine") == []        # WCAG 2.2 AA

The fixtures in ``tests/panel/browser/conftest.py`` give ``tab`` (a page), its ``console`` and
``traffic``, and ``lab`` and ``voila``, which start the servers.

- ``page.get_by_role("button", name="Run")`` finds JupyterLab's own button too: look under a class
  of your own.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from jupyter_servers import Lab, VoilaServer, write_notebook

if TYPE_CHECKING:
    from playwright.sync_api import (
        Browser,
        BrowserContext,
        ConsoleMessage,
        Locator,
        Page,
        Playwright,
        WebSocket,
    )

__all__ = [
    "Console",
    "Lab",
    "Traffic",
    "VoilaServer",
    "axe",
    "failed_name",
    "find_chromium",
    "launch",
    "new_context",
    "screenshot",
    "started",
    "write_notebook",
]

ROOT = Path(__file__).resolve().parents[1]

#: How Chromium starts without a display, as root, and without asking the network for anything.
CHROMIUM_OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # /dev/shm is small in containers, and a tab that fills it crashes.
    "--disable-dev-shm-usage",
]


def find_chromium() -> str | None:
    """Path of Chromium or Chrome: SPINEQ_CHROMIUM, Debian's, or the first on the path."""
    named = os.environ.get("SPINEQ_CHROMIUM")
    if named:
        return named
    if Path("/usr/bin/chromium").is_file():
        return "/usr/bin/chromium"
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


def launch(playwright: Playwright, executable: str) -> Browser:
    """Start Chromium."""
    return playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)


@contextmanager
def started(
    needs: Callable[[str], ModuleType], lacking: Callable[[str], NoReturn]
) -> Iterator[Browser]:
    """Chromium, by the fixtures of those names: skips without it or Playwright, fails in CI."""
    playwright = needs("playwright.sync_api")
    executable = find_chromium()
    if executable is None:
        lacking("Chromium is not here (SPINEQ_CHROMIUM names one elsewhere)")
    with playwright.sync_playwright() as driver:
        browser = launch(driver, executable)
        yield browser
        browser.close()


def failed_name(test: str) -> str:
    """Name of the picture of a page whose test failed."""
    return "failed-" + re.sub(r"[^\w-]+", "-", test)


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """Open a fresh context, as large as a laptop's screen, whose time limits suit two cores."""
    context = browser.new_context(**{"viewport": {"width": 1600, "height": 1000}, **options})
    context.set_default_timeout(30_000)
    return context


class Console:
    """What a page says of errors: console errors and uncaught exceptions.

    Attach it before the page is opened.
    """

    #: Errors that are not ours. Each is searched for in the text and its address.
    NOISE = (
        # jupyter-leaflet offers and asks for Leaflet 1.9.4 in two ways that Lab finds unequal.
        r"Unsatisfied version .* of shared singleton module leaflet|leaflet.*Unsatisfied",
        # Voila's pages name scripts and fonts on the internet, which is not there.
        r"fontawesome|font-awesome|cdnjs\.cloudflare\.com|cdn\.jsdelivr\.net|unpkg\.com",
        r"cdn\.mathjax|mathjax|fonts\.g(?:oogleapis|static)\.com",
        # Dask's pane and its proxy are JupyterLab's, and find less in Voila than they want.
        r"jupyter-server-proxy/static/remoteEntry|Plugin 'dask-labextension:plugin' failed",
        # Map tiles, where a test asks for a base map without internet.
        r"tile\.openstreetmap|tile\.osm|basemaps\.cartocdn|/\d+/\d+/\d+(?:@2x)?\.png",
        r"favicon",
    )

    def __init__(self, page: Page) -> None:
        #: (kind, text, address), in order; kind is console's own, or "pageerror".
        self.said: list[tuple[str, str, str]] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(("pageerror", _stack(error), "")))

    def _console(self, message: ConsoleMessage) -> None:
        self.said.append((message.type, message.text, message.location.get("url", "")))

    def errors(self) -> list[str]:
        """Every error, noise included."""
        return [
            f"{kind}: {text} [{address}]"
            for kind, text, address in self.said
            if kind in ("error", "pageerror", "assert")
        ]

    def ours(self, *allowed: str) -> list[str]:
        """Errors that are not the known noise, nor match one of these further expressions."""
        noise = re.compile("|".join((*self.NOISE, *allowed)), flags=re.IGNORECASE)
        return [error for error in self.errors() if not noise.search(error)]

    def clear(self) -> None:
        """Forget everything."""
        self.said.clear()


def _stack(error: Any) -> str:
    return f"{error.message}\n{error.stack or ''}".strip()


class Traffic:
    """Count what goes between a page and its kernels over web sockets.

    Attach it before the page is opened: a socket that is there already is not seen.
    """

    _TYPE = re.compile(rb'"msg_type":\s*"(\w+)"')

    def __init__(self, page: Page) -> None:
        self.reset()
        page.on("websocket", self._socket)

    def reset(self) -> None:
        """Begin again at nothing."""
        #: Messages from kernels to the page, and their bytes.
        self.received = self.received_bytes = 0
        #: Messages from the page to kernels, and their bytes.
        self.sent = self.sent_bytes = 0
        #: Received messages by Jupyter's message type, such as comm_msg and status.
        self.types: Counter[str] = Counter()

    def _socket(self, socket: WebSocket) -> None:
        if "/channels" in socket.url:
            socket.on("framereceived", self._received)
            socket.on("framesent", self._sent)

    def _received(self, frame: str | bytes) -> None:
        content = _bytes(frame)
        self.received += 1
        self.received_bytes += len(content)
        found = self._TYPE.search(content[:4096])
        self.types[found[1].decode() if found else "?"] += 1

    def _sent(self, frame: str | bytes) -> None:
        self.sent += 1
        self.sent_bytes += len(_bytes(frame))


def _bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


def screenshot(target: Page | Locator, name: str, **options: Any) -> Path:
    """Write a PNG into test-artefacts/ (or SPINEQ_ARTEFACTS); returns its path."""
    folder = Path(os.environ.get("SPINEQ_ARTEFACTS") or ROOT / "test-artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.removesuffix('.png')}.png"
    target.screenshot(path=path, **options)
    return path


#: Rules of axe-core: WCAG 2.0 to 2.2, levels A and AA.
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


def axe(
    page: Page, selector: str, *, tags: Sequence[str] = WCAG, without: Sequence[str] = ()
) -> list[str]:
    """Look for what hinders people with disabilities, with axe-core.

    Parameters
    ----------
    page
        A page; dialogs and panels that are to be looked at must be open.
    selector
        CSS selector of the part that is looked at; at least one element must match.
    tags
        Which rules; "best-practice" gives more.
    without
        Rules that are left out, by name.

    Returns
    -------
    list of str
        One a violation and element: rule, severity, what it wants, the element, what to mend.
    """
    from axe_playwright_python.base import AXE_SCRIPT

    assert page.locator(selector).count(), f"nothing on the page is {selector!r}"
    if not page.evaluate("() => Boolean(window.axe?.run)"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(_AXE, [selector, list(tags), list(without)])
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {' '.join(map(str, node['target']))}: "
        f"{node['html'][:200]}: {' '.join(node['failureSummary'].split())}"
        for rule in found
        for node in rule["nodes"]
    ]


# Contrast and size are only looked at where nothing clips. JupyterLab's body has no height and
# clips what overflows, and a notebook scrolls: so the body gets a height meanwhile, and what was
# out of sight is scrolled to and looked at again.
_AXE = """async ([selector, tags, without]) => {
  const rules = Object.fromEntries(without.map(name => [name, {enabled: false}]));
  const run = runOnly => window.axe.run(
    {include: [[selector]]}, {runOnly, rules, resultTypes: ["violations"]});
  const again = window.axe.getRules(tags).map(rule => rule.ruleId).filter(name =>
    ["color-contrast", "target-size"].includes(name) && !without.includes(name));
  const part = [...document.querySelectorAll(selector)];
  const unseen = new Set(part.flatMap(top => [top, ...top.querySelectorAll("*")]).filter(one =>
    (one.matches("a, button, input, select, textarea, [role], [tabindex]")
      || [...one.childNodes].some(node => node.nodeType === 3 && node.nodeValue.trim()))
    && one.checkVisibility({visibilityProperty: true})));
  const see = () => {
    for (const one of unseen) {
      const {left, top, width, height} = one.getBoundingClientRect();
      const there = document.elementFromPoint(left + width / 2, top + height / 2);
      if (there && (one.contains(there)
                    || there.contains(one) && part.some(top => top.contains(there))))
        unseen.delete(one);
    }
  };
  const before = document.body.style.minHeight;
  document.body.style.minHeight = "100vh";
  try {
    see();
    const found = (await run({type: "tag", values: tags})).violations;
    for (const one of again.length ? [...unseen] : []) {
      if (!unseen.has(one)) continue;
      one.scrollIntoView({block: "center", inline: "nearest", behavior: "instant"});
      see();
      unseen.delete(one);
      found.push(...(await run({type: "rule", values: again})).violations);
    }
    const known = new Set();
    for (const rule of found)
      rule.nodes = rule.nodes.filter(node => {
        const name = rule.id + " " + node.target.join(" ");
        return !known.has(name) && known.add(name);
      });
    return found;
  } finally {
    document.body.style.minHeight = before;
  }
}"""

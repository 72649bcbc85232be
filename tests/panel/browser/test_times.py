"""How soon the page shows what has happened: measured and printed, for the report."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import Lab
from panel_page import PanelPage, measured

if TYPE_CHECKING:
    from playwright.sync_api import Page

GiveLab = Callable[..., Lab]

#: Notes when a job was heard to have finished, and when the page had painted its answer.
_ANSWERS = """
import time
heard, painted = [], []
queue.watch(lambda job: job.state == "finished" and heard.append(time.time()))
panel.map.observe(lambda change: painted.append((time.time(), panel.state.network_name)), "painted")
panel.setup.preview.switch(False)
"""


@pytest.mark.parametrize(("areas", "goal"), [(1_000, "200 ms"), (10_000, "300 ms")])
def test_from_a_finished_job_to_the_map(
    lab: GiveLab, tab: Page, tmp_path: Path, areas: int, goal: str
) -> None:
    """Three jobs, by greedy, each shown when it is done."""
    page = PanelPage(lab(), tab)
    city = f'sq.demo_city("synthetic", n_areas={areas})'
    page.start(city, store=str(tmp_path / "store"))
    page.lab.execute(tab, _ANSWERS)
    took = []
    # Other numbers than the preview's 20: what has the same colours is not painted again.
    for k in range(3):
        page.lab.execute(
            tab,
            "heard.clear(); painted.clear()\n"
            f"job = queue.submit(city, n_sensors={21 + k}, method='greedy', note='job {k}')\n"
            "panel.state.job = job.id",
        )
        page.headline(f"job {k}", 60)
        page.until(f"any(name.startswith('job {k},') for _, name in painted)")
        at = f"next(at for at, name in painted if name.startswith('job {k},')) - heard[-1]"
        took.append(float(page.python(at)))
    measured(f"job finished to recoloured map, {areas:,} areas", statistics.median(took), goal)


#: Notes each figure of progress when the queue hears of it.
_EVENTS = """
import time
events = {}
def note(job):
    events.setdefault(f"{round(100 * job.progress.fraction)}", time.time())
queue.watch(note)
"""


def test_from_an_event_to_painted_progress(lab: GiveLab, tab: Page, tmp_path: Path) -> None:
    """A job of ten seconds or more: each figure on the page against when it was heard of."""
    page = PanelPage(lab(), tab)
    page.start('sq.demo_city("synthetic", n_areas=8_000)', store=str(tmp_path / "store"))
    page.tab("jobs")
    page.lab.execute(tab, _EVENTS)
    tab.evaluate(
        """() => {
             const seen = window.spineqSeen = {};
             const look = () => {
               const bar = document.querySelector(".spineq-tab-jobs .bar");
               const now = bar?.getAttribute("aria-valuenow");
               if (now && !(now in seen)) seen[now] = Date.now() / 1000;
             };
             new MutationObserver(look).observe(document.querySelector(".spineq-panel"),
               {subtree: true, childList: true, attributes: true});
           }"""
    )
    page.lab.execute(tab, "job = queue.submit(city, n_sensors=80, theta=500)")
    page.until("job.snapshot().has_ended", 120)
    tab.wait_for_timeout(500)
    events = json.loads(page.python("__import__('json').dumps(events)"))
    seen = tab.evaluate("() => window.spineqSeen")
    both = [seen[percent] - at for percent, at in events.items() if percent in seen]
    assert len(both) >= 5
    measured("event to painted progress", statistics.median(both), "300 ms")

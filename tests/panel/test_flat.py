"""Hundreds of jobs under an open panel: memory, widgets and messages to the page stay flat."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets
import psutil
import pytest

import spineq as sq
from spineq.panel.job_words import name_of
from spineq.panel.ticker import PACE

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

#: Jobs before the first look and before the second.
FEW, MANY = 100, 500


def test_five_hundred_jobs_leave_the_panel_as_small_as_one_hundred(
    tmp_path: Path, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other in small crowds, each followed by id, with the table of jobs open."""
    sent: list[str] = []
    send = ipywidgets.Widget._send

    def counted(widget: Any, *rest: Any, **words: Any) -> None:
        sent.append(type(widget).__name__)
        send(widget, *rest, **words)

    monkeypatch.setattr(ipywidgets.Widget, "_send", counted)
    city = sq.demo_city("synthetic", n_areas=30)
    with sq.JobQueue(store=tmp_path / "store", n_workers=2) as queue:
        panel = sq.Panel(city, queue)
        panel.presence.say(views=1)
        panel.setup.form.put(live=False)
        panel.open_tab("jobs")
        done = 0
        looks: dict[int, tuple[float, int]] = {}
        began = time.monotonic()
        before = len(sent)
        for number in (FEW, MANY):
            while done < number:
                jobs = [
                    queue.submit(city, n_sensors=2, theta=100 + done + k, method="greedy")
                    for k in range(20)
                ]
                panel.state.job = jobs[-1].id
                for job in jobs:
                    job.result(timeout=60)
                done += 20
            name = name_of(queue.snapshot(panel.state.job))
            until(lambda name=name: panel.state.network_name == name, 10)
            until(lambda done=done: panel.jobs.table.total == f"{done} jobs", 10)
            gc.collect()
            memory = psutil.Process().memory_info().rss / 1e6
            looks[number] = memory, len(ipywidgets.Widget.widgets)
        took = time.monotonic() - began
        assert panel.state.error == ""
        panel.close()
    print(looks, f"{took:.0f} s, {len(sent) - before} messages")
    assert looks[MANY][1] == looks[FEW][1]
    assert looks[MANY][0] - looks[FEW][0] < 60
    # Eight widgets renew themselves, each in a few parts, however many jobs move.
    assert len(sent) - before < 100 + 8 * took / PACE

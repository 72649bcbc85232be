"""A city of Newcastle's size and 20,000 sites: in time, and in little memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CODE = """
import json, re, time, warnings
from pathlib import Path
import numpy as np, pandas as pd
from spineq.errors import SpineqWarning
from spineq.model.city import City
from spineq.travel import from_streets

warnings.simplefilter("ignore", SpineqWarning)
rng, wide, high, columns, rows = np.random.default_rng(16), 14_000.0, 10_000.0, 374, 268
corner = np.array([420_000.0, 560_000.0])
across, along = np.meshgrid(np.arange(columns), np.arange(rows), indexing="ij")
grid = np.column_stack([across.ravel() / columns * wide, along.ravel() / rows * high])
xy = corner + grid + rng.uniform(-12, 12, grid.shape)
node = np.arange(len(xy)).reshape(columns, rows)
edges = np.concatenate([
    np.column_stack([node[:-1].ravel(), node[1:].ravel()]),
    np.column_stack([node[:, :-1].ravel(), node[:, 1:].ravel()]),
])
edges = edges[rng.random(len(edges)) < 0.8]
nodes = pd.DataFrame({"osmid": np.arange(len(xy)), "x": xy[:, 0], "y": xy[:, 1]})
places = corner + rng.random((20_910, 2)) * [wide, high]
areas, sites = (pd.DataFrame(part, columns=["x", "y"]) for part in (places[:910], places[910:]))
areas = areas.assign(area_id=[f"a{k:03d}" for k in range(910)], population=100)
city = City.from_frame(areas, crs="EPSG:27700")
city = city.with_sites(sites.assign(site_id=[f"s{k:05d}" for k in range(20_000)]))
begin = time.perf_counter()
made = from_streets(city, (nodes, pd.DataFrame(edges, columns=["u", "v"])), limit=1500)
seconds = time.perf_counter() - begin
# Not ru_maxrss, in which the size of the process that began this one is left.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1e6
print(json.dumps({"nodes": len(xy), "pairs": len(made), "seconds": seconds, "gigabytes": peak}))
"""


@pytest.mark.slow
def test_twenty_thousand_sites_for_910_areas() -> None:
    """Within 1,500 m on a graph of 100,000 nodes: under a minute, under 2 GB."""
    ended = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    told = json.loads(ended.stdout)
    print(told)
    assert told["nodes"] > 100_000
    assert told["pairs"] > 300_000
    assert told["seconds"] < 60
    assert told["gigabytes"] < 2

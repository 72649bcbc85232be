"""Clusters: started, joined, refused; and plain Dask with cities and networks."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator

import dask
import dask.config
import pytest
from distributed import Client, LocalCluster

import spineq as sq
from spineq.errors import ClusterError
from spineq.jobs.cluster import apply_dask_config

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Address of a scheduler and a worker in processes of their own."""
    scheduler = subprocess.Popen(
        [
            sys.executable, "-u", "-m", "dask", "scheduler", "--host", "127.0.0.1",
            "--port", "0", "--no-dashboard",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert scheduler.stderr is not None
    found = ""
    for line in scheduler.stderr:
        if "Scheduler at:" in line:
            found = line.split("Scheduler at:")[1].strip()
            break
    worker = subprocess.Popen(
        [
            sys.executable, "-m", "dask", "worker", found, "--nworkers", "1", "--nthreads", "1",
            "--host", "127.0.0.1", "--no-dashboard",
        ],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    # Nobody reads on, so the pipe must not fill up.
    drain = subprocess.Popen(["cat"], stdin=scheduler.stderr, stdout=subprocess.DEVNULL)
    yield found
    for process in (worker, scheduler, drain):
        process.terminate()
        process.wait(20)


def test_sixty_plain_submits_equal_local_results(address: str) -> None:
    """Networks from a worker in a process of its own equal local ones bit for bit, quietly."""
    city = sq.demo_city()
    asked = [
        {"n_sensors": n, "theta": theta, "method": method}
        for n in range(1, 11)
        for theta in (300, 500, 800)
        for method in ("greedy", "exchange")
    ]
    with warnings.catch_warnings(), Client(address, set_as_default=False) as client:
        warnings.simplefilter("error")  # a large graph warns
        client.wait_for_workers(1, timeout=60)
        there = client.scatter(city)
        futures = [client.submit(sq.optimise, there, **words) for words in asked]
        networks = client.gather(futures)
    assert len(networks) == 60
    for words, network in zip(asked, networks, strict=True):
        assert network == sq.optimise(city, **words)


def test_connect_joins_a_scheduler_by_address(address: str) -> None:
    """An address of a scheduler on this machine is joined; a client is returned as it is."""
    with sq.connect(address, set_as_default=False) as client:
        assert client.scheduler.address == address
        assert sq.connect(client) is client


def test_a_city_is_sent_without_being_read_by_dask() -> None:
    """Dask names a city by its digest, so that equal cities are one to it."""
    one, other = sq.demo_city(), sq.demo_city()
    assert dask.base.tokenize(one) == dask.base.tokenize(other)
    assert dask.base.tokenize(one) != dask.base.tokenize(
        one.with_sites(one.sites.rename_axis("site_id").reset_index().iloc[:5])
    )


def test_connect_starts_a_cluster_on_loopback_and_closes_it() -> None:
    """A cluster of our own listens on the loopback address alone, one thread a worker."""
    client = sq.connect(n_workers=1, set_as_default=False)
    with client:
        cluster = client.cluster
        info = client.scheduler_info()
        assert info["address"].startswith("tcp://127.0.0.1:")
        assert client.dashboard_link.startswith("http://127.0.0.1:")
        assert [worker["nthreads"] for worker in info["workers"].values()] == [1]
        assert all(name.startswith("tcp://127.0.0.1:") for name in info["workers"])
        pid = client.submit(os.getpid).result()
        assert pid != os.getpid()
        inner = client.submit(_address_inside).result()
        assert inner == info["address"]
    assert cluster.status.name == "closed"


def _address_inside() -> str:
    return str(sq.connect().scheduler.address)


def test_connect_takes_a_cluster_and_an_environment_variable() -> None:
    """A cluster object is joined, and so is the scheduler that Dask is configured with."""
    with LocalCluster(
        n_workers=1,
        processes=False,
        protocol="tcp://",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as cluster:
        with sq.connect(cluster, set_as_default=False) as client:
            assert client.scheduler.address == cluster.scheduler_address
        with (
            dask.config.set({"scheduler-address": cluster.scheduler_address}),
            sq.connect(set_as_default=False) as client,
        ):
            assert client.cluster is None
            assert client.scheduler.address == cluster.scheduler_address


@pytest.mark.parametrize(
    "address",
    [
        "tcp://10.0.0.5:8786",
        "192.168.1.2:8786",
        "tcp://host:8786",
        "ws://10.0.0.5:8786",
        "ucx://h:1",
    ],
)
@pytest.mark.parametrize("words", [{}, {"security": None}])
def test_an_open_door_is_refused(address: str, words: dict[str, None]) -> None:
    """An unencrypted address elsewhere is refused before anything is sent."""
    with pytest.raises(ClusterError, match="neither encrypted nor on this machine"):
        sq.connect(address, **words)


def test_the_address_is_the_first_argument() -> None:
    """An address as a keyword would be mistaken for no address."""
    with pytest.raises(ClusterError, match="first argument"):
        sq.connect(address="tcp://127.0.0.1:8786")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_nobody_there_is_said_in_words(address: str) -> None:
    """An address where nobody answers ends in one sentence."""
    with pytest.raises(ClusterError, match="no Dask scheduler answers at"):
        sq.connect(address, allow_remote=True, timeout="1s", set_as_default=False)


def test_our_settings_become_defaults_but_the_user_wins() -> None:
    """dask-config.yaml takes effect, except where the user has said otherwise."""
    code = (
        "import dask, distributed, sys\n"
        "from spineq.jobs.cluster import apply_dask_config\n"
        "apply_dask_config()\n"
        "print(dask.config.get('distributed.scheduler.worker-saturation'),"
        " dask.config.get('distributed.scheduler.allowed-failures'))"
    )
    assert apply_dask_config().name == "dask-config.yaml"
    for environment, expected in (
        ({}, "1.0 10"),
        ({"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "4"}, "1.0 4"),
    ):
        found = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.strip() == expected

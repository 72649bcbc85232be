"""Clusters: started, joined, refused; and plain Dask with cities and networks."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask
import dask.config
import dask_processes
import pytest
import worker_side
from distributed import Client, LocalCluster, Security

import spineq as sq
from spineq.errors import ClusterError

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Address of a scheduler and a worker in processes of their own."""
    with dask_processes.scheduler() as scheduler, dask_processes.worker(scheduler.address):
        yield scheduler.address


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


def test_a_cluster_of_our_own_is_encrypted_where_dask_is_told_so(tmp_path: Path) -> None:
    """Where Dask's settings require encryption, all of a new cluster speaks TLS."""
    tls = dask_processes.certificates(tmp_path)
    pair = {"cert": str(tls.certificate), "key": str(tls.key)}
    told = {
        "distributed.comm.require-encryption": True,
        "distributed.comm.tls.ca-file": str(tls.authority),
        "distributed.comm.tls.scheduler": pair,
        "distributed.comm.tls.worker": pair,
        "distributed.comm.tls.client": pair,
    }
    with dask.config.set(told), sq.connect(n_workers=1, set_as_default=False) as client:
        assert client.submit(sum, [1, 2]).result() == 3
        info = client.scheduler_info()
        addresses = [info["address"], *info["workers"]]
        assert all(name.startswith("tls://127.0.0.1:") for name in addresses)


@pytest.mark.parametrize("security", [True, Security(require_encryption=True)])
def test_certificates_for_a_new_cluster_are_refused(security: object) -> None:
    """Dask would give them to the client alone, which then could not reach its cluster."""
    with pytest.raises(ClusterError, match="takes no certificates"):
        sq.connect(security=security)


def _address_inside() -> str:
    return str(sq.connect().scheduler.address)


def test_connect_takes_a_cluster_and_an_environment_variable() -> None:
    """A cluster object is joined, and so is the scheduler that Dask is configured with."""
    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
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
        "tcp://0.0.0.0:8786",
        "0.0.0.0:8786",
        "tcp://[::]:8786",
        "tcp://[2001:db8::5]:8786",
        "[fe80::1%eth0]:8786",
        "tcp://2001:db8::5",
        "tcp://[::1",
        "tcp://localhost.example.org:8786",
        "tcp://127.0.0.1.example.org:8786",
        "tcp://127.0.0.1@10.0.0.5:8786",
        "scheduler.example.org",
        "",
    ],
)
@pytest.mark.parametrize("words", [{}, {"security": None}, {"security": Security()}])
def test_an_open_door_is_refused(address: str, words: dict[str, Any]) -> None:
    """An unencrypted address elsewhere is refused before anything is sent."""
    with pytest.raises(ClusterError, match="neither encrypted nor on this machine"):
        sq.connect(address, **words)


@pytest.mark.parametrize(
    "address",
    [
        "tcp://127.0.0.1:9",
        "127.8.9.1:9",
        "tcp://[::1]:9",
        "tcp://localhost:9",
        "LOCALHOST:9",
        "tls://127.0.0.1:9",
    ],
)
def test_an_address_of_this_machine_is_tried(address: str) -> None:
    """What is loopback or encrypted is not refused: nobody answers there."""
    with pytest.raises(ClusterError, match="no Dask scheduler answers at"):
        sq.connect(address, timeout="1s", set_as_default=False)


@pytest.mark.slow
def test_a_scheduler_over_tls_is_joined(tmp_path: Path) -> None:
    """Over TLS two workers give the right answers; without certificates nobody gets in."""
    tls = dask_processes.certificates(tmp_path)
    city = sq.demo_city()
    with (
        dask_processes.scheduler(tls=tls) as scheduler,
        dask_processes.worker(scheduler.address, tls=tls),
        dask_processes.worker(scheduler.address, tls=tls),
    ):
        assert scheduler.address.startswith("tls://127.0.0.1:")
        words = {"set_as_default": False, "timeout": "10s"}
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the settings have arrived
            client = sq.connect(scheduler.address, security=tls.security(), **words)
        with client:
            workers = client.scheduler_info()["workers"]
            assert len(workers) == 2
            assert all(name.startswith("tls://127.0.0.1:") for name in workers)
            there = client.scatter(city)
            jobs = [client.submit(sq.optimise, there, n_sensors=n, theta=500) for n in (5, 9)]
            for n, network in zip((5, 9), client.gather(jobs), strict=True):
                assert network == sq.optimise(city, n_sensors=n, theta=500)
        plain = scheduler.address.replace("tls://", "tcp://")
        for address, security in (
            (plain, None),
            (plain, tls.security()),
            (scheduler.address, None),
        ):
            with pytest.raises(ClusterError, match="no Dask scheduler answers at"):
                sq.connect(address, security=security, set_as_default=False, timeout="2s")


def _wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.slow
def test_an_adaptive_cluster_scales_to_none_and_back() -> None:
    """Workers come when jobs wait, several for long ones, and go when they have been idle."""
    city = sq.demo_city()

    def workers() -> int:
        return len(client.scheduler_info()["workers"])

    with (
        dask.config.set({"distributed.adaptive.wait-count": 3}),
        sq.connect(adapt=(0, 2), set_as_default=False) as client,
    ):
        assert workers() == 0
        for _ in range(2):
            asked = (5, 9, 12)
            jobs = [client.submit(sq.optimise, city, n_sensors=n, theta=500) for n in asked]
            for n, network in zip(asked, client.gather(jobs), strict=True):
                assert network == sq.optimise(city, n_sensors=n, theta=500)
            assert 1 <= workers() <= 2
            assert client.submit(worker_side.ignores_interrupts).result()
            del jobs
            _wait_until(lambda: workers() == 0)
        long = [client.submit(time.sleep, 3 + number / 100) for number in range(4)]
        _wait_until(lambda: workers() == 2)
        assert client.gather(long) == [None] * 4
        cluster = client.cluster
    assert cluster.status.name == "closed"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"adapt": (0, 4), "n_workers": 2}, "are both given"),
        ({"adapt": (4, 2)}, r"\(4, 2\) are not the fewest and the most"),
        ({"adapt": (-1, 2)}, "fewest and the most"),
        ({"adapt": (0, 0)}, "fewest and the most"),
        ({"adapt": (0, 1.5)}, "fewest and the most"),
        ({"adapt": (False, True)}, "fewest and the most"),
        ({"adapt": 4}, "4 are not the fewest and the most"),
        ({"adapt": (1, 2, 3)}, "fewest and the most"),
        ({"where": "tcp://127.0.0.1:9", "adapt": (0, 4)}, "only a cluster of our own"),
    ],
)
def test_numbers_of_workers_that_make_no_cluster_are_refused(
    words: dict[str, Any], message: str
) -> None:
    """Wrong numbers end in one sentence, before anything starts."""
    with pytest.raises(ClusterError, match=message):
        sq.connect(**words)


def test_the_address_is_the_first_argument() -> None:
    """An address as a keyword would be mistaken for no address."""
    with pytest.raises(ClusterError, match="first argument"):
        sq.connect(address="tcp://127.0.0.1:8786")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_nobody_there_is_said_in_words(address: str) -> None:
    """An address where nobody answers ends in one sentence."""
    with pytest.raises(ClusterError, match="no Dask scheduler answers at"):
        sq.connect(address, allow_remote=True, timeout="1s", set_as_default=False)

"""The scheduler's settings: made Dask's defaults here, and looked at elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import dask.config
import pytest
from dask_processes import CONFIG, scheduler, worker
from distributed import Client, LocalCluster

import spineq as sq
from spineq.errors import SpineqWarning
from spineq.jobs import settings
from spineq.jobs.settings import apply_dask_config, check_settings, scheduler_facts

pytestmark = pytest.mark.cluster

#: What a scheduler has with Dask's own defaults, and with others that are worse.
BAD = {
    "DASK_DISTRIBUTED__SCHEDULER__NO_WORKERS_TIMEOUT": "60s",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "30s",
}


def test_our_settings_become_defaults_but_the_user_wins() -> None:
    """dask-config.yaml takes effect, except where the user has said otherwise."""
    code = (
        "import dask, distributed, sys\n"
        "from spineq.jobs.settings import apply_dask_config\n"
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


def test_a_scheduler_tells_its_settings_without_having_spineq(tmp_path: Path) -> None:
    """What the file says is what the scheduler's attributes say, also where spineq is missing."""
    broken = tmp_path / "spineq"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('no spineq here')\n")
    with (
        scheduler(environment={"PYTHONPATH": str(tmp_path)}) as far,
        Client(far.address, set_as_default=False) as client,
    ):
        facts = scheduler_facts(client)
    assert facts == {
        "address": far.address,
        "WORKER_SATURATION": 1.0,
        "allowed_failures": 10,
        "no_workers_timeout": None,
        "worker_ttl": 300.0,
        "threads": [],
    }


def test_a_scheduler_with_the_file_is_joined_in_silence() -> None:
    """DASK_CONFIG brings the settings to a scheduler, and its workers have one thread."""
    with scheduler() as far, worker(far.address), warnings.catch_warnings():
        warnings.simplefilter("error")
        sq.connect(far.address, set_as_default=False).close()


def test_a_far_scheduler_without_the_file_is_warned_of_once() -> None:
    """One warning names every setting, its value, what is needed, the harm and the mend."""
    with (
        scheduler(config=None, environment=BAD) as far,
        worker(far.address, options=["--nthreads", "3"]),
        worker(far.address),
    ):
        with pytest.warns(SpineqWarning, match="is not set up for spineq's jobs") as told:
            client = sq.connect(far.address, set_as_default=False)
        with client, warnings.catch_warnings():
            warnings.simplefilter("error")
            check_settings(client)
            assert sq.connect(client) is client
    assert len(told) == 1
    assert told[0].filename == __file__
    text = str(told[0].message)
    for words in (
        far.address,
        "distributed.scheduler.worker-saturation is 1.1, should be 1.0, or jobs are sent ahead",
        "distributed.scheduler.allowed-failures is 3, should be at least 10, or a job fails",
        "distributed.scheduler.no-workers-timeout is 60 s, should be null, or jobs fail that wait",
        "distributed.scheduler.worker-ttl is 30 s, should be at least 300 s, or a worker",
        "1 of 2 workers run up to 3 jobs at a time, should be 1",
        f"Copy {CONFIG} to where the scheduler starts",
        "DASK_CONFIG=dask-config.yaml",
        "--nthreads 1",
    ):
        assert words in text


def test_a_cluster_that_was_made_before_us_is_warned_of() -> None:
    """A LocalCluster of this process has the settings of the time when it was made."""
    theirs = {
        "distributed.scheduler.worker-saturation": 1.1,
        "distributed.scheduler.allowed-failures": 3,
    }
    with (
        dask.config.set(theirs),
        LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=False,
            protocol="tcp://",
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as cluster,
    ):
        # By the cluster, by the client, and as the client that is Dask's default.
        with pytest.warns(SpineqWarning, match=r"saturation is 1\.1.*failures is 3.*up to 2 jobs"):
            sq.connect(cluster, set_as_default=False).close()
        with Client(cluster) as client:
            with pytest.warns(SpineqWarning, match=r"saturation is 1\.1") as told:
                assert sq.connect() is client
            assert told[0].filename == __file__
            # Inside a task nobody would read it.
            assert client.submit(_warnings_inside).result() == []


def _warnings_inside() -> list[str]:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        sq.connect()
    return [str(one.message) for one in told if one.category is SpineqWarning]


def test_a_scheduler_that_does_not_answer_is_taken_as_it_is() -> None:
    """One that forbids to run code on it is joined without a word; one round trip is made."""
    with (
        LocalCluster(
            n_workers=0,
            processes=False,
            protocol="tcp://",
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            blocked_handlers=["run_function"],
        ) as cluster,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        with sq.connect(cluster, set_as_default=False) as client:
            assert scheduler_facts(client) == {}


def test_another_dask_may_lack_an_attribute() -> None:
    """What the scheduler does not know is not compared, and better values are good."""
    told: list[dict[str, Any]] = [
        {"allowed_failures": 99, "worker_ttl": None, "threads": []},
        {"allowed_failures": 10, "worker_ttl": 3600.0},
    ]
    for facts in told:
        assert settings._faults(facts, CONFIG) == ([], [])

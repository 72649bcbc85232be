"""``optimise --queue`` and jobs at work: the same answer, second processes, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import PATIENCE, command, good, is_there, listed, put, run, start, until

import spineq as sq

#: A real job that takes from some seconds to half a minute, by the machine.
SLOW = ["optimise", "synthetic:25000", "-n", "3000", "--theta", "1500", "--method", "exchange"]


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start processes whose groups end with the test."""
    all_of_them = []

    def begin(*words: object) -> subprocess.Popen[str]:
        all_of_them.append(start(*words))
        return all_of_them[-1]

    yield begin
    for process in all_of_them:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Folder for a store that is not there yet."""
    return tmp_path / "store"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Make a store with a job that ``optimise --queue`` did; its id and what was printed."""
    folder = tmp_path_factory.mktemp("done") / "store"
    words = ["optimise", "san-francisco", "-n", "6", "--queue", "--store", folder]
    made = subprocess.run(
        command(*words, "--tag", "north", "--note", "first try"), capture_output=True, text=True,
        check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return folder, listed(folder)[0]["id"], made.stdout + "\0" + made.stderr


@pytest.mark.cluster
def test_the_queue_prints_what_optimise_prints(done: tuple[Path, str, str]) -> None:
    """Word for word; the job's id goes to standard error, and nothing of Dask's."""
    _, name, printed = done
    out, err = printed.split("\0")
    assert out == good("optimise", "san-francisco", "-n", "6")
    assert err.startswith(f"spineq: this is job {name} in ")
    assert err.count("\n") == 1


@pytest.mark.cluster
def test_result_writes_and_prints_the_network(done: tuple[Path, str, str], tmp_path: Path) -> None:
    """The same words and files as optimise's, from the city in the store; and JSON."""
    folder, name, _ = done
    expected = sq.optimise(sq.demo_city(), n_sensors=6)
    out = good("jobs", "result", name[-5:], "--store", folder, "--output", tmp_path / "made")
    assert expected.certificate() in out
    assert sq.read_network(tmp_path / "made" / "network.nc") == expected
    assert len(list((tmp_path / "made").iterdir())) == 4
    made = json.loads(good("jobs", "result", name, "--store", folder, "--json"))
    assert made | {"seconds": 0} == expected.to_dict() | {"seconds": 0}


@pytest.mark.cluster
def test_watching_a_job_that_has_ended_prints_one_paragraph(done: tuple[Path, str, str]) -> None:
    """Value and certificate; tags, note and coverage are in the list."""
    folder, name, _ = done
    lines = good("jobs", "watch", name, "--store", folder).splitlines()
    out = " ".join(lines)
    assert out.startswith(f"Job {name}: finished: the mean coverage of all residents is ")
    assert out.endswith("Proven best: no network of 6 sensors covers more.")
    assert max(map(len, lines)) <= 100
    assert "first try [north]" in good("jobs", "list", "--store", folder)


@pytest.mark.cluster
@pytest.mark.slow
def test_a_second_terminal_watches_and_cancels(
    store: Path, started: Callable[..., subprocess.Popen[str]]
) -> None:
    """Ctrl-C ends a watch and not the job; a cancel stops it, and its best so far is printed."""
    first = started(*SLOW, "--queue", "--store", store, "--json")
    job = until(lambda: listed(store, "--state", "running"))[0]["id"]
    watch = started("jobs", "watch", job[-6:], "--store", store)
    time.sleep(3)
    os.killpg(watch.pid, signal.SIGINT)
    out, err = watch.communicate(timeout=PATIENCE)
    if listed(store)[0]["state"] == "running":
        assert watch.returncode == 130, err
        assert out == ""
        assert f"stopped watching; job {job} goes on." in err
        other = started("jobs", "watch", job, "--store", store)
        until(lambda: listed(store)[0]["progress"]["value"])
        text = good("jobs", "cancel", job, "--store", store)
        assert text in (f"Job {job}: cancelling\n", f"Job {job}: finished\n")
        out, err = other.communicate(timeout=PATIENCE)
        assert other.returncode == 0, err
        assert out.startswith(f"Job {job}: ")
    out, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, err
    found = json.loads(out)
    assert found["stopped"] is (listed(store)[0]["state"] == "cancelled")
    made = json.loads(good("jobs", "result", job, "--store", store, "--json"))
    assert made["placement_history"] == found["placement_history"]


@pytest.mark.cluster
@pytest.mark.slow
def test_control_c_cancels_the_job_and_prints_the_best_so_far(
    store: Path, started: Callable[..., subprocess.Popen[str]]
) -> None:
    """The first one, sent to the whole group as a terminal does; no process is left."""
    process = started(*SLOW, "--queue", "--store", store)
    until(lambda: [job for job in listed(store) if job["progress"]["value"]])
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    state = listed(store)[0]["state"]
    assert state in ("cancelled", "finished")
    if state == "cancelled":
        assert "The search was stopped early; this is the best network so far." in out
        assert "stopping; the best network so far is kept" in err
    assert "Traceback" not in err
    until(lambda: not is_there(process.pid))


@pytest.mark.cluster
@pytest.mark.slow
def test_a_second_control_c_ends(
    store: Path, started: Callable[..., subprocess.Popen[str]]
) -> None:
    """The command ends with 130 (or with the answer, if that was quicker), the job cancelled."""
    process = started(*SLOW, "--queue", "--store", store)
    until(lambda: listed(store, "--state", "running"))
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, 130), err
    assert "Traceback" not in err
    assert listed(store)[0]["state"] in ("cancelled", "finished", "cancelling", "queued")
    until(lambda: not is_there(process.pid))


@pytest.mark.cluster
@pytest.mark.slow
def test_no_wait_leaves_the_job_in_the_store_for_reconcile(store: Path) -> None:
    """Without a cluster the job stays, as is said plainly; reconcile does it."""
    words = ["optimise", "san-francisco", "-n", "4", "--queue", "--no-wait", "--store", store]
    made = subprocess.run(
        command(*words), capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    name = made.stdout.strip()
    assert [job["id"] for job in listed(store)] == [name]
    assert "the job stays in it until somebody runs spineq jobs reconcile" in made.stderr
    # A job of somebody's own task is left for a program that knows it.
    put(store, 7, task="count", city="", city_name="", parameters={})
    made = subprocess.run(
        command("jobs", "reconcile", "--n-workers", "1", "--store", store),
        capture_output=True, text=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    assert made.stdout.startswith("1 job: 1 finished.\n1 waits for a program that knows its task")
    assert made.stderr == ""
    network = json.loads(good("jobs", "result", name, "--store", store, "--json"))
    assert network["n_sensors"] == 4


@pytest.mark.cluster
@pytest.mark.slow
def test_no_wait_returns_when_a_cluster_carries_the_job(store: Path) -> None:
    """With somebody else's scheduler the job is done although nobody waits."""
    from dask_processes import scheduler, worker

    with scheduler() as head, worker(head.address):
        out = good(
            "optimise", "san-francisco", "-n", "4", "--queue", "--no-wait", "--json",
            "--store", store, "--scheduler", head.address,
        )  # fmt: skip
        made = json.loads(out)
        assert made["carried"] is True
        until(lambda: listed(store, "--state", "finished"))
        # The store says where the cluster is: it is found without an address.
        made = run("optimise", "san-francisco", "-n", "5", "--queue", "--no-wait", "--store", store)
        assert made.stderr == ""
        until(lambda: len(listed(store, "--state", "finished")) == 2)


@pytest.mark.cluster
@pytest.mark.slow
def test_control_c_of_reconcile_leaves_the_rest(
    store: Path, started: Callable[..., subprocess.Popen[str]]
) -> None:
    """What is not done stays in the store, and that is said."""
    words = [*SLOW, "--queue", "--no-wait", "--store", store]
    subprocess.run(command(*words), capture_output=True, check=True, timeout=PATIENCE)
    process = started("jobs", "reconcile", "--n-workers", "1", "--store", store)
    until(lambda: listed(store, "--state", "running"))
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (130, "")
    assert err == "spineq: stopped; 1 job stays in the store for the next reconcile\n"
    assert [job["state"] for job in listed(store)] in (["queued"], ["running"])

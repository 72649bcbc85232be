"""Does the gateway keep to its own OpenAPI document? Requests are drawn from it, good and bad."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from served import Served, served

import spineq as sq

#: Requests to each operation.
EXAMPLES = int(os.environ.get("SPINEQ_SCHEMA_EXAMPLES", "40"))


@pytest.fixture(scope="module")
def gateway(
    _web: None, city: sq.City, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A gateway whose jobs wait."""
    store = tmp_path_factory.mktemp("schema") / "store"
    with sq.JobQueue(store=store, connect=False) as queue, served(queue, city) as made:
        yield made


def _operations() -> list[str]:
    """Operations that the document describes, by which the tests are called."""
    return [
        "GET /", "GET /optimise", "GET /job/{job_id}", "GET /queue", "POST /queue/deleteall",
        "POST /queue/delete/{job_id}", "POST /coverage",
        "POST /api/v1/jobs", "GET /api/v1/jobs", "DELETE /api/v1/jobs",
        "GET /api/v1/jobs/{job_id}", "DELETE /api/v1/jobs/{job_id}",
        "POST /api/v1/jobs/{job_id}/cancel", "POST /api/v1/jobs/{job_id}/retry",
        "GET /api/v1/jobs/{job_id}/result", "GET /api/v1/jobs/{job_id}/events",
        "POST /api/v1/trade-offs", "GET /api/v1/trade-offs", "GET /api/v1/trade-offs/{job_id}",
        "DELETE /api/v1/trade-offs/{job_id}", "GET /api/v1/trade-offs/{job_id}/result",
        "GET /api/v1/cities", "GET /api/v1/cities/{city}", "GET /api/v1/cities/{city}/areas",
        "GET /api/v1/cities/{city}/sites", "GET /api/v1/cities/{city}/existing",
        "GET /api/v1/jobs/{job_id}/sensors",
        "POST /api/v1/coverage",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def schema(gateway: Served, needs: Callable[[str], ModuleType]) -> Any:
    """The document, with what it says of each operation."""
    return needs("schemathesis").openapi.from_url(f"{gateway.url}/openapi.json")


def test_every_operation_is_tried(gateway: Served) -> None:
    """The list above is the document's."""
    paths = gateway.get("/openapi.json").json()["paths"]
    found = {f"{method.upper()} {path}" for path, each in paths.items() for method in each}
    assert found == set(_operations())


@pytest.mark.slow
@pytest.mark.parametrize("operation", _operations())
def test_it_answers_as_it_says(schema: Any, operation: str) -> None:
    """No server error, no answer outside its schema, nothing taken that the schema forbids."""
    method, path = operation.split()
    described = schema[path][method]
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    good, bad = (
        described.as_strategy(generation_mode=mode)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    )

    @given(case=good | bad if _can_be_wrong(described) else good)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    def ask(case: Any) -> None:
        # What a schema allows may still make no sense in this city; that is refused in words.
        case.call_and_validate(timeout=30, excluded_checks=[positive_data_acceptance])

    ask()


def _can_be_wrong(described: Any) -> bool:
    return bool(list(described.iter_parameters())) or bool(list(described.body))


@pytest.mark.cluster
@pytest.mark.slow
def test_a_walk_from_answer_to_answer(
    live: Served, needs: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    """What one answer names, a job, is asked for by the next: followed, cancelled, deleted.

    Without what deletes many at once, and the original's way to delete one, which the walk does
    not know for one: what they have deleted would be missed.
    """
    needs("schemathesis")
    made = subprocess.run(
        [
            sys.executable, "-c", "from schemathesis.cli import schemathesis as run; run()", "run",
            f"{live.url}/openapi.json", "--phases", "stateful", "--max-examples", "15",
            "--exclude-checks", "positive_data_acceptance", "--seed", "15",
            "--exclude-path", "/queue/deleteall",
            "--exclude-path", "/queue/delete/{job_id}",
            "--request-timeout", "60",
            "--exclude-operation-id", "delete_jobs_api_v1_jobs_delete",
        ],
        capture_output=True, text=True, timeout=300, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout[-5000:]
    assert "Stateful" in made.stdout

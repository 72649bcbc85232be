"""The rooms: what may import what, and what the package shows."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import spineq

PACKAGE = Path(spineq.__file__).parent

#: The rooms from the ground up: a module imports only from rooms before its own.
ROOMS = [
    "errors",
    "progress",
    "store",
    "model",
    "data",
    "_osm_services",
    "_osm",
    "_inside",
    "fetch",
    "travel",
    "sites",
    "demand",
    "existing",
    "solvers",
    "_places",
    "_approaches",
    "measure",
    "constraints",
    "instance",
    "_earlier",
    "_answering",
    "solve",
    "inequality",
    "fronts",
    "baseline",
    "insight",
    "_outlines",
    "_plot_parts",
    "_plot_city",
    "_plot_grid",
    "_plot_equity",
    "_plot_front",
    "_plot_stability",
    "_plot_questions",
    "plot",
    "exports",
    "bench",
    "bench_reference",
    "bench_front",
    "bench_proof",
    "bench_scale",
    "jobs",
    "report",
    "sweeps",
    "panel",
    "gateway",
    "cli",
]

#: Inside a package, from the ground up. The package's own front comes last.
FILES = {
    "store": ["contract", "_words", "folder", "url", "whole"],
    "model": [
        "groups", "_problem_checks", "kinds", "_problem_words", "_problem_clashes", "problem",
        "_checks", "_contract", "_site_columns", "_parts",
        "_group_points", "_counting", "_digest", "_parquet", "city", "_redrawn",
        "_inequality", "_objective_words", "_words", "_styles", "_exports", "_description",
        "_schema", "_netcdf", "_sealed", "network", "_assembly",
        "_front_words", "_front_comparison", "_front_description", "front", "baseline",
    ],
    "data": [
        "_synthetic_people", "_synthetic_cells", "_synthetic", "_tables", "_cautions", "_geoids",
        "us_zones", "_worldpop", "raster", "_original", "files", "packed", "demo", "named", "orlib",
    ],
    "solvers": [
        "_kernels", "threads", "decays", "coverage", "welfare", "goals", "rules", "objective",
        "solution", "room", "greedy_in_room", "greedy", "swaps", "make_room", "exchange", "random",
        "passes", "choice", "relaxation", "search", "shares", "lagrangian", "branch_bound",
        "failing_books", "failing_networks", "failing_bound", "failing",
        "reach", "leximin", "_milp_child", "_milp_data", "_milp_process", "milp",
    ],
    "fronts": [
        "aside", "subset", "archive", "landscape", "pieces", "crew", "lattice", "search",
        "two_groups", "genetic", "assembly",
    ],
    "insight": [
        "curve", "carried", "fewest", "centroids", "_failures", "_chances", "_robustness_words",
        "withstood",
        "robustness", "_desk", "_explain_words", "_explanation", "explain", "_branches",
        "alternatives",
        "changes", "trial_plan", "scenarios", "scenario_jobs", "stability_words", "stability",
    ],
    "fetch": [
        "failure", "catalogue", "cache", "client", "desk", "paging", "arcgis", "nomis",
        "workplaces", "authorities", "overlays", "assembly", "fetching",
    ],
    "travel": ["network", "snapping", "sources", "tables", "walking"],
    "demand": ["_placing", "_spreading", "_points", "_buildings"],
    "constraints": ["places", "rules", "kinds", "feasible", "today"],
    "jobs": [
        "_host", "states", "records", "facts", "fairness", "ledger", "snapshot", "listing",
        "index", "prune", "similar",
        "settings", "cluster", "events", "warm_up", "tasks", "evaluate_task",
        "front_task", "random_task", "question_tasks", "scenario_task", "requests", "worker",
        "meeting", "carrier", "keeper", "submission", "watch", "reading", "job", "queue",
        "overhead",
    ],
    "report": [
        "parts", "yaml_files", "asked", "questions", "study", "about_city", "about_network",
        "about_places", "about_today", "about_fewer", "about_equity", "about_front",
        "about_certainty", "about_trust", "city_map", "files", "html", "child",
        "execution", "folders", "bundle", "page_shapes", "page_figures", "page", "making", "task",
    ],
    "sweeps": [
        "points", "original", "config", "preparing", "facts", "table", "files", "pace",
        "running", "figures", "summary", "about", "page",
    ],
    "panel": [
        "ticker", "state", "view", "errand", "elements", "marks",
        "palette", "geometry", "shading", "map_words", "map_events", "map_bridge", "map",
        "areas_table",
        "job_words", "draft", "presets", "question", "estimate", "asking", "preview", "controls",
        "jobs_table", "following", "asked_about", "editing", "best_known", "edit_view",
        "plotly_parts", "charts", "telling", "reporting", "centroid_line", "results",
        "comparing", "today", "comparison",
        "front_jobs", "front_ask", "front_points", "front_charts", "front_table", "trade_offs",
        "answering", "why_words", "why_here", "failing", "other_numbers", "how_sure",
        "asking_anew", "how_few", "which_move", "near_best", "questions",
        "app",
    ],
    "gateway": [
        "settings", "answers", "safety", "original", "cities", "desk", "news", "events", "packets",
        "maps", "models", "refusals", "answer_models", "paging", "api_jobs", "api_cities", "home",
        "original_routes", "app", "serving",
    ],
    "cli": [
        "problem_words", "options", "signals", "printing", "files", "question_results", "results",
        "data", "demo", "job_words",
        "job_access", "jobs", "queued", "question_words", "questions", "bench_parts",
        "bench_front", "bench", "fronts", "commands", "report",
        "panel", "sweep", "serve",
    ],
}  # fmt: skip

#: Third-party packages that one room alone may import.
OWNED = {
    "rich": "progress",
    "tqdm": "progress",
    "fsspec": "store",
    "netCDF4": "model",
    "numba": "solvers",
    "matplotlib": "_plot_parts, _plot_city, _plot_grid, _plot_equity, _plot_front, "
    "_plot_stability, _plot_questions, plot, bench_front, sweeps",
    "mpl_toolkits": "_plot_parts",
    "distributed": "jobs",
    "dask": "jobs",
    "platformdirs": "jobs, fetch",
    "requests": "fetch, existing",
    "urllib3": "fetch",
    "rasterio": "data",
    "osmnx": "_osm_services",
    "networkx": "travel",
    "apricot": "bench",
    "bokeh": "report",
    "nbconvert": "report",
    "nbformat": "report",
    "papermill": "report",
    "yaml": "report, sweeps",
    "highspy": "solvers",
    "moocore": "model, fronts",
    "pymoo": "fronts",
    "click": "cli",
    "anywidget": "panel",
    "ipyleaflet": "panel",
    "ipywidgets": "panel",
    "openpyxl": "exports",
    "PIL": "panel",
    "plotly": "panel",
    "traitlets": "panel",
    "anyio": "gateway",
    "fastapi": "gateway",
    "fastapi_offline": "gateway",
    "pydantic": "gateway",
    "socketio": "gateway",
    "starlette": "gateway",
    "uvicorn": "gateway",
}


def _modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "embedded" not in path.parts)


def _imports(path: Path) -> list[tuple[str, bool]]:
    """Names that a file imports, and whether only for type checking."""
    found = []

    def visit(node: ast.AST, typing_only: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            typing_only = True
        if isinstance(node, ast.Import):
            found.extend((alias.name, typing_only) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.extend((f"{node.module}.{alias.name}", typing_only) for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child, typing_only)

    visit(ast.parse(path.read_text()), False)
    return found


def _place(dotted: str) -> tuple[str, str]:
    """Room and file of a dotted name inside the package."""
    parts = dotted.split(".")[1:]
    return parts[0], parts[1] if len(parts) > 1 else ""


def _own_place(path: Path) -> tuple[str, str]:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0], parts[1] if len(parts) > 1 else ""


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_rooms_below(path: Path) -> None:
    """Imports go one way, also inside functions; within a package, from files named before."""
    room, file = _own_place(path)
    if room == "__init__":
        return
    assert room in ROOMS, f"{room} is not in the table of rooms"
    for name, typing_only in _imports(path):
        if name in ("spineq.plot", "spineq.__version__") or not name.startswith("spineq."):
            continue
        other, other_file = _place(name)
        if other == room:
            order = FILES.get(room, [])
            if file == "__init__" or typing_only or other_file == file:
                continue
            assert other_file in order, f"{name} in {path} is not in the table of files"
            assert order.index(other_file) < order.index(file), f"{path} imports {name}"
        else:
            # ``import spineq`` as a user does is for the top room alone.
            assert other in ROOMS, f"{path} imports {name}"
            assert ROOMS.index(other) < ROOMS.index(room), f"{path} imports {name}"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_library_is_imported_by_its_own_room_alone(path: Path) -> None:
    """What a third-party package is for is known to one room."""
    room, _ = _own_place(path)
    for name, _typing_only in _imports(path):
        owner = OWNED.get(name.split(".")[0])
        if owner is not None:
            assert room in owner.split(", ") or (room == "cli" and "plot" in owner), name


def test_every_file_is_in_the_table() -> None:
    """No module hides from the table of files."""
    for path in _modules():
        room, file = _own_place(path)
        if file and file != "__init__":
            assert file in FILES[room], path


def test_no_module_bears_the_name_of_a_public_function() -> None:
    """A lazily imported module of that name would shadow the function."""
    names = {path.stem for path in PACKAGE.iterdir()} - {
        "demand",
        "existing",
        "panel",
        "plot",
        "sites",
        "travel",
    }
    assert not names & set(spineq.__all__)


def test_everything_public_is_there() -> None:
    """Each name in ``__all__`` can be had, and ``dir`` lists it."""
    for name in spineq.__all__:
        assert getattr(spineq, name) is not None
        assert name in dir(spineq)
    with pytest.raises(AttributeError, match="no_such_thing"):
        spineq.no_such_thing  # noqa: B018


def test_importing_spineq_is_light() -> None:
    """``import spineq`` brings in none of the heavy libraries."""
    heavy = "numba, distributed, geopandas, xarray, matplotlib, pandas, rich, click"
    code = f"import sys, spineq; print([m for m in '{heavy}'.split(', ') if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert found.strip() == "[]"

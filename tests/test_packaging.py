"""The package's files agree with each other: dependencies, commands, settings, version."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import subprocess
import tomllib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

import dask
import distributed
import pytest
import yaml

import spineq

#: conda-forge's name -> the name in pyproject.toml, where they differ.
CONDA_NAMES = {"python-moocore": "moocore", "matplotlib-base": "matplotlib"}

#: What everything else here stands on.
NINE = {
    "dask",
    "distributed",
    "geopandas",
    "ipyleaflet",
    "ipywidgets",
    "jupyterlab",
    "numpy",
    "papermill",
    "xarray",
}

#: Dotted keys that dask-config.yaml has to set, and to what.
DASK_SETTINGS = {
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.allowed-failures": 10,
    "distributed.scheduler.no-workers-timeout": None,
    "distributed.scheduler.worker-ttl": "5 minutes",
    "distributed.adaptive.interval": "500ms",
    "distributed.adaptive.wait-count": 20,
    "distributed.adaptive.target-duration": "500ms",
    "distributed.worker.multiprocessing-method": "spawn",
    "distributed.comm.timeouts.connect": "30s",
    "distributed.dashboard.link": "{scheme}://{host}:{port}/status",
    # For Dask's pane in JupyterLab.
    "labextension.factory.module": "dask.distributed",
    "labextension.factory.class": "LocalCluster",
    "labextension.factory.args": [],
    "labextension.factory.kwargs.host": "127.0.0.1",
    "labextension.factory.kwargs.dashboard_address": "127.0.0.1:0",
    "labextension.factory.kwargs.threads_per_worker": 1,
}

#: Extras that `all` has, and so both environments.
EXTRAS = (
    "panel",
    "lab",
    "voila",
    "report",
    "s3",
    "milp",
    "front",
    "fetch",
    "osm",
    "raster",
    "gateway",
)

#: Hosts of package registries, in pieces so that this file does not hold them itself.
REGISTRIES = [
    ".".join(pieces)
    for pieces in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("anaconda", "org"),
        ("anaconda", "com"),
        ("conda", "io"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("deb", "debian", "org"),
    ]
]


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    """Contents of pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def conda(root: Path) -> dict[str, Any]:
    """Contents of environment.yml."""
    made: dict[str, Any] = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))
    return made


def bounds(requirements: list[str]) -> dict[str, str]:
    """Split requirements into name (lower case) -> version bound."""
    made: dict[str, str] = {}
    for requirement in requirements:
        found = re.fullmatch(r"([A-Za-z0-9_.-]+?)\s*(>=[0-9.]+(?:,<[0-9.]+)?)", requirement)
        assert found, f"not of the form name>=version: {requirement!r}"
        name = found[1].lower().replace("_", "-")
        assert name not in made, f"{name} is there twice"
        made[name] = found[2]
    return made


def leaves(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested settings to dotted keys."""
    made: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        made |= leaves(value, f"{name}.") if isinstance(value, dict) and value else {name: value}
    return made


def tracked(root: Path, lacking: Callable[[str], NoReturn]) -> list[Path]:
    """Files of the source tree that git has or would take."""
    if not (root / ".git").exists():
        lacking("this is not a git working tree")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [root / name for name in listed.split("\0") if name and (root / name).is_file()]


def wanted(project: dict[str, Any]) -> dict[str, str]:
    """What the core and `all` need, name -> version bound; once, where extras repeat each other."""
    made: dict[str, str] = {}
    for requirements in [
        project["project"]["dependencies"],
        *(project["project"]["optional-dependencies"][extra] for extra in EXTRAS),
    ]:
        for name, bound in bounds(requirements).items():
            assert made.setdefault(name, bound) == bound, f"{name} has two bounds"
    return made


def test_conda_repeats_pyproject(project: dict[str, Any], conda: dict[str, Any]) -> None:
    """environment.yml has the core and what `all` adds to it, with the same lower bounds."""
    plain = [entry for entry in conda["dependencies"] if isinstance(entry, str)]
    plain.remove("pip")
    found = {CONDA_NAMES.get(name, name): bound for name, bound in bounds(plain).items()}
    assert found.pop("python") == project["project"]["requires-python"]
    assert found == wanted(project)


def test_binder_repeats_both(root: Path, project: dict[str, Any], conda: dict[str, Any]) -> None:
    """binder/environment.yml has the same packages and bounds by pip, on a Python of its own.

    Where the folder is, repo2docker does not look at the file at the root.
    """
    file = root / "binder" / "environment.yml"
    binder = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert binder["name"] == conda["name"]
    assert binder["channels"] == conda["channels"]
    python, pip, by_pip = binder["dependencies"]
    assert pip == "pip"
    assert bounds(by_pip["pip"]) == wanted(project)
    # repo2docker understands a version in this form alone.
    found = re.fullmatch(r"python=(\d+)\.(\d+)", python)
    assert found
    least = project["project"]["requires-python"].removeprefix(">=")
    assert tuple(map(int, found.groups())) >= tuple(map(int, least.split(".")))


def test_ipykernel_is_new_enough(project: dict[str, Any]) -> None:
    """Before 7.1 it lost what threads say to widgets; repo2docker's own Python 3.11 pins 7.0."""
    assert wanted(project)["ipykernel"] == ">=7.1"


def test_conda_is_for_conda_forge(conda: dict[str, Any]) -> None:
    """Nothing but conda-forge, the nine by name, and spineq itself by pip at the end."""
    assert conda["name"] == "spineq"
    assert conda["channels"] == ["conda-forge"]
    assert conda["dependencies"][-1] == {"pip": ["-e ."]}
    plain = [entry for entry in conda["dependencies"] if isinstance(entry, str)]
    assert set(bounds([entry for entry in plain if entry != "pip"])) >= NINE


def test_extras(project: dict[str, Any]) -> None:
    """`all` is what a user may want; nothing that no part of spineq needs yet is offered."""
    extras = project["project"]["optional-dependencies"]
    assert set(extras) == {
        *EXTRAS,
        "compare",
        "all",
        "test",
        "dev",
    }
    assert extras["all"] == [f"spineq[{','.join(EXTRAS)}]"]
    assert "spineq[test]" in extras["dev"]
    for name in (*EXTRAS, "compare", "test"):
        assert bounds(extras[name])


def test_readme_and_ci_run_the_same_commands(root: Path) -> None:
    """.ci/run runs the two commands of README's first screen, word for word, and no others."""
    first_screen = (root / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    commands = re.findall(r"^```sh\n(.*?)\n```$", first_screen, flags=re.MULTILINE | re.DOTALL)
    assert len(commands) == 2
    assert all("\n" not in command for command in commands), "a command is one line"

    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    bodies = re.findall(r"^readme_\w+\(\) \{\n(.*?)\n\}$", script, flags=re.MULTILINE | re.DOTALL)
    assert [body.strip() for body in bodies] == commands
    lines = [line.strip() for line in script.splitlines()]
    for command in commands:
        assert lines.count(command) == 1
    for name in re.findall(r"^(readme_\w+)\(\)", script, flags=re.MULTILINE):
        assert len(re.findall(rf"\b{name}\b", script)) == 2, f"{name} is not called just once"
    assert lines[-1] == "readme_test", "pytest's line is the last"


def test_dask_settings(root: Path) -> None:
    """dask-config.yaml sets what spineq and Dask's pane need, by names that Dask knows."""
    ours = leaves(yaml.safe_load((root / "dask-config.yaml").read_text(encoding="utf-8")))
    assert ours == DASK_SETTINGS

    shipped = Path(distributed.__file__).with_name("distributed.yaml")
    theirs = leaves(yaml.safe_load(shipped.read_text(encoding="utf-8")))
    pane = {key for key in ours if key.startswith("labextension.")}
    assert set(ours) - pane <= set(theirs)


def test_dask_pane_settings(root: Path, lacking: Callable[[str], NoReturn]) -> None:
    """What its NEW starts is a class that takes these arguments, by names that the pane knows."""
    # It is not imported: that wants an event loop, which belongs to JupyterLab.
    found = importlib.util.find_spec("dask_labextension")
    if found is None:
        lacking("dask_labextension is not installed")
    shipped = Path(found.origin or "").with_name("labextension.yaml")
    theirs = yaml.safe_load(shipped.read_text(encoding="utf-8"))["labextension"]
    config = yaml.safe_load((root / "dask-config.yaml").read_text(encoding="utf-8"))
    ours = config["labextension"]
    assert set(ours) <= set(theirs)
    assert set(ours["factory"]) <= set(theirs["factory"])
    made = getattr(importlib.import_module(ours["factory"]["module"]), ours["factory"]["class"])
    assert set(ours["factory"]["kwargs"]) <= set(inspect.signature(made).parameters)


def test_dask_reads_the_settings(root: Path) -> None:
    """Dask itself takes the file as its configuration."""
    read = dask.config.collect(paths=[str(root / "dask-config.yaml")], env={})
    for key, value in DASK_SETTINGS.items():
        assert dask.config.get(key, default="missing", config=read) == value


def test_dask_settings_are_in_the_wheel(root: Path, project: dict[str, Any]) -> None:
    """The file is found at the root of the source tree, or inside the installed package."""
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["spineq"]
    assert wheel["force-include"]["dask-config.yaml"] == "spineq/dask-config.yaml"
    package = Path(spineq.__file__).parent
    places = [package / "dask-config.yaml", package.parent / "dask-config.yaml"]
    found = [place for place in places if place.is_file()]
    assert found
    assert found[0].read_bytes() == (root / "dask-config.yaml").read_bytes()


def test_version(project: dict[str, Any]) -> None:
    """One version: that of pyproject.toml."""
    assert spineq.__version__ == project["project"]["version"] == metadata.version("spineq")


def test_command_line_entry_point() -> None:
    """`spineq` on the command line is `spineq.cli.main`."""
    (entry,) = metadata.entry_points(group="console_scripts", name="spineq")
    assert entry.value == "spineq.cli:main"
    assert callable(entry.load())


def test_no_registry_is_named(root: Path, lacking: Callable[[str], NoReturn]) -> None:
    """Where packages come from is the machine's business: no tracked file names a host of one."""
    hosts = re.compile("|".join(re.escape(host) for host in REGISTRIES), flags=re.IGNORECASE)
    named = []
    for path in tracked(root, lacking):
        content = path.read_bytes()
        if b"\0" in content[:8192]:
            continue
        found = hosts.search(content.decode("utf-8", errors="replace"))
        if found:
            named.append(f"{path.relative_to(root)}: {found[0]}")
    assert not named


def test_an_installed_package_has_what_commands_run(root: Path, project: dict[str, Any]) -> None:
    """The wheel carries the settings, the notebooks of commands, and the pages' scripts."""
    listed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for source, place in listed.items():
        assert (root / source).is_file()
        assert place.startswith("spineq/")
    from spineq.report.execution import notebook_named

    for name in ("report", "sweep"):
        assert f"notebooks/{name}.ipynb" in listed
        assert notebook_named(name) == root / "notebooks" / f"{name}.ipynb"

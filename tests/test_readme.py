"""README: its Python runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from spineq.sweeps.config import read_plan


def _blocks(root: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)


@pytest.mark.cluster
@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5, 6])
def test_a_block_of_python_runs(root: Path, tmp_path: Path, number: int) -> None:
    """Each block is a program that a user can paste into a file and run."""
    blocks = _blocks(root)
    assert len(blocks) == 7, "a new block needs a number here"
    script = tmp_path / "script.py"
    script.write_text(blocks[number])
    made = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert made.stderr == ""
    assert "sensors in San Francisco" in made.stdout


def test_the_sweep_is_one(root: Path, tmp_path: Path) -> None:
    """The file that README shows asks twelve questions and a baseline."""
    (text,) = re.findall(r"```yaml\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    config = tmp_path / "sweep.yml"
    config.write_text(text)
    assert [point.task for point in read_plan(config).points] == ["optimise"] * 12 + ["random"]


@pytest.mark.parametrize(
    "word",
    [
        "aversion", "dominates", "effort", "equally-distributed equivalent", "front, archive",
        "hypervolume", "knee",
    ],
)  # fmt: skip
def test_words_that_answers_use_are_explained(root: Path, word: str) -> None:
    """In one line of the table of words."""
    words = (root / "README.md").read_text().split("## Words")[1].split("\n## ")[0]
    assert len(re.findall(rf"^\| {word} \| .{{20,}} \|$", words, re.MULTILINE)) == 1

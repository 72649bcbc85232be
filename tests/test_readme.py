"""README: its Python runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


def _blocks(root: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)


@pytest.mark.cluster
@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
def test_a_block_of_python_runs(root: Path, tmp_path: Path, number: int) -> None:
    """Each block is a program that a user can paste into a file and run."""
    blocks = _blocks(root)
    assert len(blocks) == 5, "a new block needs a number here"
    script = tmp_path / "script.py"
    script.write_text(blocks[number])
    made = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert made.stderr == ""
    assert "sensors in San Francisco" in made.stdout


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

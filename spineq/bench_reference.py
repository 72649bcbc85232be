"""Published values to hold answers against, from JSON files of the user's."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from spineq.data._tables import existing_path
from spineq.errors import UnreadableFileError


def read_reference(path: object) -> dict[tuple[str, float, int], float]:
    """Read published values of a city's problems: ``optimum.theta_500.GROUP.20`` of a JSON file.

    Raises
    ------
    MissingFileError, UnreadableFileError
        There is no such file, or it does not hold such values.
    """
    made = {}
    with _published(path, "optimum") as part:
        for theta, groups in part.items():
            if not theta.startswith("theta_"):
                continue
            for group, values in groups.items():
                for n, value in values.items():
                    made[group, float(theta[len("theta_") :]), int(n)] = float(value)
    return made


def read_median_reference(path: object) -> dict[str, float]:
    """Read published optima of p-medians: ``orlib_pmedian.optimum.NAME`` of a JSON file.

    Raises
    ------
    MissingFileError, UnreadableFileError
        There is no such file, or it does not hold such values.
    """
    with _published(path, "orlib_pmedian", "optimum") as part:
        return {name: float(value) for name, value in part.items()}


def read_front_reference(path: object) -> dict[str, float]:
    """Read published hypervolumes of fronts: ``hypervolume.NAME`` of a JSON file.

    Raises
    ------
    MissingFileError, UnreadableFileError
        There is no such file, or it does not hold such values.
    """
    with _published(path, "hypervolume") as part:
        made = {name: float(value) for name, value in part.items()}
        if not all(math.isfinite(value) for value in made.values()):
            msg = "a hypervolume is a finite number"
            raise ValueError(msg)
        return made


@contextmanager
def _published(path: object, *names: str) -> Iterator[dict[str, Any]]:
    """Part of a JSON file; whatever it turns out not to hold is one and the same error."""
    file = existing_path(path)
    try:
        part = json.loads(file.read_text(encoding="utf-8"))
        for name in names:
            part = part[name]
        yield part
    except (AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        msg = "the file does not hold published values as they are expected"
        raise UnreadableFileError(msg, file=path, mend="Name another file, or none") from error

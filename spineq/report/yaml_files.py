"""Settings in YAML: read without surprises, refused with their place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from spineq.errors import MissingFileError, UnreadableFileError, shortened, shown

#: Values of a file at most, those behind aliases counted as often as they stand for.
_MOST_VALUES = 1_000_000


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, which does not let a key stand twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        if key.value in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key.value} stands twice", key.start_mark
            )
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_settings(path: str | Path, *, mend: str) -> tuple[str, Mapping[str, Any]]:
    """Read keys and values from a file in YAML, which JSON is too.

    Parameters
    ----------
    path
        The file.
    mend
        What to do about a file that is none.

    Returns
    -------
    tuple
        The file's text, and its keys and values.

    Raises
    ------
    MissingFileError
        There is no such file, or it cannot be read.
    UnreadableFileError
        It is not YAML, a key stands twice, or it holds no keys and values.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            msg = "the file is not text in UTF-8"
            raise UnreadableFileError(msg, file=file, mend=mend) from error
        there = not isinstance(error, FileNotFoundError)
        why = f"the file cannot be read ({getattr(error, 'strerror', None) or error})"
        msg = why if there else "there is no such file"
        raise MissingFileError(msg, file=file, mend="Check the path") from error
    content = read_value(text, file=file, mend=mend)
    if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
        kinds = {list: "a list", type(None): "nothing"}
        what = "keys that are no text" if isinstance(content, Mapping) else shown(content)
        msg = f"the file holds {kinds.get(type(content), what)}, not keys and values"
        raise UnreadableFileError(msg, file=file, mend=mend)
    return text, content


def _need_sound(value: Any) -> None:
    """Refuse what aliases blow up, and text that no file can hold.

    Raises
    ------
    ValueError
        It is so.
    """
    sizes: dict[int, int] = {}

    def size(one: Any) -> int:
        if isinstance(one, str):
            one.encode("utf-8")
            return 1
        if not isinstance(one, Mapping | list):
            return 1
        if id(one) not in sizes:
            sizes[id(one)] = _MOST_VALUES  # one that holds itself has no end
            parts = [*one, *one.values()] if isinstance(one, Mapping) else one
            sizes[id(one)] = 1 + sum(map(size, parts))
        return sizes[id(one)]

    if size(value) >= _MOST_VALUES:
        msg = f"it holds more than {_MOST_VALUES:,} values"
        raise ValueError(msg)


def read_value(text: str, *, file: Path | None = None, mend: str) -> Any:
    """Read a value in YAML.

    Raises
    ------
    UnreadableFileError
        It is not YAML, or a key stands twice.
    """
    try:
        made = yaml.load(text, _Loader)
        _need_sound(made)
        return made
    # What is no date, say, is a ValueError; and what is nested too deeply has no end.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        row = None if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"
        said = str(getattr(error, "problem", None) or error).splitlines() or [type(error).__name__]
        msg = f"this is not YAML ({shortened(said[0], 120)})"
        raise UnreadableFileError(msg, file=file, row=row, mend=mend) from error

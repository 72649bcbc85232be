"""What a report writes beside its page: figures, and data for GIS and spreadsheets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.exports import KINDS, area_table, export, group_table
from spineq.report.parts import Shown, words
from spineq.store import whole_file

if TYPE_CHECKING:
    import pandas as pd

    from spineq.report.questions import Questions
    from spineq.report.study import Study


def write(study: Study) -> Shown:
    """Write the figures and the data into the output folder, if one was named.

    ``figures/`` gets every picture of the report as a PNG; ``data/`` the network as GeoPackage,
    GeoJSON, CSV, Excel and NetCDF, the areas and groups as CSV, the front as NetCDF and CSV, and
    the answers to what planners ask as CSV and JSON, as far as they were asked.

    Raises
    ------
    StoreError
        A file cannot be written.
    """
    if study.parameters.output is None:
        return words("No output folder was named, so no files were written.")
    folder = Path(study.parameters.output)
    figures, data = folder / "figures", folder / "data"
    for one in (figures, data):
        one.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(study.pictures, start=1):
        _put(figures / f"{number:02}-{picture.name}.png", picture.png)
    for kind, about in KINDS.items():
        if kind == "png":
            continue
        _, content, _ = export(study.network, study.city, kind)
        stem = "sensors" if kind in ("csv", "geojson") else "network"
        _put(data / f"{stem}.{about.ending}", content)
    _table(data / "areas.csv", area_table(study.network, study.city).set_index("area"))
    _table(data / "groups.csv", group_table(study.network))
    if study.existing is not None:
        _table(data / "groups-existing.csv", group_table(study.existing))
    front = study.front
    if front is not None and front.n_networks:
        front.to_netcdf(data / "front.nc")
        _table(data / "front.csv", front.table())
    _answers(study.questions, data)
    return words(f"Figures and data were written to the folder {folder.resolve().name}.")


def _answers(asked: Questions, data: Path) -> None:
    """Write the answers to what planners ask, those that there are."""
    answers: tuple[tuple[str, Any, str], ...] = (
        ("places", asked.explanation, "table"),
        ("alternatives", asked.alternatives, "table"),
        ("failures", asked.robustness, "table"),
        ("other-numbers", asked.stability, "table"),
        ("by-number", asked.curve, "table"),
        ("fewest", asked.fewest, "sensors"),
        ("given-up", asked.without_some, "gone"),
        ("moved", asked.with_moved, "gone"),
        ("moved-to", asked.with_moved, "sensors"),
    )
    for name, answer, table in answers:
        if answer is None:
            continue
        rows = getattr(answer, table)
        if name == "moved-to":
            rows = rows.iloc[answer.n_kept :]
        if table == "gone":
            rows = rows.set_index("sensor")
        _table(data / f"{name}.csv", rows)
        if table == "table":
            # Numbers of numpy's own are plain ones here.
            made = answer.to_dict()
            text = json.dumps(made, allow_nan=False, ensure_ascii=False, default=np.generic.item)
            _put(data / f"{name}.json", text.encode())


def _put(path: Path, content: bytes) -> None:
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def _table(path: Path, table: pd.DataFrame) -> None:
    # With the mark by which Excel knows UTF-8.
    _put(path, table.to_csv(lineterminator="\n").encode("utf-8-sig"))

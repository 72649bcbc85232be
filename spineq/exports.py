"""Files of a network in the formats of other programmes: for a browser, a report, a folder."""

from __future__ import annotations

import io
import json
import re
import tempfile
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from spineq.errors import MissingExtraError, ProblemError, shown
from spineq.model._exports import (
    NEAREST,
    area_columns,
    nearest_sensor,
    need_same_city,
    sensor_columns,
)
from spineq.model._words import shown_table, theta_words
from spineq.model.groups import title_of

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network


class Kind(NamedTuple):
    """A format: what its button says, what it is for, the file's ending and its media type."""

    label: str
    help: str
    ending: str
    mime: str


#: Formats by name, in the order of their buttons.
KINDS: dict[str, Kind] = {
    "geopackage": Kind(
        "GeoPackage",
        "Sensors and areas as layers with colours, for QGIS and other maps",
        "gpkg",
        "application/geopackage+sqlite3",
    ),
    "geojson": Kind(
        "GeoJSON",
        "Sensors as points of longitude and latitude, for web maps",
        "geojson",
        "application/geo+json",
    ),
    "csv": Kind("CSV", "The table of sensors, for any programme", "csv", "text/csv"),
    "xlsx": Kind(
        "Excel",
        "A workbook: the summary, and tables of sensors, groups and areas",
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "png": Kind("PNG", "The map as a picture, with its source", "png", "image/png"),
    "netcdf": Kind(
        "NetCDF",
        "Everything, for sq.read_network to read back exactly",
        "nc",
        "application/x-netcdf",
    ),
}

#: Rows and characters that a sheet and a cell of Excel hold.
_MOST_ROWS, _MOST_CHARACTERS = 1_048_575, 32_767

#: Characters that the format of Excel's files does not know.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def export(network: Network, city: City, kind: str) -> tuple[str, bytes, str]:
    """Write a network as a file.

    Parameters
    ----------
    network, city
        The network and the city that it was made for.
    kind
        One of `KINDS`.

    Returns
    -------
    tuple of str, bytes and str
        Name of the file, its content, its media type.

    Raises
    ------
    ProblemError
        No network or city, an unknown kind, or more rows than Excel holds.
    DataError
        The network was made for another city.
    MissingExtraError
        What writes the format is not installed.
    StoreError
        There is no room for the temporary file.
    """
    need_same_city(network, city)
    if kind not in KINDS:
        msg = f"there is no file format {shown(kind)}"
        raise ProblemError(msg, field="kind", mend=f"Use {', '.join(KINDS)}")
    if kind == "netcdf":
        data = network.to_bytes()
    elif kind == "csv":
        # With the mark by which Excel knows UTF-8; pandas and QGIS read over it.
        data = sensor_table(network, city).to_csv(lineterminator="\n").encode("utf-8-sig")
    elif kind == "xlsx":
        data = _workbook(network, city)
    else:
        data = _written(network, city, kind)
    return file_name(network, kind), data, KINDS[kind].mime


def file_name(network: Network, kind: str) -> str:
    """Name a network's file by city, number of sensors and theta, in characters safe anywhere.

    Examples
    --------
    ``spineq-newcastle-upon-tyne-20-sensors-theta-500.geojson``, and where others stay
    ``spineq-newcastle-upon-tyne-20-new-sensors-theta-500.geojson``
    """
    attrs, n = network.dataset.attrs, network.n_sensors - network.n_kept
    new = "new-" if network.n_kept else ""
    place = _plain(str(attrs["city_name"])) or _plain(str(attrs["city_code"])) or "city"
    unit = str(attrs["distance_unit"])
    parts = [
        "spineq",
        place[:60].rstrip("-."),
        f"{n}-{new}sensor" if n == 1 else f"{n}-{new}sensors",
        f"theta-{network.problem.theta:.10g}",
        *([] if unit == "m" else [_plain(unit)[:20]]),
    ]
    made = "-".join(filter(None, (_plain(part) for part in parts)))
    return f"{made}.{KINDS[kind].ending}"


def sensor_table(network: Network, city: City) -> pd.DataFrame:
    """Return the sensors by order: `Network.sensors`, kept, number, ids of existing sensors."""
    return sensor_columns(network, city)


def group_table(network: Network) -> pd.DataFrame:
    """Return the groups as the page shows them, with their weight."""
    return shown_table(network)


def area_table(network: Network, city: City) -> pd.DataFrame:
    """Return the areas: id, x, y, weight, coverage, metres to a sensor, people of each group."""
    data = network.dataset
    return pd.DataFrame(
        {
            "area": data["area"].to_numpy(),
            "x": data["x"].to_numpy(),
            "y": data["y"].to_numpy(),
            "weight": data["area_weight"].to_numpy(),
            "coverage": data["area_coverage"].to_numpy(),
            NEAREST: nearest_sensor(network),
        }
        | area_columns(network, city)
    )


def summary_table(network: Network) -> pd.DataFrame:
    """Return what the network is, in rows of two texts: what, and words."""
    attrs = network.dataset.attrs
    rows = [("Summary", line) for line in network.summary().splitlines()]
    rows.append(("Certificate", network.certificate()))
    rows += [(f"Asked: {what}", words) for what, words in asked_words(network)]
    rows.append(("Coordinates", str(attrs["crs"])))
    if attrs["attribution"]:
        rows.append(("Source of the data", str(attrs["attribution"])))
    rows.append(("Made with", f"spineq {attrs['spineq_version']}"))
    return pd.DataFrame(rows, columns=["What", "Words"])


def asked_words(network: Network) -> list[tuple[str, str]]:
    """Say what was asked, as pairs of what and words; what was left as usual is left out."""
    problem = network.problem
    groups = [f"{title_of(name, group)}, weight {group.weight:g}" for name, group in problem.groups]
    given = problem.to_dict()
    made = [
        ("number of sensors", f"{given.pop('n_sensors'):,}") if "n_sensors" in given else None,
        ("theta", theta_words(network)),
        ("groups", "; ".join(groups)),
        ("decay", problem.decay),
    ]
    for name in ("theta", "groups", "decay"):
        given.pop(name, None)
    rest = [
        (name.replace("_", " "), value if isinstance(value, str) else json.dumps(value))
        for name, value in given.items()
    ]
    return [*filter(None, made), *rest]


def _written(network: Network, city: City, kind: str) -> bytes:
    """Have the file written to a folder of its own, and read it."""
    with tempfile.TemporaryDirectory(prefix="spineq-") as folder:
        path = Path(folder) / f"network.{KINDS[kind].ending}"
        if kind == "geopackage":
            network.to_gpkg(path, city)
        elif kind == "geojson":
            network.to_geojson(path, city)
        else:
            import spineq as sq

            sq.plot.save(sq.plot.network(network, city), path)
        return path.read_bytes()


def _workbook(network: Network, city: City) -> bytes:
    try:
        import openpyxl  # noqa: F401 - pandas' words for its lack are not for the page
    except ImportError as error:
        msg = "a workbook for Excel needs openpyxl, which is not installed"
        raise MissingExtraError(msg, mend='Install it: pip install "spineq[panel]"') from error
    sheets = {
        "Summary": summary_table(network),
        "Sensors": sensor_table(network, city).reset_index(),
        "Groups": group_table(network).reset_index(),
        "Areas": area_table(network, city),
    }
    for name, table in sheets.items():
        if len(table) > _MOST_ROWS:
            msg = f"{len(table):,} {name.lower()} are more than the {_MOST_ROWS:,} rows of a sheet"
            raise ProblemError(msg, field="kind", mend="Choose GeoPackage or NetCDF")
    stream = io.BytesIO()
    with pd.ExcelWriter(stream, engine="openpyxl") as writer:
        for name, table in sheets.items():
            _for_excel(table).to_excel(writer, sheet_name=name, index=False)
            _tidy(writer.sheets[name], table)
    return stream.getvalue()


def _for_excel(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out what a workbook cannot hold: some characters, and infinity."""
    made = table.copy()
    for column in made.columns:
        if made[column].dtype.kind == "f":
            # Out of reach has no number; an empty cell is what pandas makes of none.
            made[column] = made[column].replace([float("inf"), float("-inf")], float("nan"))
        elif _is_text(made[column]):
            made[column] = [
                _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", str(text))[:_MOST_CHARACTERS]
                for text in made[column]
            ]
    return made


def _tidy(sheet: Any, table: pd.DataFrame) -> None:
    """Keep text text, keep the head in sight, and make columns as wide as what is in them."""
    from openpyxl.styles import Alignment
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "A2"
    for k, column in enumerate(table.columns, start=1):
        text = _is_text(table[column])
        longest = max((len(str(value)) for value in table[column].head(200)), default=0)
        width = max(len(str(column)), longest if text else 12) + 2
        sheet.column_dimensions[get_column_letter(k)].width = min(width, 100)
        if not text:
            continue
        for (cell,) in sheet.iter_rows(min_row=2, min_col=k, max_col=k):
            if cell.data_type in "fe":
                # An id that begins with "=" or reads "#N/A" is an id. The quote says so to Excel
                # when the cell is edited, too.
                cell.data_type, cell.quotePrefix = "s", True
            if len(str(cell.value or "")) > 100:
                cell.alignment = Alignment(wrap_text=True, vertical="top")


def _is_text(column: pd.Series[Any]) -> bool:
    return not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _plain(text: str) -> str:
    """Write text in small letters, digits, full stops and hyphens."""
    ascii_ = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"\.{2,}", ".", re.sub(r"[^a-z0-9.]+", "-", ascii_.lower())).strip("-.")

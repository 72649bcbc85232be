"""A city as one blob: its GeoParquet files in a zip, for stores and for the wire."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from spineq.data.files import read_table
from spineq.errors import SpineqError, UnreadableFileError, shortened, shown
from spineq.model._parquet import PARTS, read_head
from spineq.model.city import City

_MEND = "Give what pack_city returned, or pack the city again"

#: Files that a blob may hold; a name with a path in it is none of them.
_FILES = tuple(f"{stem}.parquet" for stem in ("areas", *PARTS))

#: Values that one table may have, 8 GB of numbers: a few bytes can claim any number of equal ones.
_MOST_VALUES = 2**30


def pack_city(city: City) -> bytes:
    """Put everything that a city holds, polygons and labels too, into one blob.

    Returns
    -------
    bytes
        An uncompressed zip of the files that `City.to_geoparquet` writes, which compress
        themselves; the same for the same city and libraries.
    """
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as name, zipfile.ZipFile(packed, "w") as archive:
        folder = city.to_geoparquet(name)
        for file in sorted(folder.iterdir()):
            # Without the time of writing.
            archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes())
    return packed.getvalue()


def unpack_city(data: bytes, digest: str | None = None) -> City:
    """Rebuild a city that `pack_city` packed.

    Parameters
    ----------
    data
        The blob. Nothing in it is executed, and nothing but the city's tables is written for
        reading, into a temporary folder.
    digest
        What `City.digest` must be, 64 hex digits; None for what the blob itself says.

    Returns
    -------
    City
        With the polygons and labels of the one that was packed. Cautions that `read_city`
        gives of a file's data are not repeated.

    Raises
    ------
    UnreadableFileError
        The blob is no packed city, is damaged, or holds another city.
    """
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _extract(data, folder)
            city, said = _read(folder)
    except Exception as error:  # every reader has its own family of exceptions
        first = error.what if isinstance(error, SpineqError) else str(error).partition("\n")[0]
        reason = shortened(first, 200) or type(error).__name__
        msg = f"the packed city cannot be read ({reason})"
        raise UnreadableFileError(msg, mend=_MEND) from error
    if city.digest != said:
        msg = "the packed city was changed since it was packed"
        raise UnreadableFileError(msg, mend=_MEND)
    if digest is not None and city.digest != digest:
        msg = f"another city is packed here: its digest is {city.digest}, not {shown(digest)}"
        raise UnreadableFileError(msg, mend="Give the blob that was packed from that city")
    return city


def _extract(data: bytes, folder: Path) -> None:
    """Write the tables into a folder, after a look at their names and sizes."""
    import pyarrow.parquet as pq

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        strange = sorted(set(names) - set(_FILES)) or [n for n in names if names.count(n) > 1]
        if strange:
            msg = f"it holds {shown(strange[0])}, which is no table of a city or is there twice"
            raise UnreadableFileError(msg)
        for member in members:
            # What is stored as it is cannot be more than the blob.
            if member.compress_type != zipfile.ZIP_STORED or member.file_size > len(data):
                msg = f"{member.filename} is compressed, or longer than the blob"
                raise UnreadableFileError(msg)
            content = archive.read(member)
            table = pq.read_metadata(io.BytesIO(content))
            if table.num_rows * table.num_columns > _MOST_VALUES:
                msg = f"{member.filename} claims {table.num_rows:,} rows"
                raise UnreadableFileError(msg)
            (folder / member.filename).write_bytes(content)


def _read(folder: Path) -> tuple[City, object]:
    """Read a city as it was written, and the digest that it had."""
    areas = folder / "areas.parquet"
    head = read_head(areas)
    parts = {file.stem: file for file in folder.iterdir() if file != areas}
    if sorted(parts) != head["parts"]:
        msg = f"it was packed with {head['parts']}, and {sorted(parts)} are there"
        raise UnreadableFileError(msg)
    # Not by read_city, which names a city without a name after its folder.
    label: dict[str, Any] = {key: head[key] for key in ("name", "code", "attribution", "note")}
    city = City.from_frame(read_table(areas), **label)
    # Sites and points first: travel costs lead from the ones to the others.
    if "sites" in parts:
        city = city.with_sites(read_table(parts["sites"], "sites"))
    if "points" in parts:
        city = city.with_demand(read_table(parts["points"], "points"))
    if "existing" in parts:
        city = city.with_existing(read_table(parts["existing"], "existing"))
    if "travel" in parts:
        city = city.with_travel(read_table(parts["travel"], "travel"), unit=head["travel_unit"])
    return city, head["digest"]

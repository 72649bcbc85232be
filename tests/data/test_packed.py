"""Cities as one blob: what is packed comes back, and nothing else does."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from solvers.instances import city_of, straight_lines
from strategies import cities

import spineq as sq
from spineq.data import packed
from spineq.data.packed import pack_city, unpack_city
from spineq.errors import UnreadableFileError


def assert_same(back: sq.City, city: sq.City) -> None:
    """Compare everything: what can change an answer, and what is display."""
    assert back == city
    assert back.digest == city.digest
    assert back.label == city.label
    assert back.crs == city.crs
    assert back.travel_unit == city.travel_unit
    assert (back.polygons is None) == (city.polygons is None)
    if city.polygons is not None:
        wkb = [found.polygons.geometry.to_wkb().tolist() for found in (back, city)]
        assert wkb[0] == wkb[1]


@settings(max_examples=25)
@given(city=cities())
def test_drawn_cities(city: sq.City) -> None:
    """Cities with sites, points, sensors and travel costs of their own come back whole."""
    blob = pack_city(city)
    assert_same(unpack_city(blob, city.digest), city)
    assert blob == pack_city(city)


@pytest.mark.parametrize("kind", ["demo", "synthetic", "towns", "nameless", "parts"])
def test_cities_of_every_kind(kind: str, recwarn: pytest.WarningsRecorder) -> None:
    """Polygons, labels and every part come back, without a name also, and without a warning."""
    if kind == "demo":
        city = sq.demo_city()
    elif kind == "synthetic":
        city = sq.demo_city("synthetic", n_areas=300)
    elif kind == "towns":
        city = sq.demo_city("synthetic", n_areas=300, towns=3)
    elif kind == "nameless":
        city = city_of([[0, 0], [900, 100]], name="")
    else:
        city = city_of([[0, 0], [900, 100], [300, 800]], name="Zoë's")
        sites = pd.DataFrame({"site_id": ["Süd", "1"], "x": [4e5, 4e5 + 1 / 3], "y": [5e5] * 2})
        points = pd.DataFrame(
            {
                "area_id": ["A0", "A0", "A1", "A2"],
                "x": 4e5 + np.arange(4),
                "y": [5e5] * 4,
                "share": [0.25, 0.75, 1.0, 1.0],
            }
        )
        city = city.with_sites(sites).with_demand(points).with_existing(sites)
        city = city.with_travel(straight_lines(city), unit="minutes")
        city = city.labelled(note="A note", attribution="© someone")
    assert_same(unpack_city(pack_city(city), city.digest), city)
    assert len(recwarn) == 0


def test_another_city_is_refused() -> None:
    """A blob is that of the digest that is asked for, or an error."""
    city = city_of([[0, 0], [900, 100]])
    other = city_of([[0, 0], [900, 101]])
    assert unpack_city(pack_city(city)) == city
    with pytest.raises(UnreadableFileError, match="another city is packed here"):
        unpack_city(pack_city(city), other.digest)


def repacked(blob: bytes, *, compression: int = zipfile.ZIP_STORED, **changes: bytes) -> bytes:
    """Blob with other members; an empty one is taken out."""
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members |= {name.replace("_", "."): content for name, content in changes.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, content in members.items():
            if content:
                archive.writestr(name, content)
    return made.getvalue()


def member(blob: bytes, name: str) -> bytes:
    """Content of one of a blob's members."""
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        return archive.read(name)


@pytest.fixture(scope="module")
def blob() -> bytes:
    city = city_of([[0, 0], [900, 100]])
    return pack_city(city.with_existing(city.sites))


def test_garbage_and_truncation(blob: bytes) -> None:
    """Bytes that are no blob, and the beginning or end of one, are refused in words."""
    ends = [blob[:length] for length in (0, 1, 30, len(blob) // 2, len(blob) - 1)]
    for data in (b"garbage", bytes(5000), *ends, blob[len(blob) // 2 :]):
        with pytest.raises(UnreadableFileError, match=r"the packed city .*\. Give what pack_city"):
            unpack_city(data)


def test_flipped_bits_are_noticed(blob: bytes) -> None:
    """A blob with flipped bits is refused, or gives the very same city."""
    whole, generator, refused = unpack_city(blob), np.random.default_rng(0), 0
    for _ in range(60):
        data = bytearray(blob)
        data[generator.integers(len(data))] ^= 1 << int(generator.integers(8))
        try:
            assert_same(unpack_city(bytes(data), whole.digest), whole)
        except UnreadableFileError:
            refused += 1
    assert refused > 30


@pytest.mark.parametrize("name", ["../areas.parquet", "/etc/x", "a/sites.parquet", "areas.pickle"])
def test_members_that_are_no_table(blob: bytes, name: str, tmp_path: Path) -> None:
    """A member with a path or an unknown name is refused before anything is written."""
    made = io.BytesIO(blob)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr(name, b"evil")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path))
        with pytest.raises(UnreadableFileError, match="no table of a city"):
            unpack_city(made.getvalue())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_are_there_twice(blob: bytes) -> None:
    """Of two members with one name neither is taken."""
    made = io.BytesIO(blob)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("areas.parquet", member(blob, "areas.parquet"))
    with pytest.raises(UnreadableFileError, match="there twice"):
        unpack_city(made.getvalue())


def test_sizes_that_are_absurd(blob: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compressed members and tables of absurdly many rows are not unpacked."""
    with pytest.raises(UnreadableFileError, match="compressed"):
        unpack_city(repacked(blob, compression=zipfile.ZIP_DEFLATED))
    bomb = io.BytesIO()
    pq.write_table(pa.table({"site": pa.array(np.zeros(100_000))}), bomb)
    monkeypatch.setattr(packed, "_MOST_VALUES", 90_000)
    with pytest.raises(UnreadableFileError, match="claims 100,000 rows"):
        unpack_city(repacked(blob, travel_parquet=bomb.getvalue()))


def test_parts_that_do_not_belong(blob: bytes) -> None:
    """A part that is missing, too many, or of another city is noticed."""
    existing = member(blob, "existing.parquet")
    other = city_of([[0, 0], [900, 101]])
    foreign = member(pack_city(other.with_existing(other.sites)), "existing.parquet")
    for changes in ({"existing_parquet": b""}, {"sites_parquet": existing}):
        with pytest.raises(UnreadableFileError, match="was packed with"):
            unpack_city(repacked(blob, **changes))
    with pytest.raises(UnreadableFileError, match="was changed since"):
        unpack_city(repacked(blob, existing_parquet=foreign))
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        unpack_city(repacked(blob, areas_parquet=existing))
    assert unpack_city(repacked(blob)) == unpack_city(blob)

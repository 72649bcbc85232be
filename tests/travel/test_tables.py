"""Tables of other tools: each in the words in which it writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import cities, travel_frames

from spineq.errors import (
    DataError,
    DuplicateIdError,
    MissingColumnError,
    MissingFileError,
    TravelCostError,
    UnreadableFileError,
)
from spineq.travel import from_table

WANTED = [("A", "a", 5.0), ("A", "b", 12.5), ("B", "b", 0.0)]

#: Columns of each tool, the unit that it fixes.
TOOLS: dict[str, tuple[list[str], str | None]] = {
    "r5py": (["from_id", "to_id", "travel_time"], "minutes"),
    "r5r": (["from_id", "to_id", "travel_time_p50"], "minutes"),
    "pandana": (["source", "destination", "weight"], None),
    "osrm, time": (["source", "destination", "duration"], "s"),
    "osrm, way": (["source", "destination", "distance"], "m"),
    "arcgis, names": (["OriginName", "DestinationName", "Total_Minutes"], "minutes"),
    "arcgis, numbers": (["OriginID", "DestinationID", "Total_Kilometers"], "km"),
    "arcgis, own cost": (["OriginID", "DestinationID", "Total_Effort"], None),
    "ours": (["site", "area", "cost"], None),
}


def rows(frame: pd.DataFrame, by: str = "area") -> list[tuple[str, str, float]]:
    return list(frame[["site", by, "cost"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("ending", ["frame", ".csv", ".parquet"])
def test_tables_of_tools(tmp_path: Path, tool: str, ending: str) -> None:
    """Recognised by their columns; a cost that is empty means that there is no way."""
    columns, unit = TOOLS[tool]
    frame = pd.DataFrame([*WANTED[:2], ("B", "a", None), WANTED[2]], columns=columns)
    source: Any = frame
    if ending != "frame":
        source = tmp_path / f"costs{ending}"
        frame.to_csv(source, index=False) if ending == ".csv" else frame.to_parquet(source)
    made = from_table(source)
    assert rows(made) == WANTED
    assert made.attrs == {"unit": unit, "unreachable": 1}
    assert from_table(source, unit="furlongs").attrs["unit"] == "furlongs"


def test_arcgis_names_in_one_column() -> None:
    """Name holds both ends; the numbers beside it are ArcGIS's own, and not looked at."""
    frame = pd.DataFrame(
        {
            "ObjectID": [1, 2],
            "Name": ["Lamp 7 - E00042671", "Lamp-8 - E00042672"],
            "OriginID": [1, 2],
            "DestinationID": [1, 2],
            "DestinationRank": [1, 1],
            "Total_Length": [3.0, 4.0],
        }
    )
    assert rows(from_table(frame)) == [("Lamp 7", "E00042671", 3), ("Lamp-8", "E00042672", 4)]
    named = from_table(frame, site="OriginID", area="DestinationID")
    assert rows(named) == [("1", "1", 3), ("2", "2", 4)]
    frame.loc[1, "Name"] = "A - B - C"
    with pytest.raises(UnreadableFileError, match=r"row 2.*'A - B - C' is not two names"):
        from_table(frame)


def test_columns_named_by_the_caller() -> None:
    """Any columns; trips from areas to sites; points rather than areas."""
    frame = pd.DataFrame({"wo": ["a"], "wer": ["S"], "dauer": [3.0]})
    assert rows(from_table(frame, site="wer", area="wo", cost="dauer")) == [("S", "a", 3.0)]
    there = pd.DataFrame({"from_id": ["a"], "to_id": ["S"], "travel_time": [3.0]})
    assert rows(from_table(there, site="to_id", area="from_id")) == [("S", "a", 3.0)]
    assert rows(from_table(there, site="to_id")) == [("S", "a", 3.0)]
    made = from_table(there, point="from_id")
    assert rows(made, "point") == [("S", "a", 3.0)]
    ours = pd.DataFrame({"site": ["S"], "point": ["p"], "cost": [1]})
    assert rows(from_table(ours), "point") == [("S", "p", 1.0)]


def test_ids_stay_as_they_are_written(tmp_path: Path) -> None:
    """007 is not 7, and NA is a name of neither."""
    path = tmp_path / "r5.csv"
    path.write_text("from_id,to_id,travel_time\n007,01,3\n007,02,\n")
    assert rows(from_table(path)) == [("007", "01", 3.0)]


@pytest.mark.parametrize("kind", ["duration", "distance"])
def test_the_answer_of_osrm(tmp_path: Path, kind: str) -> None:
    """Its JSON as it is, with the ids in the order in which it was asked; null is no way."""
    path = tmp_path / "table.json"
    path.write_text(json.dumps({"code": "Ok", kind + "s": [[0, 5.5], [None, 7], [1, 2]]}))
    made = from_table(path, origins=["A", "B", "C"], destinations=["a", "b"])
    assert rows(made) == [
        ("A", "a", 0),
        ("A", "b", 5.5),
        ("B", "b", 7),
        ("C", "a", 1),
        ("C", "b", 2),
    ]
    assert made.attrs["unit"] == {"duration": "s", "distance": "m"}[kind]
    turned = from_table(
        path, site="destination", area="source", origins=[1, 2, 3], destinations=["S", "T"]
    )
    assert rows(turned)[:2] == [("S", "1", 0), ("T", "1", 5.5)]


@pytest.mark.parametrize(
    ("answer", "more", "words"),
    [
        ({"code": "InvalidQuery", "message": "Coordinate 3"}, {}, "OSRM answered 'InvalidQuery'"),
        (
            {"code": "Ok", "durations": [[1]], "distances": [[1]]},
            {},
            "both durations and distances",
        ),
        ({"code": "Ok"}, {}, "holds no costs"),
        ({"durations": [[1]]}, {"cost": "distance"}, "holds no 'distance'"),
        ({"durations": [[1], [1, 2]]}, {}, "no matrix"),
        ({"durations": 7}, {}, "no matrix"),
        ({"durations": [[1]]}, {}, "for 1 origins, whose ids it does not hold"),
        ({"durations": [[1]]}, {"origins": ["A", "B"]}, "and not 2"),
    ],
)
def test_answers_of_osrm_that_are_none(
    tmp_path: Path, answer: Any, more: dict[str, Any], words: str
) -> None:
    """Refused with what to ask for or to give."""
    path = tmp_path / "table.json"
    path.write_text(json.dumps(answer))
    with pytest.raises(DataError, match=words):
        from_table(path, **more)


@pytest.mark.parametrize(
    ("table", "more", "kind", "words"),
    [
        (
            {"a": [1], "b": [2], "cost": [3]},
            {},
            MissingColumnError,
            "Name both, site= and area=; there are a, b",
        ),
        (
            {"from_id": ["A"], "to_id": ["a"]},
            {},
            MissingColumnError,
            "no column is known to be costs",
        ),
        (
            {"from_id": ["A"], "to_id": ["a"], "duration": [1], "distance": [2]},
            {},
            MissingColumnError,
            "several columns could be the costs. Name it, cost=; there are duration, distance",
        ),
        (
            {"site": ["A"], "area": ["a"], "cost": [-1]},
            {},
            TravelCostError,
            "row 1.*from A to a is -1",
        ),
        (
            {"site": ["A"], "area": ["a"], "cost": ["far"]},
            {},
            TravelCostError,
            "from A to a is far",
        ),
        (
            {"site": ["A"], "area": ["a"], "cost": [None]},
            {},
            TravelCostError,
            "nothing is in reach",
        ),
        ({"site": [], "area": [], "cost": []}, {}, TravelCostError, "nothing is in reach"),
        (
            {"site": ["A", "A"], "area": ["a", "a"], "cost": [None, 1]},
            {},
            DuplicateIdError,
            "row 2.*twice",
        ),
        (
            {"site": ["A", None], "area": ["a", "a"], "cost": [1, 1]},
            {},
            DuplicateIdError,
            "row 2.*no identifier",
        ),
        (
            {"site": ["A"], "area": ["a"], "cost": [1]},
            {"area": "area", "point": "area"},
            DataError,
            "both area and point",
        ),
        (
            {"site": ["A"], "area": ["a"], "cost": [1]},
            {"cost": "price"},
            MissingColumnError,
            "'price' is missing",
        ),
        (
            {"site": ["A"], "area": ["a"], "cost": [1]},
            {"site": "lamp"},
            MissingColumnError,
            "'lamp' is missing",
        ),
        (
            {"site": ["A"], "area": ["a"], "cost": [1]},
            {"origins": ["A"]},
            DataError,
            "JSON of OSRM",
        ),
        ({"site": ["A"], "area": ["a"], "cost": [1]}, {"unit": 7}, DataError, "unit must be text"),
    ],
)
def test_bad_tables(
    table: dict[str, Any], more: dict[str, Any], kind: type[Exception], words: str
) -> None:
    """Refused with the row, the column and the mend."""
    with pytest.raises(kind, match=words):
        from_table(pd.DataFrame(table), **more)


def test_what_is_no_table(tmp_path: Path) -> None:
    """Neither a frame nor a file."""
    with pytest.raises(MissingFileError, match="no such file"):
        from_table(tmp_path / "none.csv")
    with pytest.raises(MissingFileError, match="a path is needed, not 7"):
        from_table(7)  # type: ignore[arg-type]
    path = tmp_path / "table.json"
    path.write_text("{broken")
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        from_table(path)


@given(st.data())
def test_our_own_tables_come_through_unchanged(data: st.DataObject) -> None:
    """A table that a city takes is the same city's table after it."""
    city = data.draw(cities(travel=False))
    frame = data.draw(travel_frames(city))
    made = from_table(frame)
    assert city.with_travel(made, unit="minutes") == city.with_travel(frame, unit="minutes")
    # The table brings its unit along; one that has none is in metres.
    timed = from_table(frame, unit="minutes")
    assert city.with_travel(timed).travel_unit == "minutes"
    assert city.with_travel(timed, unit="s").travel_unit == "s"
    assert city.with_travel(frame).travel_unit == "m"


def test_infinity_is_no_way() -> None:
    """As pandana and networkx say it."""
    frame = pd.DataFrame({"source": ["A", "A"], "destination": ["a", "b"], "weight": [1, np.inf]})
    assert rows(from_table(frame)) == [("A", "a", 1.0)]


def test_ids_in_columns_that_the_user_names_stay_as_written(tmp_path: Path) -> None:
    """007 is not 7, whatever the column is called."""
    path = tmp_path / "walks.csv"
    path.write_text("stop,zone,mins\n007,01,2\n")
    assert rows(from_table(path, site="stop", area="zone", cost="mins")) == [("007", "01", 2.0)]


def test_columns_in_letters_of_another_size() -> None:
    """Point is point; of cost and Cost it is the first, as the contract writes it."""
    made = from_table(pd.DataFrame({"Site": ["A"], "Point": ["p"], "cost": [3], "Cost": [4]}))
    assert rows(made, "point") == [("A", "p", 3.0)]


def test_one_column_for_both_ends_and_a_unit_of_nothing() -> None:
    frame = pd.DataFrame({"from_id": ["A"], "to_id": ["a"], "travel_time": [5]})
    with pytest.raises(DataError, match="'to_id' is named for both ends"):
        from_table(frame, site="to_id", area="to_id")
    with pytest.raises(DataError, match="unit of the costs is empty"):
        from_table(frame, unit=" ")


@pytest.mark.parametrize("origins", [{"A"}, 5, iter("A")])
def test_osrm_s_ids_must_have_an_order(tmp_path: Path, origins: Any) -> None:
    path = tmp_path / "table.json"
    path.write_text('{"code": "Ok", "durations": [[1]]}')
    with pytest.raises(UnreadableFileError, match="is no list of them"):
        from_table(path, origins=origins, destinations=["a"])


def test_json_that_is_too_deep(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_text("[" * 100_000)
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        from_table(path)


def test_of_several_percentiles_it_is_the_median_and_said() -> None:
    frame = pd.DataFrame({"from_id": ["A"], "to_id": ["a"]})
    frame = frame.assign(travel_time_p25=3, travel_time_p50=5, travel_time_p75=7)
    made = from_table(frame)
    assert rows(made) == [("A", "a", 5.0)]
    assert made.attrs["note"].startswith("Costs are travel_time_p50, of the table that also has")
    assert "travel_time_p75" in from_table(frame, cost="travel_time_p75").attrs["note"]
    assert "note" not in from_table(frame[["from_id", "to_id", "travel_time_p50"]]).attrs

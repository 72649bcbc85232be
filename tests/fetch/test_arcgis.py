"""Likely successors of services, and answers that are read."""

from __future__ import annotations

import json

import pytest
from statistics_office import Office, Town, edited

from spineq.fetch import FetchError
from spineq.fetch.arcgis import Layer, successor
from spineq.fetch.catalogue import EDITIONS, Service
from spineq.fetch.desk import Desk

NAMES = [
    "OA21_WD24_LAD24_EW_LU_v2", "OA21_WD26_LAD26_EW_LU", "LSOA21_WD26_LAD26_EW_LU",
    "MSOA21_WD26_LAD26_EW_LU_v3", "OA_December_2021_EW_PWC_V5", "LSOA_PopCentroids_EW_2021_V4",
    "Local_Authority_Districts_May_2025_Boundaries_UK_BGC_V2", "Wards_May_2025_Boundaries_UK_BGC",
    "Local_Authority_Districts_May_2025_Boundaries_UK_BFC_V2", "Output_Areas_2021_EW_BFC_V8",
]  # fmt: skip


@pytest.mark.parametrize(
    ("gone", "new"),
    [
        ("OA21_WD25_LAD25_EW_LU_v3", "OA21_WD26_LAD26_EW_LU"),
        ("OA_December_2021_EW_PWC_V4", "OA_December_2021_EW_PWC_V5"),
        (
            "Local_Authority_Districts_December_2024_Boundaries_UK_BGC",
            "Local_Authority_Districts_May_2025_Boundaries_UK_BGC_V2",
        ),
        ("Somewhere_Else", None),
    ],
)
def test_the_likely_successor(gone: str, new: str | None) -> None:
    """Years and versions aside of the same name; the latest of several."""
    assert successor(gone, NAMES) == new
    assert successor(gone, NAMES[::-1]) == new
    assert successor(gone, []) is None


def test_pages_of_every_size(town: Town, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The rows are the same, whatever the limit, said or unsaid."""
    service = EDITIONS[2021].lookup
    for rows, advertised in [(7, 7), (7, 2000), (60, 60), (59, 61), (1, 3)]:
        with (
            Office([town], arcgis_rows=rows, advertised=advertised) as office,
            Desk(tmp_path_factory.mktemp("cache"), root=office.url) as desk,
        ):
            layer = Layer.open(desk, service, {})
            found = [
                row["area"] for page in layer.rows("LAD25CD='E08000901'", ["area"]) for row in page
            ]
            assert found == list(town.frame["area_id"])
            assert layer.distinct(["authority", "name"])[0]["name"] == "Madeby"


def test_more_rows_than_counted(town: Town, tmp_path: object) -> None:
    """The flag of the last page is believed, and the count is not."""
    with Office([town]) as office, Desk(str(tmp_path), root=office.url) as desk:
        layer = Layer.open(desk, EDITIONS[2021].lookup, {})
        fewer = edited(lambda body: json.dumps({"count": 50}).encode())
        office.spoil("returnCountOnly", fewer)
        with pytest.raises(FetchError, match="sends more than the 50 rows that it counts"):
            list(layer.rows("LAD25CD='E08000901'", ["area"]))


def test_a_column_that_is_gone(town: Town, tmp_path: object) -> None:
    """Another year is found, another name is not."""
    with Office([town]) as office, Desk(str(tmp_path), root=office.url) as desk:
        service = Service("OA21_WD25_LAD25_EW_LU_v3", {"area": "oa21cd", "ward": "WD07CD"}, "")
        layer = Layer.open(desk, service, {})
        assert dict(layer.columns) == {"area": "OA21CD", "ward": "WD25CD"}
        service = Service("OA21_WD25_LAD25_EW_LU_v3", {"area": "SOMETHING"}, "")
        with pytest.raises(FetchError, match="has no column SOMETHING, only FID, OA21CD"):
            Layer.open(desk, service, {})

"""Tables that a statistics office has of its towns, with the names that the services give them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import pandas as pd
import shapely
from fetch.towns import Town

LOOKUP_2011 = "OA11_LSOA11_MSOA11_LAD20_RGN20_EW_LU_a1cf695c9b074c708921b2a7555f808a"

ETHNIC = {
    "asian": "Asian, Asian British or Asian Welsh",
    "black": "Black, Black British, Black Welsh, Caribbean or African",
    "mixed": "Mixed or Multiple ethnic groups",
    "white": "White",
    "other": "Other ethnic group",
}

#: Nomis' tables: column of the cells; name of the cells by number; share of an area's people.
CELLS: dict[str, tuple[str, dict[str, tuple[str, float]]]] = {
    "NM_2041_1": (
        "c2021_eth_20",
        {
            str(1001 + k): (name, share)
            for k, (name, share) in enumerate(
                zip(ETHNIC.values(), (0.11, 0.03, 0.02, 0.8, 0.04), strict=True)
            )
        },
    ),
    "NM_608_1": (
        "cell",
        {
            "100": ("White", 0.8),
            "200": ("Mixed/multiple ethnic groups", 0.02),
            "300": ("Asian/Asian British", 0.11),
            "400": ("Black/African/Caribbean/Black British", 0.03),
            "500": ("Other ethnic group", 0.04),
        },
    ),
    "NM_2056_1": (
        "c2021_disability_5",
        {
            "1": ("Disabled under the Equality Act: Day-to-day activities limited a lot", 0.08),
            "2": ("Disabled under the Equality Act: Day-to-day activities limited a little", 0.1),
        },
    ),
    "NM_532_1": (
        "c_disability",
        {
            "1": ("Day-to-day activities limited a lot", 0.08),
            "2": ("Day-to-day activities limited a little", 0.1),
        },
    ),
    "NM_2055_1": ("c2021_health_6", {"4": ("Bad health", 0.04), "5": ("Very bad health", 0.01)}),
    "NM_531_1": ("c_health", {"4": ("Bad health", 0.04), "5": ("Very bad health", 0.01)}),
}


def feature_tables(towns: Sequence[Town]) -> dict[str, list[dict[str, Any]]]:
    """Rows of every feature service by its name."""
    tables: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in (
            "OA21_WD25_LAD25_EW_LU_v3", LOOKUP_2011, "Output_Areas_2021_EW_BGC_V2",
            "Output_Areas_Dec_2011_Boundaries_EW_BGC_2022", "OA_December_2021_EW_PWC_V4",
            "Output_Areas_Dec_2011_PWC_2022",
            "Local_Authority_Districts_December_2024_Boundaries_UK_BGC",
            "LSOA21_WD25_LAD25_EW_LU_v2", "Wards_December_2024_Boundaries_UK_BGC",
        )
    }  # fmt: skip
    shapes = "Local_Authority_Districts_December_2024_Boundaries_UK_BGC"
    for town in towns:
        tables[shapes].append(
            {"LAD24CD": town.code, "LAD24NM": town.name, "geometry": town.outline}
        )
        rows = zip(
            town.frame["area_id"], town.frame.geometry, town.frame["x"], town.frame["y"],
            strict=True,
        )  # fmt: skip
        for k, (area, polygon, x, y) in enumerate(rows):
            lsoa, point = town.lsoa(k), shapely.Point(x, y)
            tables["OA21_WD25_LAD25_EW_LU_v3"].append(
                {"OA21CD": area, "WD25CD": "E05", "LAD25CD": town.code, "LAD25NM": town.name}
            )
            tables[LOOKUP_2011].append(
                {"OA11CD": area, "LSOA11CD": lsoa, "LAD20CD": town.code, "LAD20NM": town.name}
            )
            tables["Output_Areas_2021_EW_BGC_V2"].append(
                {"OA21CD": area, "LSOA21CD": lsoa, "BNG_E": 0, "geometry": polygon}
            )
            tables["Output_Areas_Dec_2011_Boundaries_EW_BGC_2022"].append(
                {"OA11CD": area, "LAD11CD": town.code, "geometry": polygon}
            )
            tables["OA_December_2021_EW_PWC_V4"].append({"OA21CD": area, "geometry": point})
            tables["Output_Areas_Dec_2011_PWC_2022"].append({"OA11CD": area, "geometry": point})
    return tables


def journeys(towns: Sequence[Town]) -> bytes:
    """Journeys to work: to each area from two others, with people at home beside them."""
    rows = []
    for town in towns:
        areas = list(town.frame["area_id"])
        for k, (area, workers) in enumerate(zip(areas, town.frame["workers"], strict=True)):
            first = int(workers) // 3
            rows += [
                (areas[k - 1], area, 3, first),
                (areas[k - 2], area, 3, int(workers) - first),
            ]
            rows += [(area, area, 1, 7), (area, "999999999", 4, 2)]
    rows = [row for row in rows if row[3] > 0]
    table = pd.DataFrame(
        rows,
        columns=[
            "Output Areas code", "OA of workplace code",
            "Place of work indicator (4 categories) code", "Count",
        ],
    )  # fmt: skip
    table.insert(1, "Output Areas label", table["Output Areas code"])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ODWP01EW_LTLA.csv", "nothing,here\n")
        archive.writestr("ODWP01EW_OA.csv", table.to_csv(index=False))
    return made.getvalue()


def deprivation(towns: Sequence[Town], *, newer: bool) -> bytes:
    """Deciles of the larger areas, as a file that begins with a mark of its encoding."""
    year = 2021 if newer else 2011
    decile = "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"
    lines = [f'LSOA code ({year}),LSOA name ({year}),"{decile}"']
    lines += [
        f"{town.lsoa(k)},Somewhere,{town.decile(k)}"
        for town in towns
        for k in range(0, len(town.frame), 5)
    ]
    return ("\ufeff" + "\n".join(lines) + "\n").encode()

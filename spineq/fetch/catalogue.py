"""Every service, table and column that is asked, with the date it was last seen valid.

No service was called live when this was written: ``seen`` says when a public source last showed
the name at work, and the formats come from such sources too. A service that moves is a change of
one line here; until that is made, ``services=`` of `spineq.fetch_city` names the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

from spineq.errors import ProblemError, shown

#: Folder of the Office for National Statistics' feature services.
ARCGIS = "https://services1.arcgis.com/ESMARspQHYMw9BZ9/arcgis/rest/services"

#: Nomis, the office's tables.
NOMIS = "https://www.nomisweb.co.uk/api/v01/dataset"

#: Coordinate system that everything is asked in.
CRS = "EPSG:27700"

LICENCE = "Open Government Licence v3.0"

#: With the year of the fetch behind it.
ATTRIBUTION = (
    "Source: Office for National Statistics licensed under the Open Government Licence v.3.0. "
    "Contains OS data © Crown copyright and database right"
)

#: Behind the other where there is deprivation.
DEPRIVATION_ATTRIBUTION = "Deprivation: Ministry of Housing, Communities and Local Government"

#: Most rows that Nomis sends to somebody without a key; what is beyond is cut without a word.
NOMIS_ROWS = 25_000


@dataclass(frozen=True)
class Service:
    """A feature service.

    Parameters
    ----------
    name
        Its name in `ARCGIS`.
    columns
        Name of its columns by what they hold. Years in them may change with the service.
    seen
        When it was last seen valid, and where.
    """

    name: str
    columns: Mapping[str, str]
    seen: str


@dataclass(frozen=True)
class Table:
    """A table of Nomis.

    Parameters
    ----------
    dataset
        Its id.
    kind
        Nomis' type of the areas.
    dimension
        Column of what is counted, empty where that is one thing only.
    cells
        Which are asked for.
    fixed
        Further parameters, one value each.
    total
        The cell that is everybody, empty where the table is not compared with a total.
    seen
        When it was last seen valid, and where.
    """

    dataset: str
    kind: str
    dimension: str
    cells: str
    fixed: Mapping[str, str]
    seen: str
    total: str = ""


@dataclass(frozen=True)
class Download:
    """A whole file.

    Parameters
    ----------
    name
        What it is called in messages.
    url
        Its address.
    columns
        Name of its columns by what they hold.
    seen
        When it was last seen valid, and where.
    member
        The file inside, where it is a zip.
    """

    name: str
    url: str
    columns: Mapping[str, str]
    seen: str
    member: str = ""


@dataclass(frozen=True)
class Counted:
    """A column of a city, and the cells of a table that are added up for it.

    Parameters
    ----------
    column
        Name in the city.
    words
        The names of the cells hold these words, in small letters.
    """

    column: str
    words: str


@dataclass(frozen=True)
class Overlay:
    """Optional columns that come from one table."""

    table: Table
    columns: tuple[Counted, ...]


@dataclass(frozen=True)
class Edition:
    """What is asked for the areas of one census."""

    census: int
    lookup: Service
    polygons: Service
    centroids: Service
    outline: Service
    ages: Table
    workers: Table | Download
    deprivation: Download
    overlays: Mapping[str, Overlay]
    note: str = ""


_HEALTH = (Counted("bad_health", "bad health"),)
_DISABILITY = (Counted("disabled", "activities limited a "),)
_ETHNICITY = tuple(
    Counted(f"ethnic_{word}", word) for word in ("asian", "black", "mixed", "white", "other")
)

_OUTLINE = Service(
    "Local_Authority_Districts_December_2024_Boundaries_UK_BGC",
    {"name": "LAD24NM"},
    "2026-09, public source code",
)

_DECILE = "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"

EDITIONS: dict[int, Edition] = {
    2021: Edition(
        census=2021,
        lookup=Service(
            "OA21_WD25_LAD25_EW_LU_v3",
            {"area": "OA21CD", "authority": "LAD25CD", "name": "LAD25NM"},
            "late 2026, public source code",
        ),
        # It also says which lower layer super output area, which deprivation is given by.
        polygons=Service(
            "Output_Areas_2021_EW_BGC_V2",
            {"area": "OA21CD", "lsoa": "LSOA21CD"},
            "stored REST page (188,880 rows)",
        ),
        centroids=Service("OA_December_2021_EW_PWC_V4", {"area": "OA21CD"}, "2026-09-28, README"),
        outline=_OUTLINE,
        # Ages 0 to 90+ are cells 101 to 191.
        ages=Table(
            "NM_2014_1", "TYPE150", "c_age", "101...191",
            {"date": "latest", "gender": "0", "measures": "20100"},
            "2026, public source code, for larger areas; that it has output areas is inferred",
            total="200",
        ),
        workers=Download(
            "ODWP01EW",
            "https://www.nomisweb.co.uk/output/census/2021/odwp01ew.zip",
            {
                "area": "OA of workplace code",
                "place": "Place of work indicator (4 categories) code",
                "count": "Count",
            },
            "2026, public source code",
            member="ODWP01EW_OA.csv",
        ),
        deprivation=Download(
            "IoD2025",
            "https://assets.publishing.service.gov.uk/media/691ded56d140bbbaa59a2a7d/"
            "File_7_IoD2025_All_Ranks_Scores_Deciles_Population_Denominators.csv",
            {"lsoa": "LSOA code (2021)", "decile": _DECILE},
            "2026, public source code",
        ),
        overlays={
            "ethnicity": Overlay(
                Table(
                    "NM_2041_1", "TYPE150", "c2021_eth_20", "1001...1005",
                    {"date": "latest", "measures": "20100"}, "2026, TS021 in public source code",
                ),
                _ETHNICITY,
            ),
            "disability": Overlay(
                Table(
                    "NM_2056_1", "TYPE150", "c2021_disability_5", "1,2",
                    {"date": "latest", "measures": "20100"},
                    "2026-10-05, TS038 in public source code",
                ),
                _DISABILITY,
            ),
            "health": Overlay(
                Table(
                    "NM_2055_1", "TYPE150", "c2021_health_6", "4,5",
                    {"date": "latest", "measures": "20100"}, "2026, TS037 in public source code",
                ),
                _HEALTH,
            ),
        },
        note=(
            "Workers are of the census of March 2021, in a lockdown: people who worked at home "
            "are left out, and the level is depressed."
        ),
    ),
    2011: Edition(
        census=2011,
        lookup=Service(
            "OA11_LSOA11_MSOA11_LAD20_RGN20_EW_LU_a1cf695c9b074c708921b2a7555f808a",
            {"area": "OA11CD", "authority": "LAD20CD", "name": "LAD20NM", "lsoa": "LSOA11CD"},
            "stored catalogue page",
        ),
        polygons=Service(
            "Output_Areas_Dec_2011_Boundaries_EW_BGC_2022",
            {"area": "OA11CD"},
            "stored REST page (181,408 rows)",
        ),
        centroids=Service(
            "Output_Areas_Dec_2011_PWC_2022", {"area": "OA11CD"}, "stored REST page"
        ),
        outline=_OUTLINE,
        ages=Table(
            "NM_2010_1", "TYPE299", "c_age", "101...191",
            {"date": "latest", "gender": "0", "measures": "20100"},
            "2026, public source code, for larger areas; its last year is 2020",
            total="200",
        ),
        workers=Table(
            "NM_1300_1", "TYPE299", "", "", {"date": "latest", "measures": "20100"},
            "2026, WP101EW in public source code",
        ),
        deprivation=Download(
            "IoD2019",
            "https://assets.publishing.service.gov.uk/media/5dc407b440f0b6379a7acc8d/"
            "File_7_-_All_IoD2019_Scores__Ranks__Deciles_and_Population_Denominators_3.csv",
            {"lsoa": "LSOA code (2011)", "decile": _DECILE},
            "2026, public source code",
        ),
        overlays={
            "ethnicity": Overlay(
                Table(
                    "NM_608_1", "TYPE299", "cell", "100,200,300,400,500",
                    {"date": "latest", "rural_urban": "0", "measures": "20100"},
                    "KS201EW in public source code",
                ),
                _ETHNICITY,
            ),
            "disability": Overlay(
                Table(
                    "NM_532_1", "TYPE299", "c_disability", "1,2",
                    {"date": "latest", "rural_urban": "0", "measures": "20100"},
                    "QS303EW in public source code",
                ),
                _DISABILITY,
            ),
            "health": Overlay(
                Table(
                    "NM_531_1", "TYPE299", "c_health", "4,5",
                    {"date": "latest", "rural_urban": "0", "measures": "20100"},
                    "QS302EW in public source code",
                ),
                _HEALTH,
            ),
        },
        note="Workers are of the census of March 2011.",
    ),
}  # fmt: skip

#: Names of all feature services that are asked.
SERVICES = tuple(
    dict.fromkeys(
        service.name
        for asked in EDITIONS.values()
        for service in (asked.lookup, asked.polygons, asked.centroids, asked.outline)
    )
)

#: Names of the optional columns, as `spineq.fetch_city` takes them.
COLUMNS = ("deprivation", "ethnicity", "disability", "health")

#: Workplace that is neither the home, nor abroad or offshore, nor none at all.
WORKS_ELSEWHERE = 3


def edition(census: object) -> Edition:
    """Find what is asked for a census.

    Raises
    ------
    ProblemError
        There is no such census here.
    """
    if isinstance(census, Real) and not isinstance(census, bool):
        for year, asked in EDITIONS.items():
            if census == year:
                return asked
    msg = f"there are no areas of a census of {shown(census)}"
    raise ProblemError(msg, field="census", mend="Use 2021 or 2011")

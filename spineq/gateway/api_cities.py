"""The documented API: cities, and the coverage of a network that somebody else has chosen."""

from __future__ import annotations

# FastAPI reads annotations when the routes are made: what they name must be there at run time.
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from spineq.gateway.answer_models import CityList, CityModel, NetworkModel
from spineq.gateway.answers import API
from spineq.gateway.desk import Desk
from spineq.gateway.maps import GEOJSON, geojson
from spineq.gateway.models import CoverageRequest, words_of
from spineq.gateway.paging import Limit, Offset, next_page, no_other_words

CityName = Annotated[str, Path(description="Code, name or digest of a city.", max_length=200)]


def city_routes(desk: Desk) -> APIRouter:
    """Make the routes of cities. They run on a thread."""
    router = APIRouter(
        prefix=f"{API}/cities", tags=["cities"], dependencies=[Depends(no_other_words)]
    )

    @router.get("")
    def list_cities(request: Request, limit: Limit = 50, offset: Offset = 0) -> CityList:
        """List cities: those that the gateway was started with, then those of jobs."""
        digests = desk.cities.digests()
        page = digests[offset : offset + limit]
        more = len(digests) > offset + limit
        return CityList(
            cities=[CityModel(**each) for each in desk.cities.described_all(page)],
            next=next_page(request, more, limit, offset),
        )

    @router.get("/{city}")
    def get_city(city: CityName) -> CityModel:
        """Describe a city."""
        return CityModel(**desk.cities.described(desk.cities.digest_of(city)))

    def on_map(path: str, made: Callable[[str], str], what: str) -> None:
        """Add a route that answers with GeoJSON, longitude and latitude: what a map needs."""

        @router.get(f"/{{city}}/{path}", name=f"get_{path}", **geojson(what))
        def get(city: CityName) -> Response:
            return Response(made(city), media_type=GEOJSON)

    on_map("areas", desk.cities.areas, "Areas, and their people; points where it has no outlines.")
    on_map("sites", desk.cities.sites, "Where sensors may stand.")
    on_map("existing", desk.cities.existing, "Sensors of today.")
    return router


def coverage_routes(desk: Desk) -> APIRouter:
    """Make the route of coverage."""
    router = APIRouter(prefix=f"{API}/coverage", tags=["coverage"])

    @router.post("")
    async def measure(asked: CoverageRequest) -> NetworkModel:
        """Measure a network of your own, at once: no job is made of it."""
        words = words_of(asked)
        network = await desk.measured(words.pop("sensors"), words, asked.city)
        return NetworkModel.model_validate(network)

    return router

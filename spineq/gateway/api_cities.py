"""The documented API: cities, and the coverage of a network that somebody else has chosen."""

from __future__ import annotations

# FastAPI reads annotations when the routes are made: what they name must be there at run time.
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from spineq.gateway.answer_models import CityList, CityModel, NetworkModel
from spineq.gateway.answers import API
from spineq.gateway.api_jobs import Limit, Offset, next_page
from spineq.gateway.desk import Desk
from spineq.gateway.models import CoverageRequest, problem_words

CityName = Annotated[str, Path(description="Code, name or digest of a city.", max_length=200)]


def city_routes(desk: Desk) -> APIRouter:
    """Make the routes of cities. They run on a thread."""
    router = APIRouter(prefix=f"{API}/cities", tags=["cities"])

    @router.get("")
    def list_cities(request: Request, limit: Limit = 50, offset: Offset = 0) -> CityList:
        """List cities: those that the gateway was started with, then those of jobs."""
        digests = desk.cities.digests()
        page = digests[offset : offset + limit]
        more = len(digests) > offset + limit
        return CityList(
            cities=[CityModel(**desk.cities.described(digest)) for digest in page],
            next=next_page(request, more, limit, offset),
        )

    @router.get("/{city}")
    def get_city(city: CityName) -> CityModel:
        """Describe a city."""
        return CityModel(**desk.cities.described(desk.cities.named(city).digest))

    @router.get(
        "/{city}/areas",
        response_class=Response,
        responses={
            200: {
                "description": "Areas, and points where there are no outlines.",
                "content": {"application/geo+json": {"schema": {"type": "object"}}},
            }
        },
    )
    def get_areas(city: CityName) -> Response:
        """Areas of a city as GeoJSON, longitude and latitude: what a map needs."""
        return Response(desk.cities.areas(city), media_type="application/geo+json")

    return router


def coverage_routes(desk: Desk) -> APIRouter:
    """Make the route of coverage. It runs on a thread."""
    router = APIRouter(prefix=f"{API}/coverage", tags=["coverage"])

    @router.post("")
    def measure(asked: CoverageRequest) -> NetworkModel:
        """Measure a network of your own, at once: no job is made of it."""
        words = problem_words(asked)
        network = desk.measure(words.pop("sensors"), words, asked.city)
        return NetworkModel.model_validate(network.to_dict())

    return router

"""Answers that a map can draw."""

from __future__ import annotations

from typing import Any

from fastapi import Response

#: Type of an answer in GeoJSON.
GEOJSON = "application/geo+json"


def geojson(what: str) -> dict[str, Any]:
    """Words of a route that answers with GeoJSON, for its description."""
    content = {GEOJSON: {"schema": {"type": "object"}}}
    return {
        "summary": what,
        "response_class": Response,
        "responses": {200: {"description": what, "content": content}},
    }

"""What the map's page says has happened: messages with all their parts, and others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_whole(event: Mapping[str, Any]) -> bool:
    """Whether a message of the page has all its parts, each of its type.

    Pages send nothing else; a page of another version may, and a person could do nothing about it.
    """

    def number(name: str) -> bool:
        value: Any = event.get(name)
        # Not infinite, nor no number at all.
        return type(value) in (int, float) and abs(value) < 1e9

    def count(name: str) -> bool:
        return type(event.get(name)) is int and 0 <= event[name] < 2**53

    place = number("lat") and number("lng")
    match event.get("kind"):
        case "shown":
            return True
        case "painted":
            return count("serial")
        case "dark":
            return isinstance(event.get("dark"), bool)
        case "note":
            return isinstance(event.get("text"), str)
        case "shading":
            return isinstance(event.get("key"), str)
        case "hover":
            at = [name for name in ("sensor", "area") if event.get(name) is not None]
            return all(map(count, at)) and (place or not {"lat", "lng"} & event.keys())
        case "move":
            return count("sensor") and place
        case "add":
            return place
        case "delete":
            return count("sensor")
        case "ask":
            return place and (event.get("sensor") is None or count("sensor"))
    return False

"""Where cities come from: files, and two that are built in."""

from spineq.data.demo import demo_city
from spineq.data.files import read_city

__all__ = ["demo_city", "read_city"]

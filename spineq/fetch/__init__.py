"""Cities by name: local authorities of England and Wales, from the services of their statisticians.

::

    city = fetch_city("Newcastle upon Tyne")
    city = fetch_city(["Newcastle upon Tyne", "Gateshead"], columns="deprivation")

What is asked where stands in `spineq.fetch.catalogue`. None of the services was called live when
this was written: everything is tested against a server on this machine that answers like them.
"""

from __future__ import annotations

from spineq.fetch.authorities import Authority
from spineq.fetch.failure import FetchError
from spineq.fetch.fetching import fetch_city, fetch_with_sources, list_authorities

__all__ = ["Authority", "FetchError", "fetch_city", "fetch_with_sources", "list_authorities"]

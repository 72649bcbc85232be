"""The what-if page: a network to play with, in one file that needs no internet."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spineq.errors import ProblemError, shown
from spineq.model._exports import exported, file_to_write, need_same_city
from spineq.report.page_figures import payload

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network

_STATIC = Path(__file__).parent / "static"

#: The page's scripts, in the order in which they need each other.
_SCRIPTS = (
    "what_if_measure.js",
    "what_if_words.js",
    "what_if_map.js",
    "what_if_legend.js",
    "what_if.js",
)


def what_if(network: Network, city: City, path: str | Path) -> Path:
    """Write a page on which anyone can move sensors and see whom that covers.

    One HTML file that opens by double click, without internet and without asking anyone for
    anything: a map, a slider along the order of placement, sensors to move and remove by mouse
    and keyboard, and the coverage of every group, computed in the browser as
    `spineq.evaluate` does (to 1e-9). Sensors move from site to site; those that stay, stay.

    A city of 910 areas makes 0.2 MB, one of 10,000 between 1 and 2 MB, with a move computed in
    less than 0.1 s: outlines are simplified, the more the larger the city, coordinates and
    weights of demand points are not. Larger cities work too, but slower. Travel costs are in
    the page too, 2 to 8 bytes a pair before they become text: a full table of 1,000 areas takes
    3 MB where costs are rounded to tenths and 11 MB where they are not; one of more than 20 MB
    is refused.

    Parameters
    ----------
    network
        What `spineq.optimise` or `spineq.evaluate` returned.
    city
        The city that it was made for; without polygons, areas are dots.
    path
        File to write, whose name should end in ``.html``; an earlier one is replaced in one
        step.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ProblemError
        No network, no city, a front instead of a network, sensors of several kinds or ones
        that may fail.
    DataError
        The city is another one, or its travel table is too large for a page.
    StoreError
        The file cannot be written.

    Examples
    --------
    >>> import spineq as sq
    >>> city = sq.demo_city()
    >>> net = sq.optimise(city, n_sensors=5, theta=500)
    >>> sq.what_if(net, city, "what-if.html")  # doctest: +SKIP
    """
    from spineq.model.front import Front

    if isinstance(network, Front):
        msg = f"a network is needed, not {shown(network)}"
        mend = "Choose one of its networks: evaluate(city, front.network(0), theta=...)"
        raise ProblemError(msg, field="network", mend=mend)
    need_same_city(network, city)
    if network.problem.kinds:
        msg = "the page measures sensors with one theta, and these are of several kinds"
        mend = "Measure them alike: evaluate(city, network, theta=...)"
        raise ProblemError(msg, field="kinds", mend=mend)
    if network.problem.failure_probability > 0.0:
        msg = "the page does not know that sensors may fail"
        mend = "Measure them at work: evaluate(city, network, theta=...)"
        raise ProblemError(msg, field="failure_probability", mend=mend)
    target = file_to_write(path)
    text = page_text(payload(network, city))
    with exported(target) as temporary:
        temporary.write_bytes(text.encode())
    return target


def page_text(data: dict[str, Any]) -> str:
    """Put the page together.

    Parameters
    ----------
    data
        What `spineq.report.page_figures.payload` collected.

    Returns
    -------
    str
        HTML whose only scripts and styles are ours, by their digests.
    """
    style = (_STATIC / "what_if.css").read_text(encoding="utf-8")
    script = "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    parts = {
        "policy": f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {_digest(style)}; script-src {_digest(script)}",
        "title": html.escape(f"Sensors in {data['words']['city']}: what if?"),
        "style": style,
        "script": script,
        "data": _json(data),
    }
    template = (_STATIC / "what_if.html").read_text(encoding="utf-8")
    # In one go: what is put in is not looked at for further places.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def _digest(text: str) -> str:
    """Name a script or style as a browser's content security policy does."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: dict[str, Any]) -> str:
    """JSON in ASCII that no HTML parser takes for the end of a script."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.translate({ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"})

"""The gateway's first page: what there is, with examples that can be pressed or pasted."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

from spineq.gateway.answers import API

if TYPE_CHECKING:
    from spineq.gateway.settings import Settings

_STYLE = """
:root { color-scheme: light dark; }
body { background: Canvas; color: CanvasText; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2rem; }
code, pre { font: 14px/1.5 ui-monospace, monospace; }
pre { padding: .75rem; border: 1px solid #8886; border-radius: 6px; white-space: pre-wrap;
  overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0;
  border-bottom: 1px solid #8886; overflow-wrap: anywhere; }
:is(th, td):first-child { overflow-wrap: normal; } p code { white-space: nowrap; }
"""

#: Method, path, what it does; a path that is a link can be opened.
_ORIGINAL = (
    ("GET", "/optimise?n_sensors=5&theta=500", "submit a job; also ages, weights and lad20cd"),
    ("GET", "/job/ID", "a job, and its result when it has finished"),
    ("GET", "/queue", "ids of jobs by state"),
    ("POST", "/queue/delete/ID", "delete a job"),
    ("POST", "/queue/deleteall", "delete the jobs that wait"),
    ("POST", "/coverage", "coverage of sensors of your own: sensors, theta, lad20cd"),
)  # fmt: skip

_NEW = (
    ("POST", f"{API}/jobs", "submit a question"),
    ("GET", f"{API}/jobs", "list jobs, with filters and pages"),
    ("GET", f"{API}/jobs/ID/events", "follow a job (Server-Sent Events)"),
    ("GET", f"{API}/jobs/ID/result", "the network that it found"),
    ("GET", f"{API}/jobs/ID/sensors", "its sensors for a map, as GeoJSON"),
    ("POST", f"{API}/coverage", "measure a network of your own"),
    ("POST", f"{API}/trade-offs", "networks between which groups compete"),
    ("GET", f"{API}/cities", "cities, with codes, groups and columns"),
    ("GET", f"{API}/cities/CITY/areas", "areas for a map; also sites, and existing sensors"),
)

#: Event, what goes with it, what it is answered by.
_EVENTS = (
    (
        "submitJob",
        "{n_sensors, theta}; and min_age, max_age, population_weight, workplace_weight, lad20cd",
        "job: the job, or {code, message}",
    ),
    ("getJob", "id alone", "job: the job, or {error: {code, message}}"),
    ("getQueue", "nothing", "queue: {queued, started, finished, failed}, lists of ids"),
    ("deleteJob", "id alone", "message: {code, message}, or {error: {code, message}}"),
    ("deleteQueue", "nothing", "message: {code, message, n_jobs_removed, n_jobs_remaining}"),
)

_FOLLOW = """const events = new EventSource("{url}{api}/jobs/" + id + "/events{token}");
events.addEventListener("progress", ({{data}}) => console.log(JSON.parse(data).progress));
events.addEventListener("end", ({{data}}) => {{
  events.close();
  console.log(JSON.parse(data));
}});"""


def home_page(settings: Settings, city: dict[str, Any]) -> str:
    """Write the page.

    Parameters
    ----------
    settings
        Of the gateway.
    city
        Description of the city by default.
    """
    name = escape(city["name"] or city["code"] or "a city without a name")
    token = ' -H "Authorization: Bearer TOKEN"' if settings.token else ""
    body = shlex.quote('{"problem": {"n_sensors": 5, "theta": 500}}')
    curl = f"curl {settings.url}{API}/jobs{token} -H 'Content-Type: application/json' -d {body}"
    follow = _FOLLOW.format(
        url=settings.url, api=API, token="?token=TOKEN" if settings.token else ""
    )
    known = (
        "<p>Every request brings the token that was printed when the gateway started: in the "
        "header <code>Authorization: Bearer TOKEN</code>, or as <code>?token=TOKEN</code> in the "
        "address; Socket.IO clients as <code>auth: {token: TOKEN}</code>.</p>"
        if settings.token
        else ""
    )
    deleting = (
        "Started with <code>--compat</code>: pages of any origin may use it, and jobs can be "
        "deleted by GET too."
        if settings.compat
        else "Deleting is by POST; the original's clients that delete by GET need the gateway to "
        "be started with <code>--compat</code>."
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>spineq gateway</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><main><h1>spineq gateway</h1>
<p>Sensors for <b>{name}</b> ({city["areas"]:,} areas, {city["sites"]:,} sites), placed so that the
people who matter are covered. Other cities are named by <code>lad20cd</code> or <code>city</code>:
<a href="{API}/cities">list them</a>.</p>
<h2>The documented API</h2>
<p>Every field and answer, to be tried out: <a href="/docs">documentation</a>
(<a href="/openapi.json">OpenAPI</a>).</p>
{known}
{_table(_HEAD, map(_route, _NEW))}
<pre>{escape(curl)}</pre>
<pre>{escape(follow)}</pre>
<h2>As the original system had it</h2>
<p>{deleting}</p>
{_table(_HEAD, map(_route, _ORIGINAL))}
<p>Socket.IO (clients 3 and 4 of JavaScript). All clients hear of all jobs:
<code>jobProgress</code> with job_id and progress, 0 to 100, and <code>jobFinished</code> with the
job and its result. A job that does not finish comes as <code>job</code> to who submitted it.</p>
{_table(("Event", "With", "Answer"), map(_event, _EVENTS))}
</main></body></html>
"""


_HEAD = ("Method", "Path", "What it does")


def _route(row: tuple[str, str, str]) -> tuple[str, str, str]:
    method, path, words = row
    shown = f"<code>{escape(path)}</code>"
    if method == "GET" and not {"ID", "CITY"} & set(path.split("/")) and "?" not in path:
        shown = f'<a href="{escape(path)}">{shown}</a>'
    return method, shown, escape(words)


def _event(row: tuple[str, str, str]) -> tuple[str, str, str]:
    name, given, answer = row
    return f"<code>{name}</code>", escape(given), escape(answer)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    titles = "".join(f"<th>{title}</th>" for title in head)
    made = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{cells}</tr>" for cells in made)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"

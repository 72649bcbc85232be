"""The gateway's first page: what there is, with examples that can be pressed or pasted."""

from __future__ import annotations

import shlex
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
    ("POST", f"{API}/coverage", "measure a network of your own"),
    ("POST", f"{API}/trade-offs", "networks between which groups compete"),
    ("GET", f"{API}/cities", "cities, with codes, groups and columns"),
)


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
{_table(_NEW)}
<pre>{escape(curl)}</pre>
<h2>As the original system had it</h2>
<p>Socket.IO events <code>submitJob</code>, <code>getJob</code>, <code>getQueue</code>,
<code>deleteJob</code>, <code>deleteQueue</code>; answers are <code>job</code>,
<code>jobProgress</code>, <code>jobFinished</code>, <code>queue</code> and <code>message</code>.
{deleting}</p>
{_table(_ORIGINAL)}
</main></body></html>
"""


def _table(rows: tuple[tuple[str, str, str], ...]) -> str:
    made = []
    for method, path, words in rows:
        shown = f"<code>{escape(path)}</code>"
        if method == "GET" and "ID" not in path and "optimise" not in path:
            shown = f'<a href="{escape(path)}">{shown}</a>'
        made.append(f"<tr><td>{method}</td><td>{shown}</td><td>{escape(words)}</td></tr>")
    head = "<thead><tr><th>Method</th><th>Path</th><th>What it does</th></tr></thead>"
    return f"<table>{head}<tbody>{''.join(made)}</tbody></table>"

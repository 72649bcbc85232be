"""What a page of somebody else's can do to the queue with its reader's browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

#: Everything that a page can try, one after the other; what each came to is kept.
_PAGE = """<!doctype html><title>A page of somebody else's</title><body><script>
const base = BASE, job = JOB, said = {};
const image = path => new Promise(done => {
  const made = new Image();
  made.onload = made.onerror = () => done("asked");
  made.src = base + path;
  document.body.append(made);
});
const frame = path => new Promise(done => {
  const made = document.createElement("iframe");
  made.onload = () => done("asked");
  made.src = base + path;
  document.body.append(made);
});
const form = path => new Promise(done => {
  const inside = document.createElement("iframe"), made = document.createElement("form");
  inside.name = "f" + Math.random();
  document.body.append(inside);
  Object.assign(made, {method: "post", action: base + path, target: inside.name});
  document.body.append(made);
  made.submit();
  setTimeout(() => done("sent"), 1000);
});
const ask = async (path, how = {}) => {
  try {
    const answer = await fetch(base + path, how);
    return answer.type === "opaque" ? "opaque" : `${answer.status} ${await answer.text()}`;
  } catch (error) { return "refused"; }
};
const body = JSON.stringify({problem: {n_sensors: 7}});
const socket = () => new Promise(done => {
  const made = new WebSocket(base.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket");
  const end = setTimeout(() => done("silent"), 5000);
  made.onerror = () => { clearTimeout(end); done("refused"); };
  made.onmessage = ({data}) => {
    if (data.startsWith("0")) made.send("40");
    else if (data.startsWith("40")) {
      made.send('42["submitJob",{"n_sensors":8,"theta":500}]');
      made.send('42["deleteQueue"]');
    } else if (data.includes("n_jobs")) { clearTimeout(end); done("heard"); }
  };
});
(async () => {
  said.image = await image("/optimise?n_sensors=6&theta=500");
  said.frame = await frame("/optimise?n_sensors=6&theta=500");
  said.read = await ask("/queue");
  said.opaque = await ask("/optimise?n_sensors=6", {mode: "no-cors"});
  said.fetch = await ask("/optimise?n_sensors=6");
  said.plain = await ask("/api/v1/jobs", {method: "POST", mode: "no-cors", body});
  said.posted = await ask("/api/v1/jobs",
    {method: "POST", headers: {"Content-Type": "application/json"}, body});
  said.remove = await ask("/api/v1/jobs/" + job, {method: "DELETE"});
  said.form = await form("/queue/deleteall");
  said.one = await form("/queue/delete/" + job);
  said.link = await frame("/queue/deleteall");
  said.polling = await ask("/socket.io/?EIO=4&transport=polling");
  said.socket = await socket();
  document.title = "done";
  window.said = said;
})();
</script></body>"""


def visited(tab: Page, gateway: Served, site: Callable[[str], int], host: str) -> dict[str, Any]:
    """Have somebody read that page at a host; what came of each of its tries."""
    job = gateway.queue.submit(gateway.city, n_sensors=1).id
    html = _PAGE.replace("BASE", json.dumps(gateway.url)).replace("JOB", json.dumps(job))
    tab.goto(f"http://{host}:{site(html)}/")
    tab.wait_for_function("() => window.said", timeout=60_000)
    made: dict[str, Any] = tab.evaluate("() => window.said")
    return made


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_can_neither_submit_nor_delete(
    tab: Page, serve: Callable[..., Served], site: Callable[[str], int], host: str
) -> None:
    """Neither of another port of this machine nor of another host: what was there still is."""
    gateway = serve()
    said = visited(tab, gateway, site, host)
    (job,) = gateway.queue.jobs()
    assert (job.state, job.parameters["n_sensors"]) == ("queued", 1)
    assert {said[name] for name in ("read", "fetch", "posted", "remove", "polling", "socket")} == {
        "refused"
    }


def test_a_page_of_a_token_s_owner_can_neither(
    tab: Page, serve: Callable[..., Served], site: Callable[[str], int]
) -> None:
    """The cookie that makes the gateway's own links work is no leave for others."""
    token = "a-token-of-mine-1234"
    gateway = serve(token=token, compat=True)
    tab.goto(f"{gateway.url}/?token={token}")
    tab.goto(f"{gateway.url}/queue")
    assert '"queued"' in tab.content()
    visited(tab, gateway, site, "127.0.0.1")
    (job,) = gateway.queue.jobs()
    assert (job.state, job.parameters["n_sensors"]) == ("queued", 1)


def test_with_compat_it_can(
    tab: Page, serve: Callable[..., Served], site: Callable[[str], int]
) -> None:
    """As the original was: the test above would see it if something got through."""
    gateway = serve(compat=True)
    said = visited(tab, gateway, site, "localhost")
    assert gateway.queue.jobs() == []
    assert said["fetch"].startswith("200")
    assert said["posted"].startswith("201")
    assert said["remove"].startswith("204")
    assert said["polling"].startswith("200")
    assert said["socket"] == "heard"


def test_an_origin_that_was_named_can(
    tab: Page, serve: Callable[..., Served], site: Callable[[str], int]
) -> None:
    """`--cors` names a page of the city's own; others stay out."""
    port = site("<title>The city's page</title>")
    gateway = serve(origins=(f"http://localhost:{port}",))
    ask = """url => fetch(url + "/optimise?n_sensors=2").then(a => a.status, () => "refused")"""
    tab.goto(f"http://localhost:{port}/")
    assert tab.evaluate(ask, gateway.url) == 200
    tab.goto(f"http://127.0.0.1:{port}/")
    assert tab.evaluate(ask, gateway.url) == "refused"
    assert len(gateway.queue.jobs()) == 1

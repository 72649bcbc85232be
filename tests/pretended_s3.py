"""S3 as moto pretends it, in a process of its own on a loopback port, and what it was asked.

Tests take the fixture ``s3`` of ``conftest.py``, which is an `S3`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from typing import Any
from unittest import mock

#: Asked with GET, answers with the number of requests so far, this one not among them.
_COUNT = "/spineq-requests"

#: Asked with POST, puts blobs there in no time: lines of a key and its content in hex.
_FILL = "/spineq-fill"

_BUCKET = "bucket"


class S3:
    """A bucket that keeps what is put there until the tests end.

    Parameters
    ----------
    endpoint
        Address of the service.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def url(self) -> str:
        """Place for a store that nobody has used."""
        return f"s3://{_BUCKET}/{secrets.token_hex(8)}"

    def requests(self) -> int:
        """How many requests there were: what a test caused is the difference of two answers."""
        with urllib.request.urlopen(self.endpoint + _COUNT) as answer:
            return int(answer.read())

    def fill(self, url: str, blobs: dict[str, bytes]) -> None:
        """Put blobs into a place, thousands of them a second, which is no request."""
        prefix = url.removeprefix(f"s3://{_BUCKET}/")
        lines = [f"{prefix}/{name} {data.hex()}" for name, data in blobs.items()]
        urllib.request.urlopen(self.endpoint + _FILL, "\n".join(lines).encode()).close()


@contextlib.contextmanager
def pretended_s3() -> Iterator[S3]:
    """Start the service; this process and those it starts find it by their environment."""
    server = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None
    endpoint = f"http://127.0.0.1:{int(server.stdout.readline())}"
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    bucket = urllib.request.Request(f"{endpoint}/{_BUCKET}", method="PUT")
    urllib.request.urlopen(bucket).close()
    try:
        with mock.patch.dict(os.environ):
            # Whatever the developer's own account is, it stays out of this.
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                del os.environ[name]
            os.environ.update(environment)
            yield S3(endpoint)
    finally:
        server.stdin.close()
        server.wait(timeout=30)


class _Counted:
    """An application, one request at a time, and how many there were.

    moto looks whether a key exists and writes then, with nothing to keep threads apart. S3
    itself decides a conditional put in one step.
    """

    def __init__(self, application: Any) -> None:
        self.application = application
        self.lock = threading.Lock()
        self.requests = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self.lock:
            if environ["PATH_INFO"] == _COUNT:
                start_response("200 OK", [("Content-Type", "text/plain")])
                return [str(self.requests).encode()]
            if environ["PATH_INFO"] == _FILL:
                _fill(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
                start_response("200 OK", [("Content-Length", "0")])
                return []
            self.requests += 1
            return list(self.application(environ, start_response))


def _fill(lines: bytes) -> None:
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    for line in lines.decode().splitlines():
        key, _, data = line.partition(" ")
        backend.put_object(_BUCKET, key, bytes.fromhex(data))


def _serve() -> None:
    """Print the port and serve until standard input ends: never longer than the tests run."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"  # keeps connections

        def log(self, type: str, message: str, *args: Any) -> None:
            """Write no line for each request."""

    application = _Counted(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    os._exit(0)  # connections that are still open would hold it up


if __name__ == "__main__":
    _serve()

"""Schedulers and workers as real processes, with certificates, and a proxy that can fail.

::

    from dask_processes import Proxy, certificates, free_port, scheduler, worker

    with scheduler() as head, worker(head.address) as hand:
        client = Client(head.address)      # tcp://127.0.0.1:PORT
        head.kill()                        # SIGKILL; what it knew is gone
        head.start()                       # another one, at the same address
        hand.kill()                        # SIGKILL to the nanny and its worker
        hand.start()
        print(head.log, hand.log)          # what they wrote since the beginning

    tls = certificates(tmp_path)           # a temporary authority, and one certificate of it
    with scheduler(tls=tls) as head, worker(head.address, tls=tls):
        Client(head.address, security=tls.security())     # tls://127.0.0.1:PORT

    with scheduler() as head, Proxy(head.address) as proxy:
        client = Client(proxy.address)
        proxy.cut()                        # every connection ends; new ones are accepted
        proxy.refuse()                     # and new ones are refused
        proxy.accept()                     # until now

- ``scheduler(port=None, tls=None, *, config=CONFIG, environment=None, options=())`` and
  ``worker(address, tls=None, *, config=CONFIG, environment=None, options=(), wait=True)`` are
  context managers that give a `Process`. ``config`` is what DASK_CONFIG names (the repository's
  dask-config.yaml; None: Dask's own defaults), ``environment`` are further variables,
  ``options`` further words of the command line, for example ``["--nthreads", "2"]``: the last
  word counts. ``wait=False`` does not wait until the worker has registered.
- `Process` has ``address`` (of a scheduler), ``pid`` (of a worker: the nanny's), ``log``,
  ``running``, and the methods ``kill()``, ``stop()`` (SIGTERM, then SIGKILL), ``start()`` and
  ``wait(seconds)`` (until it has ended of its own accord).
- Everything listens on 127.0.0.1 alone and is killed when the block ends, nannies included.
- A worker is one process of one thread under a nanny. It finds the modules in ``tests``:
  functions that it is to run are best in one of them, not in a test file.
- When a scheduler is gone, its workers end by themselves.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from distributed import Security

ROOT = Path(__file__).resolve().parents[1]

#: The settings that schedulers and workers start with.
CONFIG = ROOT / "dask-config.yaml"

#: Longest time until a process is there, seconds: two cores may be busy with other tests.
PATIENCE = 90.0


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Certificates:
    """Files of a temporary authority and of the one certificate that it gave."""

    authority: Path
    certificate: Path
    key: Path

    def security(self) -> Security:
        """What a client of such a scheduler passes as ``security``."""
        from distributed import Security

        return Security(
            require_encryption=True,
            tls_ca_file=str(self.authority),
            tls_client_cert=str(self.certificate),
            tls_client_key=str(self.key),
        )

    @property
    def options(self) -> list[str]:
        """Words for the command line of a scheduler or worker."""
        return [
            "--protocol", "tls",
            "--tls-ca-file", str(self.authority),
            "--tls-cert", str(self.certificate),
            "--tls-key", str(self.key),
        ]  # fmt: skip


def certificates(folder: Path) -> Certificates:
    """Make an authority and a certificate for 127.0.0.1 that hold for an hour."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.UTC)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "spineq test authority")])
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])

    def signed(
        subject: x509.Name, public: ec.EllipticCurvePublicKey, extension: x509.ExtensionType
    ) -> bytes:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .sign(authority_key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )

    made = Certificates(folder / "authority.pem", folder / "certificate.pem", folder / "key.pem")
    made.authority.write_bytes(
        signed(authority, authority_key.public_key(), x509.BasicConstraints(True, None))
    )
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made.certificate.write_bytes(
        signed(name, key.public_key(), x509.SubjectAlternativeName([loopback]))
    )
    made.key.touch(mode=0o600)
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


class Process:
    """A scheduler, or a worker and its nanny, that can be killed and started again.

    Parameters
    ----------
    command
        Words after ``python -m dask``.
    environment
        The process's own.
    sign
        What it writes into its log once it is ready; empty: nothing is waited for.
    folder
        For its log.
    address
        Where a scheduler listens.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        sign: str,
        folder: Path,
        address: str = "",
    ) -> None:
        self.address = address
        self._command = [sys.executable, "-m", "dask", *command]
        self._environment = dict(environment)
        self._sign = sign
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its id, which is also that of its process group."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has written, its predecessors included."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, again and at the same address if it was there before; returns when ready."""
        assert not self.running
        ready = self.log.count(self._sign)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=self._log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A group of its own, by which a nanny and its worker are killed together.
                start_new_session=True,
            )
        end = time.monotonic() + PATIENCE
        while self._sign and self.log.count(self._sign) == ready:
            assert self.running, self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once, with no chance to say goodbye."""
        if self._process is not None:
            # The group may live on though its leader has ended.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self, seconds: float = 10.0) -> None:
        """Ask it to end, and kill it when it does not."""
        if self.running:
            self._process.terminate()  # type: ignore[union-attr]
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(seconds)
        self.kill()

    def wait(self, seconds: float = 30.0) -> int:
        """Wait until it has ended; returns its exit code."""
        assert self._process is not None
        return self._process.wait(seconds)


@contextmanager
def scheduler(
    port: int | None = None,
    tls: Certificates | None = None,
    *,
    config: Path | None = CONFIG,
    environment: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
) -> Iterator[Process]:
    """Run a scheduler on 127.0.0.1, at a port that stays the same when it is started again."""
    port = port or free_port()
    command = ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    command += [*(tls.options if tls else []), *options]
    address = f"{'tls' if tls else 'tcp'}://127.0.0.1:{port}"
    with _running(command, _environment(config, environment), "Scheduler at:", address) as made:
        yield made


@contextmanager
def worker(
    address: str,
    tls: Certificates | None = None,
    *,
    config: Path | None = CONFIG,
    environment: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    wait: bool = True,
) -> Iterator[Process]:
    """Run a worker process of one thread, under a nanny."""
    command = [
        "worker", address, "--nworkers", "1", "--nthreads", "1", "--host", "127.0.0.1",
        "--no-dashboard", "--local-directory", ".",
    ]  # fmt: skip
    command += [*(tls.options if tls else []), *options]
    sign = "Registered to:" if wait else ""
    with _running(command, _environment(config, environment), sign) as made:
        yield made


def _environment(config: Path | None, more: Mapping[str, str] | None) -> dict[str, str]:
    # What a test runs under must not leak in.
    made = {name: value for name, value in os.environ.items() if not name.startswith("DASK_")}
    if config is not None:
        made["DASK_CONFIG"] = str(config)
    paths = [str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
    made["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return {**made, **(more or {})}


@contextmanager
def _running(
    command: Sequence[str], environment: Mapping[str, str], sign: str, address: str = ""
) -> Iterator[Process]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = Process(command, environment, sign, Path(folder), address)
        try:
            process.start()
            yield process
        finally:
            process.kill()


class Proxy:
    """Forward a port of 127.0.0.1 to a scheduler, until told to fail.

    Parameters
    ----------
    target
        The scheduler's address. With TLS the certificate is still the scheduler's, which holds
        for 127.0.0.1 at any port.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._port = free_port()
        #: What a client gives instead of the scheduler's address.
        self.address = f"{parts.scheme}://127.0.0.1:{self._port}"
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Proxy:
        self.accept()
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        with self._lock:
            return len(self._open) // 2

    def accept(self) -> None:
        """Accept new connections, at the same port as ever."""
        with self._lock:
            if self._listener is not None:
                return
            listener = self._listener = socket.create_server(("127.0.0.1", self._port))
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """End all connections of the moment."""
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def refuse(self) -> None:
        """Refuse new connections, and end those that there are."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes up accept()
            listener.close()
        self.cut()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:  # the scheduler is gone
                near.close()
                continue
            with self._lock:
                # Accepted just before it was told to refuse.
                refused = self._listener is not listener
                if not refused:
                    self._open |= {near, far}
            if refused:
                near.close()
                far.close()
                continue
            both = threading.Barrier(2)
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(*ends, both), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, both: threading.Barrier) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        # A socket is closed when neither of the two threads uses it any more.
        both.wait()
        with self._lock:
            self._open.discard(source)
        source.close()

"""How a gateway is set up: whom it hears, whom it trusts, and how much it takes."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import get_args
from urllib.parse import urlsplit

from spineq.errors import GatewayError, shown
from spineq.model.problem import MethodName

#: Fewest characters of a token.
LEAST_TOKEN = 16


@dataclass(frozen=True)
class Limits:
    """What a gateway takes at most.

    Parameters
    ----------
    body
        Bytes of a request, or of a Socket.IO message.
    sensors
        Sensors of a job.
    seconds
        Time for which a job may compute; then its answer is the best so far, marked.
    """

    body: int = 1_000_000
    sensors: int = 1_000
    seconds: int = 3_600


@dataclass(frozen=True)
class Settings:
    """Settings of a gateway, checked by `set_up`.

    Parameters
    ----------
    host, port
        Where it listens.
    token
        What requests must bring; empty for none.
    compat
        Whether it is as open as the original was: to pages of any origin, and deleting by GET.
    origins
        Origins of web pages that may use it, such as ``https://city.example``.
    method
        Solver of jobs that come over the original's wire.
    limits
        What it takes at most.
    proxy
        Address of a server before it, whose word is taken for who asks; empty for none.
    """

    host: str = "127.0.0.1"
    port: int = 5000
    token: str = ""
    compat: bool = False
    origins: tuple[str, ...] = ()
    method: MethodName = "greedy"
    limits: Limits = Limits()
    proxy: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it listens to this machine alone."""
        return is_loopback(self.host)

    @property
    def is_open(self) -> bool:
        """Whether others than this machine can reach it."""
        return not self.is_local or bool(self.proxy)

    @property
    def url(self) -> str:
        """Its address, without the token."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "") else self.host
        host = "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def set_up(settings: Settings) -> Settings:
    """Check settings, and make the token that a gateway open to others needs.

    Raises
    ------
    GatewayError
        A setting is no such thing, or two of them together would leave the queue open to
        everybody.
    """
    if not 0 <= settings.port <= 65535:
        msg = f"{shown(settings.port)} is no port"
        raise GatewayError(msg, field="port", mend="Give 1 to 65535, or 0 for any that is free")
    if settings.method not in get_args(MethodName):
        msg = f"there is no method {shown(settings.method)}"
        raise GatewayError(msg, field="method", mend=f"Use {', '.join(get_args(MethodName))}")
    for name, number in vars(settings.limits).items():
        if number < 1:
            msg = f"the limit {name} must be 1 or more, not {shown(number)}"
            raise GatewayError(msg, field=name, mend="Raise it")
    token = settings.token
    if token and (len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable()):
        msg = f"the token must be {LEAST_TOKEN} or more plain characters"
        raise GatewayError(msg, field="token", mend="Leave it out, and one is made and printed")
    if settings.proxy:
        _check_address(settings.proxy)
    if settings.compat and settings.is_open and not token:
        msg = "--compat lets any web page use the queue, and others than this machine can reach it"
        mend = f"Give --token too, or listen to this machine alone (--host {Settings.host})"
        raise GatewayError(msg, field="compat", mend=mend)
    if settings.is_open and not token:
        token = secrets.token_urlsafe(24)
    return replace(settings, token=token, origins=tuple(_origins(settings.origins)))


def _check_address(proxy: str) -> None:
    try:
        ipaddress.ip_address(proxy)
    except ValueError:
        msg = f"{shown(proxy)} is no address of a machine"
        raise GatewayError(msg, field="proxy", mend="Give for example 127.0.0.1") from None


def _origins(given: Iterable[str]) -> Iterable[str]:
    for origin in given:
        parts = urlsplit(origin)
        plain = f"{parts.scheme}://{parts.netloc}".lower()
        if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
            msg = f"{shown(origin)} is no origin of a web page"
            mend = "Give scheme, host and port alone, such as https://city.example"
            raise GatewayError(msg, field="cors", mend=mend)
        if origin.lower().rstrip("/") != plain:
            msg = f"{shown(origin)} has more than an origin"
            raise GatewayError(msg, field="cors", mend=f"Give {plain}")
        yield plain

"""The listening socket of the web process, and the question whether it answers."""

from __future__ import annotations

import contextlib
import errno
import http.client
import socket
import time
from collections.abc import Callable

BACKLOG = 2048


class CannotListen(Exception):
    """The address cannot be bound; the message says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """A bound and listening TCP socket. The parent keeps it, so that while the web child is restarted
    connections queue in the kernel instead of being refused. Raises CannotListen."""
    if not 0 <= port <= 65_535:
        raise CannotListen(f"{port} is no port; ports go from 1 to 65535. Choose one: make up PORT=8000")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise CannotListen(
            f"The host {host!r} is not an address of this machine ({error.strerror}). Use 127.0.0.1, or 0.0.0.0 for all."
        ) from error
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(place)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise CannotListen(_why(error, host, port)) from error
    return sock


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Stop that program, or choose another port: "
            f"make up PORT={port + 1 if port < 65_535 else 8000}"
        )
    if error.errno == errno.EACCES:
        return f"This user may not listen on port {port}. Choose a port above 1023: make up PORT=8000"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine. Use 127.0.0.1, or 0.0.0.0 for all."
    return f"Cannot listen on {host}:{port}: {error.strerror}."


def reachable(host: str) -> str:
    """The address under which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)


def url(host: str, port: int) -> str:
    """The base URL, without a slash at its end, of a server that listens on `host`:`port`."""
    name = reachable(host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def answers(host: str, port: int, within: float, give_up: Callable[[], bool]) -> bool:
    """Whether GET /livez answered 200 within `within` seconds, asked again until then or until `give_up()`."""
    deadline = time.monotonic() + within
    while (left := deadline - time.monotonic()) > 0 and not give_up():
        connection = http.client.HTTPConnection(reachable(host), port, timeout=max(left, 0.1))
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/livez")
            if connection.getresponse().status == 200:
                return True
        time.sleep(0.05)
    return False

"""The HTTP socket: bound before the edge runs, so that a taken port is found at once."""

import socket
import time
from typing import Final

from llum.failures import Fault

LISTEN_BACKLOG: Final = 1024
"""Connections that wait in the socket while the edge is started again."""

RETRY_S: Final = 0.1
"""Seconds between two attempts to take a port that is about to become free."""


def listen(host: str, port: int, patience_s: float = 0.0) -> socket.socket:
    """Bind a port (0: any free one), or raise a `Fault` that says what to do.

    With patience it tries again for so long: after a crash, when the process that holds the port is about to end.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return _bind(host, port)
        except OSError as error:
            if time.monotonic() >= deadline:
                raise _taken(host, port, error) from error
            time.sleep(RETRY_S)


def url_of(listening: socket.socket, *, tls: bool = False) -> str:
    """Write the address so that a person's browser can use it."""
    host, port = listening.getsockname()[:2]
    usable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    scheme = "https" if tls else "http"
    return f"{scheme}://[{usable}]:{port}" if ":" in usable else f"{scheme}://{usable}:{port}"


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=LISTEN_BACKLOG)
    listening.setblocking(False)
    return listening


def _taken(host: str, port: int, error: OSError) -> Fault:
    why = (error.strerror or str(error)).partition(" (while")[0]
    return Fault(
        f"cannot listen on HTTP port {port} of {host}: {why}",
        "Choose another with --http-port or LLUM_HTTP_PORT (0: any free one).",
    )

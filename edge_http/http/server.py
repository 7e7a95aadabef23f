"""Listens, serves, and stops gracefully."""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final

from aiohttp import web

from schemas.errors import SetupError

SHUTDOWN_STEP_S: Final = 0.9
"""Half of the seconds that open requests may take to finish, as aiohttp waits twice: `llum up` allows an edge 2 s."""

KEEPALIVE_S: Final = 75.0
"""Seconds that an idle connection is kept: longer than the proxies in front usually keep theirs."""

BACKLOG: Final = 512
"""Connections that may wait to be accepted: a burst of reconnecting clients after a restart."""

_REASONS: Final = {
    errno.EADDRINUSE: ("it is taken", "stop what listens there, or set LLUM_HTTP_PORT to another (0: any free one)"),
    errno.EACCES: ("this user may not listen there", "choose a port above 1023 with LLUM_HTTP_PORT"),
    errno.EADDRNOTAVAIL: ("this machine has no such address", "listen on 127.0.0.1 or 0.0.0.0"),
}


class ListenError(SetupError):
    """The address cannot be listened on."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        other = (error.strerror or str(error), "choose another host or port")
        reason, hint = _REASONS.get(error.errno or 0, other)
        super().__init__(f"cannot listen on {host}:{port}: {reason}", hint)
        self.host = host
        self.port = port


async def run_edge(
    app: web.Application, host: str, port: int, stop: asyncio.Event, on_bound: Callable[[int], None]
) -> None:
    """Serve until `stop` is set, then finish open requests within 2 s. Raises `ListenError`.

    `on_bound` is called with the port once connections are accepted; port 0 takes any free one.
    """
    runner = _runner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=BACKLOG)
        try:
            await site.start()
        except OSError as error:
            raise ListenError(host, port, error) from error
        on_bound(site.port)
        await stop.wait()
    finally:
        await runner.cleanup()


async def run_edge_on(
    app: web.Application, listening: socket.socket, stop: asyncio.Event, on_bound: Callable[[int], None]
) -> None:
    """Serve as `run_edge` does, on a socket that is bound already: one that a supervisor keeps over restarts, say."""
    runner = _runner(app)
    await runner.setup()
    try:
        await web.SockSite(runner, listening, backlog=BACKLOG).start()
        on_bound(listening.getsockname()[1])
        await stop.wait()
    finally:
        await runner.cleanup()


def _runner(app: web.Application) -> web.AppRunner:
    return web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_STEP_S, keepalive_timeout=KEEPALIVE_S)

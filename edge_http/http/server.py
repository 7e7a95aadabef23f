"""Serves, and stops gracefully."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from aiohttp import web

from edge_http.http.runner import EdgeRunner

SHUTDOWN_STEP_S: Final = 0.9
"""Half of the seconds that open requests may take to finish, as aiohttp waits twice: `llum up` allows an edge 2 s."""

KEEPALIVE_S: Final = 75.0
"""Seconds that an idle connection is kept: longer than the proxies in front usually keep theirs."""

BACKLOG: Final = 512
"""Connections that may wait to be accepted: a burst of reconnecting clients after a restart."""


async def serve_on(
    listening: socket.socket, app: web.Application, stop: asyncio.Event, on_serving: Callable[[], None]
) -> None:
    """Serve on a bound socket until `stop` is set, then finish open requests within 2 s.

    Whoever binds the socket may keep it while edges come and go. `on_serving` is called once connections are accepted.
    """
    runner = EdgeRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_STEP_S, keepalive_timeout=KEEPALIVE_S)
    await runner.setup()
    try:
        await web.SockSite(runner, listening, backlog=BACKLOG).start()
        on_serving()
        await stop.wait()
    finally:
        await runner.cleanup()

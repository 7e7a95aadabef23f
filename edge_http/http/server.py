"""Serves, and stops gracefully."""

import asyncio
import signal
import socket
from collections.abc import Callable
from typing import Final

from aiohttp import web

from edge_http.http.connections import Places
from edge_http.http.runner import EdgeRunner
from edge_http.http.tls import HANDSHAKE_WITHIN_S, Certificate

SHUTDOWN_STEP_S: Final = 0.9
"""Half of the seconds that open requests may take to finish, as aiohttp waits twice: `llum up` allows an edge 2 s."""

KEEPALIVE_S: Final = 75.0
"""Seconds that an idle connection is kept: longer than the proxies in front usually keep theirs."""

BACKLOG: Final = 512
"""Connections that may wait to be accepted: a burst of reconnecting clients after a restart."""


async def serve_on(
    listening: socket.socket,
    app: web.Application,
    stop: asyncio.Event,
    on_serving: Callable[[], None],
    certificate: Certificate | None = None,
    places: Places | None = None,
) -> None:
    """Serve on a bound socket until `stop` is set, then finish open requests within 2 s.

    Whoever binds the socket may keep it while edges come and go. `on_serving` is called once connections are accepted.
    With a certificate it speaks TLS, and nothing else. `places` are those of its connections.
    """
    runner = EdgeRunner(app, places, access_log=None, shutdown_timeout=SHUTDOWN_STEP_S, keepalive_timeout=KEEPALIVE_S)
    await runner.setup()
    try:
        if certificate is None:
            await web.SockSite(runner, listening, backlog=BACKLOG).start()
            on_serving()
            await stop.wait()
        else:
            await _serve_tls(runner, listening, stop, on_serving, certificate)
    finally:
        await runner.cleanup()


async def _serve_tls(
    runner: EdgeRunner,
    listening: socket.socket,
    stop: asyncio.Event,
    on_serving: Callable[[], None],
    certificate: Certificate,
) -> None:
    loop = asyncio.get_running_loop()
    assert runner.server is not None, "the runner is set up"
    server = await loop.create_server(
        runner.server,
        sock=listening,
        backlog=BACKLOG,
        ssl=certificate.context,
        ssl_handshake_timeout=HANDSHAKE_WITHIN_S,
    )
    watching = asyncio.create_task(certificate.watch())
    loop.add_signal_handler(signal.SIGHUP, certificate.read_again)
    try:
        on_serving()
        await stop.wait()
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        watching.cancel()
        server.close()

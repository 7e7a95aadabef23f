"""`llum edge`: the wiring of one HTTP edge process."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from aiohttp import web

from bus.connection import Bus
from bus.requests import Requests
from bus.tokens import Tokens
from edge_http.app import make_app
from llum.listening import listen, url_of
from llum.people import default_model
from llum.process import Supervised, run_process
from llum.settings import Settings

FINISH_REQUESTS_S: Final = 1.5
"""Seconds that requests at hand may take after the stop; `llum up` kills the edge at 2."""


def run(settings: Settings, supervised: Supervised, http_fd: int | None) -> int:
    """Serve HTTP until a signal, on the socket that was handed down or on one of its own."""

    async def serve(nats_url: str, on_ready: Callable[[], None], stop: asyncio.Event) -> None:
        listening = listen(settings.http_host, settings.http_port) if http_fd is None else socket.socket(fileno=http_fd)
        bus = await Bus.connect(nats_url, name="llum-edge")
        try:
            await _serve_http(bus, listening, settings.public_url or url_of(listening), on_ready, stop)
        finally:
            await bus.close()

    return run_process("edge", settings, supervised, serve)


async def _serve_http(
    bus: Bus, listening: socket.socket, public_url: str, on_ready: Callable[[], None], stop: asyncio.Event
) -> None:
    requests = Requests(bus)
    await requests.start()
    runner = web.AppRunner(
        make_app(bus, requests, Tokens(bus), public_url, new_model=default_model),
        access_log=None,
        shutdown_timeout=FINISH_REQUESTS_S,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        on_ready()
        await stop.wait()
    finally:
        await runner.cleanup()
        await requests.close()

"""A receiver of notices: a real HTTP server that answers as it is told and remembers what it was sent."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import web


class Received(NamedTuple):
    method: str
    url: str
    """As it was asked for, byte by byte, with the host."""
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Counts what comes; `answer` decides on the status of each."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received], web.Response] = lambda _: web.Response(status=204)
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        url = f"http://{request.host}{request.raw_path}"
        one = Received(request.method, url, dict(request.headers), await request.read())
        self.received.append(one)
        return self.answer(one)

    def fail_first(self, count: int, status: int = 503) -> None:
        """Answer so many requests with an error, and then accept."""

        def answer(_: Received) -> web.Response:
            return web.Response(status=status if len(self.received) <= count else 200)

        self.answer = answer


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[Receiver]:
    """Run a receiver on a free port of the loopback."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", receiver.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()

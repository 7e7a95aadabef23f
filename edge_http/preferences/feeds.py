"""The live feeds of an edge: how many there may be, and that they end with it."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from aiohttp import web

from bus.events import Events
from edge_http.keys import BUS
from schemas.errors import Code, Transient

if TYPE_CHECKING:
    from bus.connection import Bus

MAX_FEEDS: Final = 1000
"""Live feeds of an edge: each holds a connection, and a few kilobytes."""

MAX_FEEDS_OF_CALLER: Final = 20
"""Live feeds of one app about one person: a few windows on each of a few devices."""

_Listener = tuple[str, str]
"""Person and app."""


class Feeds:
    """Counts feeds, and hears what changes for them."""

    def __init__(self, bus: "Bus") -> None:
        self.events = Events(bus)
        self.stopping = asyncio.Event()
        """Set when the edge stops: its readers then go to another, or come back."""
        self._of_caller: Counter[_Listener] = Counter()

    @contextmanager
    def place(self, caller: _Listener) -> Iterator[None]:
        """Count one more feed while it is there. Raises `Transient` `rate_limited`, `unavailable`."""
        if self._of_caller[caller] >= MAX_FEEDS_OF_CALLER:
            message = f"this app has {MAX_FEEDS_OF_CALLER} live feeds of these preferences already"
            raise Transient(Code.RATE_LIMITED, message, "end one of them", 15.0)
        if self._of_caller.total() >= MAX_FEEDS:
            message = "this llum has as many live feeds as it can hold"
            raise Transient(Code.UNAVAILABLE, message, "come again later, or ask from time to time", 15.0)
        self._of_caller[caller] += 1
        try:
            yield
        finally:
            self._of_caller[caller] -= 1
            if not self._of_caller[caller]:
                del self._of_caller[caller]


FEEDS: Final = web.AppKey("feeds", Feeds)


def add_feeds(app: web.Application) -> None:
    """Have what live feeds share, and end them when the edge stops."""
    app[FEEDS] = Feeds(app[BUS])
    app.on_shutdown.append(_end)


async def _end(app: web.Application) -> None:
    app[FEEDS].stopping.set()

"""GET /health: the process is alive. GET /ready: a tell and an ask of any person would be answered."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from bus.pings import is_served
from edge_http.http.errors import members_of
from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.keys import BUS, PARTITIONS
from schemas.errors import Code, Error

if TYPE_CHECKING:
    from bus.connection import Bus

PING_TIMEOUT_S: Final = 1.0
"""Seconds for a partition to answer a ping. A probe wants to know soon; the next one asks again."""


class Readiness:
    """Looks whether all is served. Probes that come meanwhile share the answer, so they cannot pile up pings."""

    def __init__(self) -> None:
        self._looking: asyncio.Task[list[int]] | None = None

    async def missing(self, bus: "Bus", partitions: int) -> list[int]:
        """List the partitions that do not answer; raises nothing while the bus is away: then it is all of them."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(_unanswered(bus, partitions), name="readiness")
        return await asyncio.shield(self._looking)


READINESS: Final = web.AppKey("readiness", Readiness)


def add_health(app: web.Application) -> None:
    """Add both routes."""
    app[READINESS] = Readiness()
    app.router.add_get("/health", _health)
    app.router.add_get("/ready", _ready)


async def _health(_: web.Request) -> web.Response:
    return json_response(b'{"status":"ok"}')


async def _ready(request: web.Request) -> web.Response:
    edge = request[TRACE].edge
    bus, partitions = edge[BUS], edge[PARTITIONS]
    if not bus.connected:
        return _not_ready("the bus is not connected", {"bus": "disconnected"})
    missing = await edge[READINESS].missing(bus, partitions)
    if missing:
        return _not_ready(
            f"{len(missing)} of {partitions} partitions are not served",
            {"bus": "connected", "missing_partitions": missing},
        )
    return json_response(msgspec.json.encode({"status": "ready", "partitions": partitions}))


def _not_ready(message: str, what: dict[str, Any]) -> web.Response:
    body = {"status": "not_ready", **what, "error": members_of(Error(Code.UNAVAILABLE, message))}
    return json_response(msgspec.json.encode(body), 503, {"Retry-After": "1"})


async def _unanswered(bus: "Bus", partitions: int) -> list[int]:
    looks = (is_served(bus, partition, PING_TIMEOUT_S) for partition in range(partitions))
    return [partition for partition, served in enumerate(await asyncio.gather(*looks)) if not served]

"""GET /health: the process is alive. GET /ready: a tell and an ask of any person would be answered."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from bus.pings import ping
from edge_http.http.errors import members_of
from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.keys import BUS, PARTITIONS
from schemas.errors import Code, Error
from schemas.several import several

if TYPE_CHECKING:
    from bus.connection import Bus

MAX_REASONS: Final = 3
"""Reasons that are named of partitions that apply nothing."""

PING_TIMEOUT_S: Final = 1.0
"""Seconds for a partition to answer a ping. A probe wants to know soon; the next one asks again."""


Unready = dict[int, str | None]
"""The partitions that are not ready, with why they pause; None: nobody answers for them."""


class Readiness:
    """Looks whether all is served. Probes that come meanwhile share the answer, so they cannot pile up pings."""

    def __init__(self) -> None:
        self._looking: asyncio.Task[Unready] | None = None

    async def unready(self, bus: "Bus", partitions: int) -> Unready:
        """Give the partitions that are not ready; raises nothing while the bus is away: then it is all of them."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(_unready(bus, partitions), name="readiness")
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
    unready = await edge[READINESS].unready(bus, partitions)
    missing = [partition for partition, why in unready.items() if why is None]
    if missing:
        return _not_ready(
            f"{len(missing)} of {partitions} partitions are not served",
            {"bus": "connected", "missing_partitions": missing},
        )
    if unready:
        reasons = ", ".join(several(map(str, unready.values()), MAX_REASONS))
        return _not_ready(
            f"{len(unready)} of {partitions} partitions apply nothing: {reasons}",
            {"bus": "connected", "paused_partitions": list(unready)},
        )
    return json_response(msgspec.json.encode({"status": "ready", "partitions": partitions}))


def _not_ready(message: str, what: dict[str, Any]) -> web.Response:
    body = {"status": "not_ready", **what, "error": members_of(Error(Code.UNAVAILABLE, message))}
    return json_response(msgspec.json.encode(body), 503, {"Retry-After": "1"})


async def _unready(bus: "Bus", partitions: int) -> Unready:
    replies = await asyncio.gather(*(ping(bus, partition, PING_TIMEOUT_S) for partition in range(partitions)))
    return {
        partition: None if reply is None else reply.pauses
        for partition, reply in enumerate(replies)
        if reply is None or reply.pauses is not None
    }

"""GET /health: the process is alive. GET /ready: a tell and an ask of any person would be answered.

Each partition is asked whether it answers. Whether the log takes commands and a worker applies them is seen from those
that were applied just now; of a stream of the log where none was, a probe is sent, which changes nothing and is erased.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Set
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from bus.installation import find as find_installation
from bus.pings import ping
from bus.probes import probe
from edge_http.http.errors import error_response, members_of
from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.keys import BUS, PARTITIONS
from schemas.errors import Code, Error, Transient
from schemas.several import several

if TYPE_CHECKING:
    from bus.connection import Bus

PREFERENCES_NOT_READY: Final = "Problem with the database connection"
"""What clients of the preferences service are told in `message`, as the original of that service says it."""

_AS_KNOWN: Final = {"Content-Type": "application/json; charset=utf-8"}
"""How these clients know the type of the content."""

MAX_REASONS: Final = 3
"""Reasons that are named of partitions that apply nothing."""

PING_TIMEOUT_S: Final = 1.0
"""Seconds for a partition to answer a ping. A probe wants to know soon; the next one asks again."""


FRESH_S: Final = 10.0
"""Seconds after which a command that was applied says nothing any more about the next one."""

PROBE_EVERY_S: Final = 60.0
"""Seconds between two probes of one stream: each costs two writes to the disk."""

PROBE_WITHIN_S: Final = 2.0
"""Seconds for a probe to be stored and applied."""

Unready = dict[int, str | None]
"""The partitions that are not ready, with why they pause; None: nobody answers for them."""

Prober = Callable[["Bus", int, int], Awaitable[str | None]]
"""Probes the stream of a partition, of so many streams: why no command would be applied there, or None."""


class Readiness:
    """Looks whether all is served. Requests that come meanwhile share the answer, so they cannot pile up pings."""

    def __init__(self, prober: Prober | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._looking: asyncio.Task[Unready] | None = None
        self._prober = prober or _probe
        self._clock = clock
        self._log_streams: int | None = None
        self._probed: dict[int, tuple[float, str | None]] = {}
        """When a stream was probed last, and what came of it, by the number of the stream."""

    async def unready(self, bus: "Bus", partitions: int) -> Unready:
        """Give the partitions that are not ready; raises nothing while the bus is away: then it is all of them."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(bus, partitions), name="readiness")
        return await asyncio.shield(self._looking)

    async def _look(self, bus: "Bus", partitions: int) -> Unready:
        replies = await asyncio.gather(*(ping(bus, partition, PING_TIMEOUT_S) for partition in range(partitions)))
        unready = {
            partition: None if reply is None else reply.pauses
            for partition, reply in enumerate(replies)
            if reply is None or reply.pauses is not None
        }
        fresh = {n for n, reply in enumerate(replies) if reply and reply.idle_s is not None and reply.idle_s < FRESH_S}
        return unready or (await self._without_log(bus, partitions, fresh) if len(fresh) < partitions else {})

    async def _without_log(self, bus: "Bus", partitions: int, fresh: Set[int]) -> Unready:
        """Probe those streams of the log where nothing was applied of late. Partitions where that fails are unready."""
        streams = await self._count_streams(bus)
        if streams is None:
            return {}
        stale = [number for number in range(streams) if not any(each % streams == number for each in fresh)]
        reasons = await asyncio.gather(*(self._probe_stream(bus, number, streams) for number in stale))
        failed = {number: why for number, why in zip(stale, reasons, strict=True) if why is not None}
        return {each: failed[each % streams] for each in range(partitions) if each % streams in failed}

    async def _probe_stream(self, bus: "Bus", number: int, streams: int) -> str | None:
        """Probe a stream by its first partition, or give what was found within the last minute.

        What failed is tried again at once: whoever asks wants to know when it works.
        """
        at, why = self._probed.get(number, (-PROBE_EVERY_S, None))
        if why is not None or self._clock() - at >= PROBE_EVERY_S:
            self._probed[number] = (self._clock(), None)
            why = await self._prober(bus, number, streams)
            self._probed[number] = (self._clock(), why)
        return why

    async def _count_streams(self, bus: "Bus") -> int | None:
        """Give the number of the log's streams, which never changes; None: it cannot be read now."""
        if self._log_streams is None:
            with suppress(Transient):
                installation = await find_installation(bus)
                self._log_streams = installation.log_streams if installation else None
        return self._log_streams


async def _probe(bus: "Bus", partition: int, log_streams: int) -> str | None:
    return await probe(bus, partition, log_streams, PROBE_WITHIN_S)


READINESS: Final = web.AppKey("readiness", Readiness)


def add_health(app: web.Application) -> None:
    """Add both routes."""
    app[READINESS] = Readiness()
    app.router.add_get("/health", _health)
    app.router.add_get("/ready", _ready)


async def _health(_: web.Request) -> web.Response:
    return json_response(b'{"isHealthy":true}', headers=_AS_KNOWN)


async def _ready(request: web.Request) -> web.Response:
    trace = request[TRACE]
    trace.render_error = error_response
    edge = trace.edge
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
    return json_response(b'{"isReady":true}', headers=_AS_KNOWN)


def _not_ready(message: str, what: dict[str, Any]) -> web.Response:
    error = members_of(Error(Code.UNAVAILABLE, message))
    body = {"status": "not_ready", **what, "error": error, "isError": True, "message": PREFERENCES_NOT_READY}
    return json_response(msgspec.json.encode(body), 503, {**_AS_KNOWN, "Retry-After": "1"})

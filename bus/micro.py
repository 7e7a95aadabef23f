"""A process of llum as a NATS service: `nats micro ls`, `info` and `stats` show it (ADR-32 of NATS).

The library's own services take requests of one subject in the form of that standard. llum's subjects have forms of
their own, so only the discovery is answered here.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from bus.connection import Bus
from bus.wire import Listening

_PREFIX: Final = "$SRV"
_TYPE: Final = "io.nats.micro.v1"

WORKER_SERVICE: Final = "llum-worker"
"""The name under which tools of NATS show workers."""

EDGE_SERVICE: Final = "llum-edge"
"""The name under which tools of NATS show edges."""

LISTED_WITHIN_S: Final = 0.5
"""Seconds in which services must say that they are there. Nobody knows how many there are."""

ServiceMetadata = Callable[[], dict[str, str]]
"""Gives what is told of the service now, as names and texts."""


class ServiceEndpoint(msgspec.Struct, frozen=True):
    """Subjects on which the service answers."""

    name: str
    subject: str
    queue_group: str
    metadata: dict[str, str] = {}


class ServiceSeen(msgspec.Struct, frozen=True):
    """What a service has said of itself."""

    id: str
    version: str
    metadata: dict[str, str] = {}


async def list_services(
    bus: Bus, name: str, within_s: float = LISTED_WITHIN_S, expected: Collection[str] = ()
) -> list[ServiceSeen]:
    """Give the services of a name that say so within the time, by their ids.

    It ends sooner when all of those that are `expected`, if any, have. Raises `Transient`.
    """
    seen: dict[str, ServiceSeen] = {}
    all_have = asyncio.Event()

    def take(_headers: bytes, data: bytes) -> None:
        # Where there is none, nats-server says so with an empty message.
        if data:
            one = msgspec.json.decode(data, type=ServiceSeen)
            seen[one.id] = one
        if expected and seen.keys() >= set(expected):
            all_have.set()

    token = bus.inbox.expect(take)
    try:
        await bus.publish(f"{_PREFIX}.PING.{name}", b"", bus.inbox.subject(token))
        with suppress(TimeoutError):
            await asyncio.wait_for(all_have.wait(), within_s)
    finally:
        bus.inbox.dismiss(token)
    return [seen[id] for id in sorted(seen)]


class MicroService:
    """Answers who is there on all three kinds of subjects: for all services, those of its name, and itself."""

    def __init__(
        self,
        bus: Bus,
        name: str,
        id: str,
        version: str,
        description: str,
        endpoints: list[ServiceEndpoint],
        metadata: ServiceMetadata,
    ) -> None:
        """`version` is a semantic version, such as 1.2.0."""
        self._bus = bus
        self._name, self._id, self._version = name, id, version
        self._description = description
        self._endpoints = endpoints
        self._metadata = metadata
        self._started = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self._listening: list[Listening] = []

    async def open(self) -> None:
        """Answer from now on. Raises `Transient`."""
        kinds = {"PING": self._ping, "INFO": self._info, "STATS": self._stats}
        for kind, members in kinds.items():
            for end in ("", f".{self._name}", f".{self._name}.{self._id}"):
                self._listening.append(await self._bus.listen(f"{_PREFIX}.{kind}{end}", self._answering(members)))

    async def close(self) -> None:
        for one in self._listening:
            await one.stop()
        self._listening.clear()

    def _answering(self, members: Callable[[], dict[str, Any]]) -> Callable[[bytes, bytes, bytes, bytes], None]:
        def answer(_subject: bytes, reply: bytes, _headers: bytes, _data: bytes) -> None:
            if reply:
                self._bus.publish_soon(reply, msgspec.json.encode(members()))

        return answer

    def _about(self, kind: str) -> dict[str, Any]:
        return {
            "type": f"{_TYPE}.{kind}_response",
            "name": self._name,
            "id": self._id,
            "version": self._version,
            "metadata": self._metadata(),
        }

    def _ping(self) -> dict[str, Any]:
        return self._about("ping")

    def _info(self) -> dict[str, Any]:
        return {**self._about("info"), "description": self._description, "endpoints": self._endpoints}

    def _stats(self) -> dict[str, Any]:
        """Requests are not counted here: the metrics of llum have them."""
        uncounted = {"num_requests": 0, "num_errors": 0, "processing_time": 0, "average_processing_time": 0}
        endpoints = [
            {"name": one.name, "subject": one.subject, "queue_group": one.queue_group, "last_error": "", **uncounted}
            for one in self._endpoints
        ]
        return {**self._about("stats"), "started": self._started, "endpoints": endpoints}

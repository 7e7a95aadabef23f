"""What a worker does with what leaves its partitions: one outbox each, and deliveries and firings for all of them."""

import asyncio
from collections.abc import Iterable
from typing import Final

import msgspec
import structlog

from actors.effects.notices import Notifier
from actors.effects.outbox import Outbox
from actors.effects.schedules import relay_firings
from actors.effects.stage import EffectsStage
from actors.partition import Partition
from actors.store.entries import FIRED, REGISTRATION, REJECTION, SCHEDULE
from actors.store.shard import OutboxEntry
from bus import checkpoints, registrations, rejections
from bus.connection import Bus
from bus.notices import installation_secret
from bus.requests import Requests
from model.resolvers.registry import Resolvers
from schemas.effects import Announcement
from schemas.errors import LlumError
from schemas.replies import Rejection

log = structlog.get_logger(__name__)

RETRY_S: Final = 1.0
"""Seconds before schedules are compared again after a failure of the bus."""


class Relaying:
    """The parts that partitions share; `open` makes one, `close` ends what is under way."""

    def __init__(self, bus: Bus, requests: Requests, notifier: Notifier, resolvers: Resolvers) -> None:
        self._bus = bus
        self._requests = requests
        self._notifier = notifier
        self._resolvers = resolvers

    @classmethod
    async def open(cls, bus: Bus, resolvers: Resolvers, allow_private: bool) -> "Relaying":
        """Raises `Transient`."""
        requests = Requests(bus)
        await requests.start()
        notifier = Notifier(bus, await installation_secret(bus), allow_private)
        return cls(bus, requests, notifier, resolvers)

    async def close(self) -> None:
        await self._requests.close()

    def outbox(self, partition: Partition) -> "Relay":
        """Make the outbox of a partition."""
        effects = EffectsStage(self._bus, self._requests, partition, self._notifier, self._resolvers)
        return Relay(self._bus, partition, effects)

    async def run(self, partitions: Iterable[int]) -> None:
        """Deliver notices and take firings until cancelled."""
        await asyncio.gather(self._notifier.run(partitions), relay_firings(self._bus, self._requests))


class Relay:
    """One partition's outbox and what becomes of its entries."""

    def __init__(self, bus: Bus, partition: Partition, effects: EffectsStage) -> None:
        self._bus = bus
        self._number = partition.number
        self._effects = effects
        handlers = {
            REJECTION: self._reject,
            FIRED: effects.fire,
            SCHEDULE: effects.schedule,
            REGISTRATION: self._announce,
        }
        self._outbox = Outbox(partition.shard, handlers, self._checkpoint)

    def wake(self) -> None:
        """Say that there is something in the outbox."""
        self._outbox.wake()

    async def run(self, caught_up: asyncio.Event) -> None:
        """Relay until cancelled. Schedules are compared first, and with the whole log applied: it may be rebuilt."""
        await caught_up.wait()
        await self._reconcile()
        await self._outbox.run()

    async def _reconcile(self) -> None:
        while True:
            try:
                return await self._effects.reconcile()
            except LlumError as error:
                log.warning("schedules_wait", partition=self._number, error=str(error), retry_s=RETRY_S)
            await asyncio.sleep(RETRY_S)

    async def _reject(self, entry: OutboxEntry) -> None:
        rejection = msgspec.json.decode(entry.body, type=Rejection)
        await rejections.publish(self._bus, rejection, self._number, entry.seq)

    async def _announce(self, entry: OutboxEntry) -> None:
        await registrations.announce(self._bus, msgspec.json.decode(entry.body, type=Announcement))

    async def _checkpoint(self, seq: int) -> None:
        await checkpoints.write(self._bus, self._number, seq)

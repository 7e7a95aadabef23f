"""Who relays what leaves the partitions of a worker: the primary of each, with what they share."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec

from actors.absences import Doubt
from actors.chains import Chains
from actors.effects.leaving import may_leave
from actors.effects.notices import Notifier
from actors.effects.outbox import EffectHandler, Outbox
from actors.effects.schedules import Schedules, relay_firings
from actors.effects.stage import EffectsStage
from actors.effects.webhooks import Webhooks
from actors.effects.withdrawals import Withdrawals
from actors.figures import Counters
from actors.partition import Partition
from actors.store.entries import (
    FIRED,
    REGISTRATION,
    REJECTION,
    SCHEDULE,
    SUSPENDED,
    WITHDRAW_ELSEWHERE,
    WITHDRAW_FURTHER,
)
from actors.store.shard import OutboxEntry
from bus import checkpoints, registrations, rejections
from bus.connection import Bus
from bus.logger import get_logger
from bus.requests import Requests
from bus.retrying import Interrupted, retrying, sleeping_until
from identity.signing import signing_secrets
from model.asked.refused import refused_heading
from model.resolvers.registry import Resolvers
from schemas.effects import Announcement
from schemas.replies import Rejection

log = get_logger(__name__)

HAND_OVER_WITHIN_S: Final = 2.0
"""Seconds in which a primary that leaves must have finished what is in hand; llum as a whole stops within 5."""


class Relaying:
    """What the partitions of a worker share; `open` makes one, `close` ends what is under way."""

    def __init__(
        self,
        bus: Bus,
        requests: Requests,
        webhooks: Webhooks,
        resolvers: Resolvers,
        time_zone: str,
        failed: Callable[..., None],
        counters: Counters,
    ) -> None:
        self._bus = bus
        self._counters = counters
        self._requests = requests
        self._webhooks = webhooks
        self._resolvers = resolvers
        self._time_zone = time_zone
        self._failed = failed
        self._primaries: set[int] = set()
        self._firing: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        bus: Bus,
        resolvers: Resolvers,
        allow_private: bool,
        time_zone: str,
        failed: Callable[[BaseException], None],
        counters: Counters,
    ) -> "Relaying":
        """`time_zone` is that of people who have set none; `failed` is called with what ends a relay that should go on.

        Raises `Transient`.
        """
        requests = Requests(bus)
        await requests.start()
        webhooks = Webhooks(lambda: signing_secrets(bus), allow_private)
        return cls(bus, requests, webhooks, resolvers, time_zone, failed, counters)

    async def close(self) -> None:
        self._primaries.clear()
        await self._take_firings_or_not()
        await self._requests.close()
        await self._webhooks.close()

    def relay(self, partition: Partition, chains: Chains, doubt: Doubt) -> "Relay":
        """Make the relay of a partition. `chains` are told what becomes of firings.

        `doubt`: whether somebody may have been forgotten of whom something waits here.
        """
        rights = partial(may_leave, partition)
        notifier = Notifier(self._bus, partition.number, self._webhooks, rights, counters=self._counters)
        effects = EffectsStage(self._bus, self._requests, partition, notifier, self._resolvers, chains)
        withdrawals = Withdrawals(self._bus, self._requests, partition.number)
        schedules = Schedules(self._bus, partition, self._time_zone)
        return Relay(self._bus, partition, effects, withdrawals, schedules, notifier, self, doubt)

    def watch(self, task: "asyncio.Task[None]") -> None:
        """Report what ends a task before its time."""
        task.add_done_callback(self._look_at_end)

    async def led(self, partition: int, leads: bool) -> None:
        """Note of which partitions this worker is the primary: as long as there are any, it takes firings."""
        (self._primaries.add if leads else self._primaries.discard)(partition)
        await self._take_firings_or_not()

    async def _take_firings_or_not(self) -> None:
        if self._primaries and self._firing is None:
            self._firing = asyncio.create_task(relay_firings(self._bus, self._requests))
            self.watch(self._firing)
        elif not self._primaries and self._firing is not None:
            task, self._firing = self._firing, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _look_at_end(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(error)


class Relay:
    """One partition's outbox and what becomes of its entries: relayed by the primary, dropped by the others."""

    def __init__(
        self,
        bus: Bus,
        partition: Partition,
        effects: EffectsStage,
        withdrawals: Withdrawals,
        schedules: Schedules,
        notifier: Notifier,
        relaying: Relaying,
        doubt: Doubt,
    ) -> None:
        self._doubt = doubt
        self._bus = bus
        self._effects = effects
        self._withdrawals = withdrawals
        self._schedules = schedules
        self._notifier = notifier
        self._relaying = relaying
        self._partition = partition
        self._number = partition.number
        self._changing = asyncio.Lock()
        self._outbox: Outbox | None = None
        """That of the present role."""
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """So many commands are known of which something waits to leave. 0 where another worker relays it."""
        return 0 if self._outbox is None else self._outbox.waiting

    def wake(self) -> None:
        """Say that there is something in the outbox."""
        if self._outbox is not None:
            self._outbox.wake()

    async def become(self, primary: bool) -> None:
        """Relay as the primary, or follow another one. Returns when what it was before has ended.

        Call it when the partition has caught up: schedules are compared, and a shard may be rebuilt.
        """
        async with self._changing:
            await self._end()
            if not self._closed:
                self._begin(primary)

    async def close(self) -> None:
        """Relay nothing more; what is in hand has left and is recorded, if the bus takes it in time."""
        self._closed = True
        async with self._changing:
            await self._end()

    def _begin(self, primary: bool) -> None:
        handlers = {
            REJECTION: self._reject,
            SUSPENDED: self._report,
            FIRED: self._effects.fire,
            SCHEDULE: self._schedules.plan,
            REGISTRATION: self._announce,
            WITHDRAW_ELSEWHERE: self._withdrawals.elsewhere,
            WITHDRAW_FURTHER: self._withdrawals.further,
        }
        certain = {kind: self._without_doubt(handler) for kind, handler in handlers.items()}
        outbox = self._outbox = Outbox(self._partition.shard, certain, self._checkpoint)
        self._task = asyncio.create_task(self._lead(outbox) if primary else outbox.follow(self._left))
        self._relaying.watch(self._task)

    def _without_doubt(self, handler: EffectHandler) -> EffectHandler:
        """Have nothing leave after an absence as long as it may be about somebody who was forgotten meanwhile."""

        async def handle(entry: OutboxEntry) -> None:
            await self._doubt.over()
            await handler(entry)

        return handle

    async def _end(self) -> None:
        task, outbox = self._task, self._outbox
        self._task = self._outbox = None
        if task is None or outbox is None:
            return
        outbox.stop()
        await asyncio.wait([task], timeout=HAND_OVER_WITHIN_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _lead(self, outbox: Outbox) -> None:
        await self._relaying.led(self._number, True)
        notifying = asyncio.create_task(self._notifier.run())
        self._relaying.watch(notifying)
        try:
            with suppress(Interrupted):
                sleep = sleeping_until(outbox.stopping)
                await retrying(lambda: self._take_over(outbox), "effects_wait", sleep=sleep, partition=self._number)
                await outbox.run()
        finally:
            notifying.cancel()
            await asyncio.gather(notifying, return_exceptions=True)
            await self._relaying.led(self._number, False)

    async def _take_over(self, outbox: Outbox) -> None:
        """Pass over what the primary before has relayed, and make the schedules those of the models.

        These are read from the shard, so all that is applied must be there.
        """
        await self._partition.flush()
        left = await self._left()
        outbox.pass_over(left)
        # It would stay until something else leaves, and the traces of whoever is forgotten with it.
        await self._partition.shard.drop_outbox(left)
        await self._doubt.over()
        await self._schedules.reconcile()

    async def _left(self) -> int:
        return await checkpoints.read(self._bus, self._number)

    async def _reject(self, entry: OutboxEntry) -> None:
        rejection = msgspec.json.decode(entry.body, type=Rejection)
        await rejections.publish(self._bus, rejection, self._number, entry.seq)
        await self._record(rejection)

    async def _record(self, rejection: Rejection) -> None:
        """Have the record of who asked name what was refused, unless the person has been forgotten meanwhile."""
        heading = refused_heading(rejection)
        async with self._partition.reading(rejection.user) as live:
            if heading is not None and live is not None and live.model is not None:
                self._partition.tally.refuse_one(rejection.user, heading, rejection.time)

    async def _report(self, entry: OutboxEntry) -> None:
        """Report a rule that is suspended because its app may not do what it needs."""
        report = msgspec.json.decode(entry.body, type=Rejection)
        log.warning("rule_suspended", user=report.user, app=report.app, rule=report.id, error=report.error.message)
        await rejections.publish(self._bus, report, self._number, entry.seq, report.id or "")

    async def _announce(self, entry: OutboxEntry) -> None:
        await registrations.announce(self._bus, msgspec.json.decode(entry.body, type=Announcement))

    async def _checkpoint(self, seq: int) -> None:
        await checkpoints.write(self._bus, self._number, seq)

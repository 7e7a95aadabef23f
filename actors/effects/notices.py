"""Delivery of one partition's notices: each rule's in their order, at least once, again and again for a day.

Every subject on which notices wait has a lane: it delivers the oldest, takes it out of the queue, and goes on with
the next until none is left. A lane that fails waits as long as it has been trying, so its pauses double. What no
attempt can deliver, and what is still undelivered after a day, becomes a dead letter. So does, before each attempt,
what the rule's app has lost the right to.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from actors.effects.attempt import Failure
from actors.effects.webhooks import Webhooks
from actors.figures import Counters
from bus import notices
from bus.connection import Bus
from bus.logger import get_logger
from bus.notices import Enqueued, Waiting
from bus.retrying import Sleep, retrying
from schemas.effects import Notice

log = get_logger(__name__)

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 3600.0
"""Seconds between attempts; as long as a notice has been tried, within these."""

FINISH_WITHIN_S: Final = 1.5
"""Seconds that attempts under way have when the partition is handed over; what takes longer is tried again."""

GIVE_UP_S: Final = 24 * 3600.0
"""Seconds after which a notice that nobody has taken becomes a dead letter."""


MayLeave = Callable[[Notice], Awaitable[bool]]
"""Tells whether a notice may be delivered now, whoever might have it when its rule fired."""

NO_RIGHT: Final = "the app may not call URLs from there any more"


class _Lane:
    """The delivery of one subject's notices."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None]
        self.look_again = False
        """Something was put there after the lane has looked."""
        self.seq = 0
        """The notice that is being tried."""
        self.tried_since = 0.0
        self.rests = False
        """Whether it waits for its next attempt."""


class Notifier:
    """Delivers the notices of a partition, as its primary."""

    def __init__(
        self,
        bus: Bus,
        partition: int,
        webhooks: Webhooks,
        may_leave: MayLeave,
        clock: Callable[[], float] = time.time,
        sleep: Sleep = asyncio.sleep,
        counters: Counters | None = None,
    ) -> None:
        self._bus = bus
        self._partition = partition
        self._webhooks = webhooks
        self._may_leave = may_leave
        self._clock = clock
        self._sleep = sleep
        self._counters = counters or Counters()
        self._lanes: dict[str, _Lane] = {}
        self._running = False

    async def run(self) -> None:
        """Deliver what waits and what comes, until cancelled. Short attempts under way are finished then."""
        self._running = True
        try:
            subjects = await retrying(
                lambda: notices.waiting_subjects(self._bus, [self._partition]), "notices_wait", sleep=self._sleep
            )
            for subject in subjects:
                self.wake(subject)
            await asyncio.Event().wait()
        finally:
            self._running = False
            await self._end_lanes()

    def take(self, enqueued: Enqueued) -> None:
        """Deliver what was put into the queue. Count it if that was full."""
        self._counters.notices_dead += enqueued.is_dead
        self.wake(enqueued.subject)

    def wake(self, subject: str) -> None:
        """Say that something waits on a subject."""
        lane = self._lanes.get(subject)
        if lane is not None:
            lane.look_again = True
        elif self._running:
            lane = self._lanes[subject] = _Lane()
            lane.task = asyncio.create_task(self._deliver_all(subject, lane))

    async def _end_lanes(self) -> None:
        """End all lanes. A notice that has been sent is taken out of the queue, so that the next does not send it."""
        tasks = [lane.task for lane in self._lanes.values()]
        busy = [lane.task for lane in self._lanes.values() if not lane.rests]
        self._lanes.clear()
        try:
            if busy:
                await asyncio.wait(busy, timeout=FINISH_WITHIN_S)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver_all(self, subject: str, lane: _Lane) -> None:
        async def rest(seconds: float) -> None:
            lane.rests = True
            await self._sleep(seconds)
            lane.rests = False

        while self._running:
            lane.look_again = False
            pause_s = await retrying(
                lambda: self._deliver_first(subject, lane), "notice_waits", sleep=rest, subject=subject
            )
            if pause_s is None and not lane.look_again:
                self._lanes.pop(subject, None)
                return
            if pause_s and self._running:
                await rest(pause_s)

    async def _deliver_first(self, subject: str, lane: _Lane) -> float | None:
        """Deal with the notice that is due; give the seconds until the next attempt, or None when nothing waits."""
        waiting = await notices.first_waiting(self._bus, subject)
        if waiting is None:
            return None
        if lane.seq != waiting.seq:
            lane.seq, lane.tried_since = waiting.seq, self._clock()
        if not await self._may_leave(waiting.notice):
            await self._give_up(waiting, NO_RIGHT)
            return 0.0
        failure = await self._webhooks.send(waiting.notice)
        if failure is None:
            self._counters.notices_delivered += 1
            await notices.settle(self._bus, waiting)
            return 0.0
        self._counters.notices_failed += 1
        return await self._after(failure, waiting, lane)

    async def _after(self, failure: Failure, waiting: Waiting, lane: _Lane) -> float:
        """Give the seconds until the next attempt, or give the notice up."""
        now = self._clock()
        if failure.final or now - waiting.since >= GIVE_UP_S:
            await self._give_up(waiting, failure.reason)
            return 0.0
        return min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, now - lane.tried_since, failure.again_after_s))

    async def _give_up(self, waiting: Waiting, reason: str) -> None:
        notice = waiting.notice
        log.warning("notice_given_up", user=notice.user, app=notice.app, rule=notice.rule, seq=notice.seq)
        await notices.bury(self._bus, notice, reason, f"queue.{waiting.seq}")
        self._counters.notices_dead += 1
        await notices.settle(self._bus, waiting)

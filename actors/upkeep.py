"""A copy of a partition is looked after: its sums are compared with those of others, its shard is read through, and it
says who is in it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final, NamedTuple

from actors.comparing import Comparing, DiffersError
from actors.ground import Ground
from actors.partition import Partition
from bus.log import last_sequences
from bus.logger import get_logger
from bus.retrying import Interrupted, Sleep, retrying
from bus.scrubs import ScrubRequests
from bus.sums import Sums
from bus.users import UsersRequests

log = get_logger(__name__)

SCRUB_PAUSE_S = 0.02
"""Seconds between two pages of a scrub, which take a tenth of that: nobody waits for it."""


class Anew(NamedTuple):
    """Which serving of a partition in this worker it is."""

    life: int
    until: int
    """Up to this sequence it is made anew from the log, because the copy here was not as others are; 0: it is not."""
    seen_at: int
    """Where that was seen, to compare there again."""


FIRST: Final = Anew(0, 0, 0)
"""That a partition is served for the first time."""


class Upkeep:
    """Looks after one copy for as long as it is served. `stop_for` is told of what differs."""

    def __init__(
        self,
        ground: Ground,
        partition: Partition,
        anew: Anew,
        is_primary: Callable[[], bool],
        stop_for: Callable[[DiffersError], None],
        sleep: Sleep,
    ) -> None:
        self._ground = ground
        self._partition = partition
        self._sleep = sleep
        first = Sums(holder=ground.holder, life=anew.life, anew_until=anew.until)
        self._comparing = Comparing(ground.bus, partition, first, is_primary, self._log_end, stop_for, sleep)

    @property
    def differs(self) -> str | None:
        """What other holders have otherwise; None: nothing that is known."""
        return self._comparing.differs

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Have the sums compared with those of other holders, and the shard read when somebody wishes it."""
        ground, number = self._ground, self._partition.number
        scrubs = ScrubRequests(ground.bus, number, ground.holder, self._scrub_in_turn)
        people = UsersRequests(ground.bus, number, self._users_after)
        try:
            with suppress(Interrupted):
                await retrying(scrubs.open, "scrubs_wait", sleep=self._sleep, partition=number)
                await retrying(people.open, "people_wait", sleep=self._sleep, partition=number)
            async with self._comparing.going_on():
                yield
        finally:
            await scrubs.close()
            await people.close()

    async def scrub(self) -> str | None:
        """Read the whole shard, slowly, and give what is wrong with it: then it is made anew. None: nothing is."""
        found = await self._partition.shard.scrub(partial(self._sleep, SCRUB_PAUSE_S))
        if found is not None:
            log.error("scrub_found", partition=self._partition.number, what=found)
        return found

    async def _scrub_in_turn(self) -> str | None:
        """Read the shard when none of the others is read, and give what is wrong, or what keeps it from being read."""
        async with self._ground.scrubbing:
            try:
                return await self.scrub()
            except Exception as error:  # noqa: BLE001 - the operator is told
                return f"it could not be read to its end: {error}"

    async def _users_after(self, name: str, count: int) -> list[str]:
        await self._partition.flush()
        return await self._partition.shard.users_after(name, count)

    async def _log_end(self) -> int:
        number = self._partition.number
        return (await last_sequences(self._ground.bus, [number], self._ground.log_streams))[number]

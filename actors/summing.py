"""The sum of a partition's log: recorded now and then, and compared when the partition is made anew from the log.

What is recorded is the sum of the digests of all commands that are kept, and the sequence up to which they were
applied. Whoever applies the log again must come to the same sum there. A person who is forgotten takes their share with
them, so the sum is recorded anew before the outcome of a forget is said: after that the log loses their commands.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from actors.partition import Partition
from bus import log_sums
from bus.connection import Bus
from bus.log import LogMessage
from bus.log_sums import LogSum
from bus.logger import get_logger
from bus.retrying import Interrupted, Sleep, retrying
from schemas.errors import LlumError

log = get_logger(__name__)

RECORD_EVERY_S: Final = 60.0
"""Seconds between two records of a partition that has applied something: what is lost in less is not found by them."""

RECORDED_WITHIN_S: Final = 2.0
"""Seconds for the last record, when the partition leaves."""


class Summing:
    """Records the sum of one partition, and compares it once."""

    def __init__(self, bus: Bus, partition: Partition, recorded: LogSum | None, sleep: Sleep) -> None:
        self.differs: str | None = None
        """What is wrong with the sum, for people; None: nothing that is known."""
        self._bus = bus
        self._partition = partition
        self._sleep = sleep
        self._recorded_seq = -1 if recorded is None else recorded.seq
        passed = recorded is None or recorded.seq < partition.applied_seq
        self._expected = None if passed else recorded

    @classmethod
    async def of(cls, bus: Bus, partition: Partition, sleep: Sleep) -> "Summing":
        """Make one that knows what was recorded last. Raises `Transient`."""
        return cls(bus, partition, await log_sums.read(bus, partition.number), sleep)

    @property
    def has_compared(self) -> bool:
        """Whether nothing is to be compared any more."""
        return self._expected is None

    @asynccontextmanager
    async def going_on(self, records: Callable[[], bool]) -> AsyncIterator[None]:
        """Record every minute and at the end, as long as `records` says so."""
        task = asyncio.create_task(self._record_every_minute(records))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if records() and self._bus.connected:
                with suppress(LlumError, TimeoutError):
                    async with asyncio.timeout(RECORDED_WITHIN_S):
                        await self._record()

    async def record_at_once(self) -> None:
        """Record, however long that takes. Raises `Interrupted` when the partition leaves."""
        await retrying(self._record, "log_sum_waits", sleep=self._sleep, partition=self._partition.number)

    def parts(self, batch: list[LogMessage]) -> list[list[LogMessage]]:
        """Cut a batch behind the sequence at which sums are compared. Call `compare` before the second part."""
        expected = self._expected
        if expected is None or not batch or batch[-1].seq <= expected.seq:
            return [batch]
        first = [message for message in batch if message.seq <= expected.seq]
        return [first, batch[len(first) :]]

    def compare(self) -> None:
        """Compare, if that is still to be done. Call it when all that was recorded then has been applied."""
        expected, self._expected = self._expected, None
        if expected is None or expected.digests == self._now().digests:
            return
        self.differs = (
            f"partition {self._partition.number}: the log up to {expected.seq} does not hold what was applied of it "
            "before: commands are lost or changed; `llum doctor` looks for them"
        )
        log.error("log_sum_differs", partition=self._partition.number, seq=expected.seq, why=self.differs)

    async def _record_every_minute(self, records: Callable[[], bool]) -> None:
        with suppress(Interrupted):
            while True:
                await self._sleep(RECORD_EVERY_S)
                if records():
                    await self.record_at_once()

    async def _record(self) -> None:
        """Record unless a later sum, or this one, is recorded, or the one that is there has not been compared."""
        now = self._now()
        if now.seq > self._recorded_seq and self._expected is None:
            await log_sums.write(self._bus, self._partition.number, now)
            self._recorded_seq = now.seq

    def _now(self) -> LogSum:
        waiting = self._partition.waiting
        return LogSum(waiting.applied_seq, f"{waiting.log_sum:032x}")

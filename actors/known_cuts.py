"""What a worker knows of where the log was cut.

nats-server says nothing of what a reader has missed: who asks for what is gone is given what comes next. So nothing is
applied on knowledge that is older than the time between the record of a cut and the cut. Whatever is missing from what
has been read by now was recorded before that, and is known.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final, NoReturn

from bus import log_cuts
from bus.connection import Bus
from bus.log_cuts import NOTICED_WITHIN_S, Cuts
from bus.logger import get_logger
from bus.retrying import Sleep, retrying
from schemas.errors import Code, LlumError, Transient

log = get_logger(__name__)

LOOK_EVERY_S: Final = 4.0
"""Seconds between two looks: two may fail before a command has to wait for one."""

GOOD_FOR_S: Final = NOTICED_WITHIN_S - 3.0
"""Seconds for which a look is good. Clocks of two machines do not run apart by more than the rest meanwhile."""


class BehindCutError(Transient):
    """A partition that has not applied what was cut off the log."""

    def __init__(self, partition: int, seq: int, need: int) -> None:
        hint = "nothing is lost; try again in a while"
        super().__init__(Code.UNAVAILABLE, f"partition {partition} is being made anew from a snapshot", hint)
        self.what = f"it is as of {seq}, and the log was cut: what there was up to {need} is in snapshots alone"


class KnownCuts:
    """The cuts, as they were at the last look."""

    def __init__(self, bus: Bus, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._monotonic = monotonic
        self._cuts: Cuts = {}
        self._needs: dict[int, int] = {}
        self._looked_at = float("-inf")

    @property
    def is_fresh(self) -> bool:
        """Whether what is known may be gone by."""
        return self._monotonic() - self._looked_at < GOOD_FOR_S

    def need(self, partition: int) -> int:
        """Give the sequence up to which a partition must be in a shard or snapshot; 0: nothing of it was cut."""
        return self._needs.get(partition, 0)

    def cut_of(self, stream: str) -> int:
        """Give the sequence before which a stream was cut, or is about to be; 0: it was not."""
        found = self._cuts.get(stream)
        return 0 if found is None else found.seq

    async def check(self, partition: int, applied_seq: int, sleep: Sleep) -> None:
        """See that what a partition is sent now follows what it has applied.

        Raises `BehindCutError` if not, and what `sleep` raises.
        """
        if not self.is_fresh:
            await retrying(self.look, "cuts_not_known", sleep=sleep, partition=partition)
        if applied_seq < self.need(partition):
            raise BehindCutError(partition, applied_seq, self.need(partition))

    async def look(self) -> None:
        """Look now, once for all partitions that want to. Raises `Transient`."""
        await self._bus.joined.read(self, self._look)

    async def _look(self) -> None:
        began = self._monotonic()
        self._cuts = await log_cuts.read(self._bus)
        self._needs = {number: seq for cut in self._cuts.values() for number, seq in cut.needs.items()}
        self._looked_at = began

    async def look_again_and_again(self) -> NoReturn:
        """Look every few seconds, so that no command has to wait for it."""
        while True:
            try:
                await self.look()
            except LlumError as error:
                log.debug("cuts_not_known", error=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

"""The record of who asked, of one partition as this worker serves it: when it is written, and how it is read.

Every worker that answers writes what it has answered. Nothing wakes up while nobody asks: the first ask starts a timer.
What has been counted and not written is lost if the process is killed: a minute of new askers and 15 minutes of those
that ask the same all the time (`model/asked/tally.py`). What was written before stays.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from actors.erasing import Erasing
from actors.partition import Partition
from actors.settling import Settled
from bus import asked
from bus.as_app import new_id
from bus.asked import PersonsWindow
from bus.connection import Bus
from bus.logger import get_logger
from bus.retrying import BUS_FAILURES, Interrupted, Sleep, retrying
from model.asked.tally import REPEATS_WAIT_S, Counted
from model.commands.erase import part_of
from model.reads import Recorded
from schemas.asked import AskedRow, AskedWindow
from schemas.commands import Forget
from schemas.parts import ForgetPart
from schemas.paths import Path
from schemas.replies import Accepted

log = get_logger(__name__)

MINUTE_S: Final = 60.0
"""Seconds after the first ask until what is new is written."""

SPACING_S: Final = 3.0
"""Seconds for each person that the last writing was about, if that is more than a minute, and up to 15 minutes: what is
written costs nats-server about as much as an ask, so it is written seldom where many people are asked."""

ROWS_AT_ONCE: Final = 200
"""Rows of one message: with the longest paths that still fits what the bus takes."""

CLOSE_WITHIN_S: Final = 2.0
"""Seconds that the last writing may take; llum as a whole stops within 5."""


class AskRecord:
    """Writes what the partition's tally has counted, as long as `going_on` lasts."""

    def __init__(
        self,
        bus: Bus,
        partition: Partition,
        turn: asyncio.Lock,
        sleep: Sleep,
        erasing: Erasing,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`erasing` tells whether somebody was forgotten whom this worker has still counted."""
        self._bus = bus
        self._erasing = erasing
        self._number = partition.number
        self._tally = partition.tally
        self._turn = turn
        """One partition of a worker writes at a time: nats-server takes 50 batches of a stream at once."""
        self._sleep = sleep
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._people = 0
        """How many the last writing was about."""
        self._is_over = False
        """Whether the minute is over."""
        self._work = asyncio.Event()
        self._waiting: list[PersonsWindow] = []
        """Those that are to be written and may not be stored yet."""

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Write whenever something is due, and in the end all that there is."""
        self._tally.on_change = self._look
        self._look()
        task = asyncio.create_task(self._keep_writing())
        try:
            yield
        finally:
            self._tally.on_change = _do_nothing
            if self._timer is not None:
                self._timer.cancel()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._finish()

    async def read(self, wanted: Recorded) -> list[AskedRow]:
        """Give who asked about a person: what is stored, and what is in memory here. Raises `Transient`."""
        # Nothing is written here meanwhile, or it would be found in both places.
        async with self._turn:
            known = {one.window.id for one in self._waiting}
            stored = await asked.read(self._bus, wanted.user, wanted.since, known)
            waiting = [row for one in self._waiting if one.user == wanted.user for row in one.window.rows]
            return stored + waiting + self._tally.rows_about(wanted.user)

    async def look_at(self, settled: Settled) -> None:
        """Write nothing more that names what a command has forgotten: a person, or a component of theirs.

        What is stored about a component is erased, too, also for a repeat: the outcome says that it is gone. What is
        stored about a person is erased by whoever forgets the person. Raises `Interrupted`.
        """
        command, user = settled.incoming.command, settled.incoming.address.user
        if type(settled.outcome) is not Accepted:
            return
        if type(command) is Forget:
            await self.forget(user)
        elif type(command) is ForgetPart:
            part = part_of(command)
            if part.path is not None and part.is_whole_component:
                await self._leave_out(user, part.path)

    async def _leave_out(self, user: str, path: Path) -> None:
        """Erase what is known of a component, and keep the rest. Raises `Interrupted`."""
        how: dict[str, Any] = {"sleep": self._sleep, "partition": self._number}
        self._take(self._tally.take_all(self._clock()))
        await retrying(self._write, "asked_waits", **how)
        # What is being answered now may still name it.
        await self.forget(user)
        await retrying(lambda: asked.leave_out(self._bus, user, path), "asked_not_erased", **how)

    async def forget(self, user: str) -> None:
        """Write nothing more about a person: it is erased once this returns."""
        self._tally.forget(user)
        self._waiting = [one for one in self._waiting if one.user != user]
        async with self._turn:
            """What was being written when this was called is stored now."""

    def _look(self) -> None:
        """See what is to be done after something was counted for the first time."""
        if self._tally.is_urgent:
            self._work.set()
        if self._timer is None and self._tally.waits:
            seconds = min(REPEATS_WAIT_S, max(MINUTE_S, SPACING_S * self._people))
            self._timer = asyncio.get_running_loop().call_later(seconds, self._on_time)

    def _on_time(self) -> None:
        self._is_over = True
        self._work.set()

    async def _keep_writing(self) -> None:
        with suppress(Interrupted):
            while True:
                await self._work.wait()
                self._work.clear()
                if self._is_over:
                    self._is_over, self._timer = False, None
                    self._take(self._tally.take(self._clock()))
                    self._people = len(self._waiting)
                    self._look()
                else:
                    self._take(self._tally.take_urgent(self._clock()))
                await retrying(self._write, "asked_waits", sleep=self._sleep, partition=self._number)
                self._tell_unrecorded()

    def _take(self, counted: list[Counted]) -> None:
        self._waiting += [
            PersonsWindow(user, AskedWindow(id=new_id(), rows=rows[start : start + ROWS_AT_ONCE]))
            for user, rows in counted
            for start in range(0, len(rows), ROWS_AT_ONCE)
        ]

    async def _write(self) -> None:
        """Write what waits. Raises `Transient`; all of it waits on then.

        Nothing is written as long as somebody is forgotten elsewhere and not yet here: this worker may have been
        stopped, or be behind.
        """
        while self._waiting:
            async with self._turn:
                written = self._waiting[: asked.AT_ONCE] if await self._erasing.lacks_none() else []
                if written:
                    await asked.publish(self._bus, written)
            if not written:
                # Not in turn: the erasure that is waited for wants it, too.
                await self._erasing.until_none_is_missed()
            ids = {one.window.id for one in written}
            self._waiting = [one for one in self._waiting if one.window.id not in ids]

    async def _finish(self) -> None:
        self._take(self._tally.take_all(self._clock()))
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._write()
        except (TimeoutError, *BUS_FAILURES) as error:
            log.error("asked_lost", partition=self._number, windows=len(self._waiting), error=str(error))

    def _tell_unrecorded(self) -> None:
        if self._tally.unrecorded:
            log.error("asked_unrecorded", partition=self._number, asks=self._tally.unrecorded)
            self._tally.unrecorded = 0


def _do_nothing() -> None:
    """Nobody writes."""

"""Moves a spool onto the bus: in order, each entry once stored and only then removed.

One entry is under way at a time. Several at once would be faster, but if the first of them failed and the second
was stored (the stream becoming ready in between), the order could not be mended by sending the first again.
Entries are removed from the spool in batches; after a crash in between the bus gets some again, with the same ids.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final

from bus.logger import get_logger
from schemas.errors import Code, LlumError, Refusal, Transient
from sensors.errors import SensorError
from sensors.spool import Entry, Spool

Store = Callable[[Entry], Awaitable[object]]
"""Stores an entry on the bus and returns when that is certain. Raises `Transient` or `OSError` when it is not, and
`Refusal` for what can never be stored."""

Connect = Callable[[], AbstractAsyncContextManager[Store]]
"""Opens a way to the bus. Called anew after each failure, so that a llum that has moved is found again."""

BATCH_ENTRIES: Final = 64
"""Entries read and removed at a time: one flush of the disk for so many. A crash sends at most these again."""

FIRST_RETRY_S: Final = 0.1
"""Seconds until the first retry; doubled at each further one."""

LONGEST_RETRY_S: Final = 2.0
"""Seconds between two retries at most: so soon after its return the bus gets what has waited."""

log = get_logger("llum.sensor")


class Publisher:
    """Publish a spool. Run `run()` as a task for as long as the sensor lives; `flush()` before the end."""

    def __init__(self, spool: Spool, connect: Connect) -> None:
        self._spool = spool
        self._connect = connect
        self._appended = asyncio.Event()
        self._empty = asyncio.Event()
        self._hurry = asyncio.Event()
        self._away_for: set[Code] = set()
        """Why entries have waited since the bus took one last: each reason is told once."""
        self._told_back = False
        self._retry_s = FIRST_RETRY_S
        spool.on_append = self._noticed

    async def run(self) -> None:
        """Publish until cancelled. Waits and tries again for as long as the bus or the disk fails."""
        while True:
            await self._something_waits()
            try:
                await self._publish()
            except (Transient, OSError, SensorError) as error:
                await self._wait_after(error)

    async def flush(self, timeout_s: float) -> bool:
        """Wait until everything is stored, retrying at short intervals, but not for ever; tell whether it is."""
        self._hurry.set()
        self._empty.clear()
        self._appended.set()
        try:
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    async def _publish(self) -> None:
        async with self._connect() as store:
            while True:
                await self._something_waits()
                await self._publish_batch(store)

    async def _publish_batch(self, store: Store) -> None:
        stored = 0
        try:
            for number, entry in self._spool.oldest(BATCH_ENTRIES):
                await self._publish_one(store, entry)
                stored = number
                self._note_back()
        finally:
            if stored:
                self._spool.remove_up_to(stored)

    async def _publish_one(self, store: Store, entry: Entry) -> None:
        try:
            await store(entry)
        except Refusal as refusal:
            # It would be refused for ever, and everything after it would wait for ever.
            log.error("sensor.entry_dropped", verb=entry.verb, user=entry.user, app=entry.app, code=refusal.code.value)

    async def _something_waits(self) -> None:
        while not len(self._spool):
            self._empty.set()
            self._appended.clear()
            await self._appended.wait()

    async def _wait_after(self, error: Exception) -> None:
        """Wait as long as whoever takes the entries asks for, or for a while, because the bus is away."""
        if isinstance(error, Transient) and error.code is Code.TOO_FAST:
            await asyncio.sleep(error.retry_after_s)
            return
        self._note_away(error)
        await self._pause()

    async def _pause(self) -> None:
        if self._hurry.is_set():
            await asyncio.sleep(FIRST_RETRY_S)
            return
        wait_s, self._retry_s = self._retry_s, min(2 * self._retry_s, LONGEST_RETRY_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._hurry.wait()

    def _noticed(self) -> None:
        self._empty.clear()
        self._appended.set()

    def _note_away(self, error: Exception) -> None:
        code = error.code if isinstance(error, LlumError) else Code.UNAVAILABLE
        if code not in self._away_for:
            log.warning("sensor.waits_for_bus", reason=_reason(error), hint=_hint(error), waiting=len(self._spool))
        self._away_for.add(code)

    def _note_back(self) -> None:
        self._retry_s = FIRST_RETRY_S
        if self._away_for or not self._told_back:
            log.info("sensor.reaches_bus", waiting=len(self._spool))
        self._told_back = True
        self._away_for.clear()


def _hint(error: Exception) -> str | None:
    return error.hint if isinstance(error, LlumError) else None


def _reason(error: Exception) -> str:
    if isinstance(error, Transient):
        return error.error.message
    return str(error) or type(error).__name__

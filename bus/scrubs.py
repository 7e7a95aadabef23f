"""An operator's wish that all who hold a partition read their shard now: asked for, heard, answered by each of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from bus.connection import Bus
from bus.inbox import is_asker
from bus.operator_subjects import scrub_subject_of
from bus.wire import Listening

HEARD_WITHIN_S: Final = 2.0
"""Seconds in which a holder says that it has heard the wish."""

POLL_S: Final = 0.05
"""Seconds between looks whether all have answered."""


class Scrubbed(msgspec.Struct, frozen=True):
    """What a holder of a partition has found in its shard."""

    partition: int
    holder: str
    """The worker."""
    done: bool = False
    """False: it has only begun."""
    found: str | None = None
    """What is wrong; null: nothing."""


class ScrubRequests:
    """Hears the wish about one partition, and answers it."""

    def __init__(self, bus: Bus, partition: int, holder: str, scrub: Callable[[], Awaitable[str | None]]) -> None:
        self._bus = bus
        self._began = Scrubbed(partition, holder)
        self._scrub = scrub
        self._listening: Listening | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen. Raises `Transient`."""
        if self._listening is None:
            self._listening = await self._bus.listen(scrub_subject_of(self._began.partition), self._on_message)
        await self._bus.flush()

    async def close(self) -> None:
        """Hear nothing more."""
        if self._listening is not None:
            await self._listening.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_message(self, _subject: bytes, reply: bytes, _headers: bytes, _data: bytes) -> None:
        # One at a time: more would only wait.
        if is_asker(reply) and not self._tasks:
            task = asyncio.create_task(self._answer(reply))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, reply: bytes) -> None:
        self._bus.publish_soon(reply, msgspec.json.encode(self._began))
        found = await self._scrub()
        self._bus.publish_soon(reply, msgspec.json.encode(msgspec.structs.replace(self._began, done=True, found=found)))


async def scrub(bus: Bus, partition: int, within_s: float) -> list[Scrubbed]:
    """Have all holders read their shard, and give what they say; `done` is false of those that took longer."""
    said: dict[str, Scrubbed] = {}

    def on_answer(_headers: bytes, data: bytes) -> None:
        if data:
            one = msgspec.json.decode(data, type=Scrubbed)
            said[one.holder] = one

    token = bus.inbox.expect(on_answer)
    try:
        await bus.publish(scrub_subject_of(partition), b"", bus.inbox.subject(token))
        await asyncio.sleep(HEARD_WITHIN_S)
        left = round(within_s / POLL_S)
        while left and not all(one.done for one in said.values()):
            await asyncio.sleep(POLL_S)
            left -= 1
    finally:
        bus.inbox.dismiss(token)
    return list(said.values())

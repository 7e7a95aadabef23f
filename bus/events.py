"""Hears what changes in the models of those whom somebody here listens for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from bus.connection import Bus
from bus.logger import get_logger
from bus.subjects import event_subject, listening_subject
from bus.wire import Listening, end_task
from schemas.events import LISTENING_AGAIN_S, Event

log = get_logger(__name__)

OnEvent = Callable[[Event], None]
"""Takes an event, in the order of the log. It must not block, and should not raise."""


class Events:
    """What changes, for all who listen at this connection: each person is listened for once."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._heard: dict[str, _Heard] = {}
        self._saying: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listening(self, user: str, on_event: OnEvent) -> AsyncIterator[None]:
        """Be told of changes in a person's model. Raises `Transient`.

        A worker that answers what is asked after this has begun has heard of it before. Another one that tells of
        changes may hear of it later than that answer is made, and what is lost on the way, as when a connection breaks
        or a worker is replaced, is not told. So whoever must know compares sequences: each event names the one before.
        """
        heard = self._heard.get(user)
        if heard is None:
            heard = self._heard[user] = _Heard()
        heard.takers.append(on_event)
        try:
            await heard.open(self._bus, user)
            self._say(user)
            if self._saying is None:
                self._saying = asyncio.create_task(self._go_on_saying(), name="listening for events")
            yield
        finally:
            heard.takers.remove(on_event)
            if not heard.takers:
                del self._heard[user]
                await heard.close()
            if not self._heard and self._saying is not None:
                saying, self._saying = self._saying, None
                await end_task(saying)

    def _say(self, user: str) -> None:
        """Say that somebody listens. What the bus does not take now is said again soon."""
        self._bus.publish_soon(listening_subject(user).encode(), b"")

    async def _go_on_saying(self) -> None:
        while True:
            await asyncio.sleep(LISTENING_AGAIN_S)
            for user in self._heard:
                self._say(user)


class _Heard:
    """The events of one person."""

    def __init__(self) -> None:
        self.takers: list[OnEvent] = []
        self._opening = asyncio.Lock()
        self._listening: Listening | None = None

    async def open(self, bus: Bus, user: str) -> None:
        """Hear them from now on, if that is not so already. Raises `Transient`."""
        async with self._opening:
            if self._listening is None:
                self._listening = await bus.listen(event_subject(user), self._take)

    async def close(self) -> None:
        """Hear no more."""
        if self._listening is not None:
            await self._listening.stop()

    def _take(self, _subject: bytes, _reply: bytes, _headers: bytes, data: bytes) -> None:
        try:
            event = msgspec.json.decode(data, type=Event)
        except msgspec.DecodeError as error:
            # Of a worker of another version. Whoever listens sees that something is missing.
            log.warning("event_unreadable", error=str(error))
            return
        for take in list(self.takers):
            take(event)

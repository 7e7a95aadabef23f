"""Those who listen for changes: of whom a worker tells them, and that it tells nobody else.

Whoever listens for a person says so again and again, to all workers. So a worker that has just started, or has become
the primary, knows it within seconds; and nothing need be taken back when a listener dies. A command about a person whom
nobody listens for costs one look at an empty dict.
"""

import time

from bus.connection import Bus
from bus.subjects import event_subject, listening_subject
from bus.wire import Listening
from schemas.codec import encode
from schemas.events import LISTENED_FOR_S, Event


class Listeners:
    """The people who are listened for. Make it with `open`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._listening: Listening | None = None
        self._swept = time.monotonic()
        self.until: dict[str, float] = {}
        """Until when each person is listened for, on this machine's clock; swept now and then."""

    @classmethod
    async def open(cls, bus: Bus) -> "Listeners":
        """Begin to hear who is listened for. Raises `Transient`."""
        listeners = cls(bus)
        listeners._listening = await bus.listen(listening_subject("*"), listeners._note)
        return listeners

    async def close(self) -> None:
        """Hear no more."""
        if self._listening is not None:
            await self._listening.stop()

    def is_for(self, user: str) -> bool:
        """Tell whether somebody listens for a person."""
        until = self.until.get(user)
        if until is None:
            return False
        if until < time.monotonic():
            del self.until[user]
            return False
        return True

    def tell(self, event: Event) -> None:
        """Tell those who listen. If the bus takes nothing now, they see by the next event that they missed it."""
        self._bus.publish_soon(event_subject(event.user).encode(), encode(event))

    def _note(self, subject: bytes, _reply: bytes, _headers: bytes, _data: bytes) -> None:
        now = time.monotonic()
        if now - self._swept > LISTENED_FOR_S:
            # Not at each note: all people are noted every few seconds.
            self._swept = now
            self.until = {user: until for user, until in self.until.items() if until >= now}
        self.until[subject.rpartition(b".")[2].decode("utf-8", "replace")] = now + LISTENED_FOR_S

"""Probes: whether a worker is there at all, for those who would not be told that nobody listens.

Between accounts nats-server does not always pass on that nobody listens, and of a command it says no more than that
it is stored. So an app would wait for the whole of its time. Therefore a ping goes after what is not answered soon.
Workers answer it at once, whatever they are busy with; if none does, nobody waits any longer. What was sent may be
stored all the same, and sending it again with its id is harmless.
"""

import asyncio
from typing import Final, Protocol

from bus.connection import Bus
from bus.hedging import EARLY_S
from bus.inbox import Inbox
from bus.pings import PING
from bus.subjects import parted_subject, ping_subject
from schemas.errors import Code, Transient

AGAIN_S: Final = 1.0
"""Seconds from the answer to one ping to the next one: so long after a worker's end an app hears of it."""


class Settles(Protocol):
    """An answer, or a place for it."""

    def done(self) -> bool: ...


class Unanswered(Protocol):
    """What waits for an answer."""

    subject: str

    @property
    def future(self) -> Settles: ...

    def fail(self, error: Exception) -> None: ...


class Probes:
    """Pings on behalf of those that wait. One ping at a time for a person, as one partition serves them."""

    def __init__(self, bus: Bus, inbox: Inbox, within_s: float) -> None:
        self._bus = bus
        self._inbox = inbox
        self._within_s = within_s
        self._losses = 0
        self._waiting: dict[str, set[Unanswered]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        bus.on_disconnect.append(self._lost)

    def close(self) -> None:
        """Send no more."""
        if self._lost in self._bus.on_disconnect:
            self._bus.on_disconnect.remove(self._lost)
        for task in self._tasks:
            task.cancel()

    def watch(self, one: Unanswered) -> None:
        """See to it that this does not wait for a worker that is not there."""
        user, app = parted_subject(one.subject)
        if user in self._waiting:
            self._waiting[user].add(one)
            return
        self._waiting[user] = {one}
        task = asyncio.get_running_loop().create_task(self._probe(user, ping_subject(user, app)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _probe(self, user: str, subject: str) -> None:
        try:
            while waiting := {one for one in self._waiting[user] if not one.future.done()}:
                self._waiting[user] = set(waiting)
                if await self._is_served(subject):
                    await asyncio.sleep(AGAIN_S)
                else:
                    _fail(waiting, user)
        finally:
            del self._waiting[user]

    async def _is_served(self, subject: str) -> bool:
        """Tell whether a worker answers. As long as the connection is lost nobody knows: then it is not denied."""
        losses = self._losses
        try:
            answer = await self._inbox.request(subject, PING, self._within_s, again_s=EARLY_S)
        except Transient:
            return not self._bus.connected or losses != self._losses
        return not answer.no_responders

    def _lost(self) -> None:
        self._losses += 1


def _fail(waiting: set[Unanswered], user: str) -> None:
    hint = "send the same again: what is stored already counts once"
    for one in waiting:
        one.fail(Transient(Code.UNAVAILABLE, f"no worker serves {user} now", hint))

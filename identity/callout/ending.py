"""Ends connections whose grounds have gone: the token was revoked, the app removed, or what it may do changed.

Each callout looks at all connections, whoever has let them in. It hears of what changes. What it may have missed it
looks up: when it starts, and when it has lost what it hears by. A connection that comes about while something about it
changes is looked at again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from bus.logger import get_logger
from bus.retrying import RETRY_S, Sleep, retrying
from identity.authenticator import Bearers
from identity.callout.connections import Connections, Identity
from identity.callout.deciding import rights_text
from identity.registrations import Asking, access
from schemas.effects import Announcement
from schemas.errors import Code, LlumError, Refusal
from schemas.recent import Recent

LATELY_S: Final = 5.0
"""Seconds in which what was decided before a change may still become a connection: nats-server waits for 2."""

CHANGES: Final = 10_000
"""Apps of persons that have changed lately, as far as they are remembered."""

AT_ONCE: Final = 16
"""Apps of persons that are looked up at the same time."""

_GONE: Final = frozenset({Code.NO_SUCH_MODEL, Code.NO_SUCH_APP})

Whose = tuple[str, str]
"""Person and app."""

log = get_logger("llum.callout")


class Ending:
    """Ends connections for as long as `running` lasts."""

    def __init__(
        self,
        connections: Connections,
        bearers: Bearers,
        requests: Asking,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._connections = connections
        self._bearers = bearers
        self._requests = requests
        self._monotonic = monotonic
        self._sleep = sleep
        self._changed: Recent[Whose, float] = Recent(CHANGES)
        self._missed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hear of changes, and look at all connections now and whenever some changes may have been missed."""
        self._connections.on_new = self._came
        self._bearers.tokens.on_change.append(self._token_changed)
        self._bearers.registrations.on_announcement.append(self._announced)
        for may_have_missed in (self._bearers.tokens, self._bearers.registrations, self._connections):
            may_have_missed.on_begin.append(self._missed.set)
        self._missed.set()
        self._do(self._keep_looking())
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()

    def _token_changed(self, user: str, app: str, credential: str) -> None:
        self._changed[user, app] = self._monotonic()
        if any(one.credential == credential for one in self._connections.of(user, app)):
            self._do(self._retrying(lambda: self._connections.end(user, app, credential=credential)))

    def _announced(self, announced: Announcement) -> None:
        user, app, seq = announced.user, announced.app, announced.seq
        self._changed[user, app] = self._monotonic()
        if self._connections.of(user, app):
            self._do(self._retrying(lambda: self._end_others(user, app, seq)))

    def _came(self, identity: Identity) -> None:
        changed = self._changed.get((identity.user, identity.app))
        if changed is not None and self._monotonic() - changed < LATELY_S:
            self._do(self._retrying(lambda: self._look_at(identity.user, identity.app)))

    async def _keep_looking(self) -> None:
        """Look at all whenever something may have been missed; again at those that nobody could tell about then."""
        while True:
            await self._missed.wait()
            self._missed.clear()
            await self._retrying(self._connections.list)
            waiting = self._connections.whose()
            while waiting and not self._missed.is_set():
                waiting = await self._look_at_each(waiting)
                if waiting:
                    await self._sleep(RETRY_S)

    async def _look_at_each(self, waiting: list[Whose]) -> list[Whose]:
        """Look at the connections of these; give those that nobody can tell about now. They keep out no others."""
        failed: list[Whose] = []

        async def look() -> None:
            while waiting:
                whose = waiting.pop()
                try:
                    await self._look_at(*whose)
                except LlumError as error:
                    log.warning("connections_not_looked_at", user=whose[0], app=whose[1], error=str(error))
                    failed.append(whose)

        await asyncio.gather(*(look() for _ in range(AT_ONCE)))
        return failed

    async def _look_at(self, user: str, app: str) -> None:
        """End those that would not be let in now as they were let in."""
        await self._end_others(user, app)
        good = {token.id for token in await self._bearers.tokens.list(user) if token.app == app}
        for credential in {one.credential for one in self._connections.of(user, app)} - good:
            await self._connections.end(user, app, credential=credential)

    async def _end_others(self, user: str, app: str, seq: int | None = None) -> None:
        """End those that were let in by another registration, or with other rights, than the app has now."""
        await self._connections.end(user, app, await self._now(user, app, seq))

    async def _now(self, user: str, app: str, seq: int | None) -> Identity | None:
        try:
            reply = await access(self._requests, user, app, seq)
        except Refusal as refusal:
            if refusal.code not in _GONE:
                raise
            return None
        return Identity(user, app, "", reply.registration, rights_text(reply))

    async def _retrying(self, attempt: Callable[[], Coroutine[Any, Any, object]]) -> None:
        await retrying(attempt, "connections_not_ended")

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

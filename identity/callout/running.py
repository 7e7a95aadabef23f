"""A callout as it runs: it decides on connections, and ends those whose grounds have gone."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from bus.connection import Bus
from bus.credentials import Credentials
from bus.nkeys import CurveKey, SigningKey
from bus.retrying import retrying
from identity.authenticator import Authenticator
from identity.callout.connections import Connections, Identity
from identity.callout.deciding import Deciding, rights_text
from identity.callout.service import Callout
from identity.inboxes import inboxes_of
from identity.registrations import Asking, access
from schemas.effects import Announcement
from schemas.errors import Code, Refusal

_GONE: Final = frozenset({Code.NO_SUCH_MODEL, Code.NO_SUCH_APP})


@asynccontextmanager
async def running_callout(
    url: str, bus: Bus, requests: Asking, authenticator: Authenticator, credentials: Credentials
) -> AsyncIterator[Connections]:
    """Answer nats-server at `url` as long as the block lasts. `bus` is llum's own, for the installation's secrets.

    The authenticator runs, so that it hears of what is revoked. Raises `Transient`.
    """
    auth = await Bus.connect(credentials.at(url, "auth"), name="llum-callout")
    system = await Bus.connect(credentials.at(url, "system"), name="llum-callout-system")
    connections, ending = Connections(system), _Ending(requests)
    deciding = Deciding(authenticator, requests, await inboxes_of(bus))
    issuer, xkey = SigningKey(bytes.fromhex(credentials.issuer)), CurveKey(bytes.fromhex(credentials.xkey))
    callout = Callout(auth, issuer, xkey, deciding.decide)
    try:
        await connections.open()
        ending.begin(connections, authenticator)
        await callout.open()
        yield connections
    finally:
        ending.end()
        await callout.close()
        await connections.close()
        await system.close()
        await auth.close()


class _Ending:
    """Ends connections when a token is revoked, an app removed, or what it may do changed."""

    def __init__(self, requests: Asking) -> None:
        self._requests = requests
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, connections: Connections, authenticator: Authenticator) -> None:
        self._connections = connections
        authenticator.tokens.on_change.append(self._token_changed)
        authenticator.registrations.on_announcement.append(self._announced)

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _token_changed(self, user: str, app: str, credential: str) -> None:
        if any(one.credential == credential for one in self._connections.of(user, app)):
            self._do(self._end(user, app, None, credential))

    def _announced(self, announced: Announcement) -> None:
        if self._connections.of(announced.user, announced.app):
            self._do(self._look_again(announced.user, announced.app, announced.seq))

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_again(self, user: str, app: str, seq: int) -> None:
        """End the connections that were let in with other rights than the app has now."""
        await self._end(user, app, await self._now(user, app, seq), None)

    async def _now(self, user: str, app: str, seq: int) -> Identity | None:
        try:
            reply = await access(self._requests, user, app, seq)
        except Refusal as refusal:
            if refusal.code not in _GONE:
                raise
            return None
        return Identity(user, app, "", reply.registration, rights_text(reply))

    async def _end(self, user: str, app: str, but: Identity | None, credential: str | None) -> None:
        await retrying(lambda: self._connections.end(user, app, but, credential), "connections_not_ended")

"""The auth callout as a service: nats-server asks who connects, llum answers from tokens and from the person's grants.

It listens in the account AUTH; who a token stands for, and what its app may do, it finds out as an edge does. Any
number may run.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from bus.connection import Bus
from bus.logger import get_logger
from bus.nkeys import KeyTextError, SealError, SigningKey
from identity.callout import claims
from identity.callout.claims import BadClaimsError, ConnectRequest, Subjects
from identity.callout.keys import CalloutKeys
from schemas.errors import LlumError, Transient

REQUESTS: Final = "$SYS.REQ.USER.AUTH"
"""Where nats-server asks, in the account of the callout."""

QUEUE: Final = "llum-callout"

SERVER_KEY_HEADER: Final = b"Nats-Server-Xkey"

AT_ONCE: Final = 256
"""Connections that are decided on at the same time; further ones wait in nats-server, and try again."""

log = get_logger("llum.callout")


class Admitted(NamedTuple):
    """Who may connect, and as what."""

    name: str
    """Shown to operators, and how the connection is found when it is to be ended."""
    allowed: Subjects
    expires: float
    """Seconds since 1970."""


Decide = Callable[[ConnectRequest], Awaitable[Admitted]]
"""Decides on a connection. Raises `Refusal`: it is not let in; `Transient`: that cannot be known now."""


class Callout:
    """Answers nats-server from `open` to `close`. `bus` is connected as `auth`."""

    def __init__(self, bus: Bus, keys: CalloutKeys, decide: Decide) -> None:
        self._bus = bus
        self._keys = keys
        self._decide = decide
        self._deciding: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Answer from now on. Raises `Transient`."""
        self._listening = await self._bus.listen(REQUESTS, self._on_request, QUEUE)
        await self._bus.flush()

    async def close(self) -> None:
        """Take no more; those that were asked are answered."""
        await self._listening.drain()
        await asyncio.gather(*self._deciding, return_exceptions=True)

    def _on_request(self, _subject: bytes, reply: bytes, headers: bytes, data: bytes) -> None:
        if len(self._deciding) >= AT_ONCE:
            log.warning("callout_busy", deciding=AT_ONCE)
            return
        task = asyncio.create_task(self._answer(reply, headers, data))
        self._deciding.add(task)
        task.add_done_callback(self._deciding.discard)

    async def _answer(self, reply: bytes, headers: bytes, data: bytes) -> None:
        server = _header(headers)
        try:
            opened, keys = self._keys.open(data, server)
            request = claims.read_request(opened)
        except (SealError, KeyTextError, BadClaimsError) as error:
            log.warning("callout_unreadable", error=str(error))
            return
        answer = await self._decided(request, keys.issuer)
        if answer is not None:
            self._bus.publish_soon(reply, keys.xkey.seal(answer, server))

    async def _decided(self, request: ConnectRequest, issuer: SigningKey) -> bytes | None:
        """Give the answer; None where nothing can be known now.

        Then silence says to the client that it may try again: that it is not let in would say that it should not.
        """
        now = int(time.time())
        try:
            admitted = await self._decide(request)
        except Transient as error:
            log.warning("callout_cannot_know", address=request.client_info.host, error=str(error))
            return None
        except LlumError as error:
            client = request.client_info
            log.info("connection_refused", address=client.host, kind=client.type, code=error.code, why=str(error))
            return claims.denied(issuer, request, str(error), now)
        token = claims.user_token(issuer, request, admitted.name, admitted.allowed, now, int(admitted.expires))
        return claims.granted(issuer, request, token, now)


def _header(headers: bytes) -> str:
    from bus.inbox import header

    return header(headers, SERVER_KEY_HEADER) or ""

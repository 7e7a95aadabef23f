"""Answers: one wildcard subscription, and a table of who waits for which."""

import asyncio
import re
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from bus.wire import Listening, OnMessage
from schemas.errors import Code, Transient

MAX_WAITING: Final = 65_536
"""Answers waited for at once by one process. More would only wait longer: the caller is told to come back."""

_ASKER = re.compile(rb"(?:_INBOX|_R_)[A-Za-z0-9_.-]{1,200}")
"""`_R_` is what nats-server writes instead of the inbox of an asker from another account."""

OnAnswer = Callable[[bytes, bytes], None]
"""Called as `on_answer(headers, data)` for each answer to a token."""


class RawAnswer(NamedTuple):
    """What came to an inbox, as it lay on the wire."""

    headers: bytes
    data: bytes

    @property
    def no_responders(self) -> bool:
        return is_no_responders(self.headers)


def is_no_responders(headers: bytes) -> bool:
    """Tell nats-server's own answer "nobody listens there" from an answer."""
    return headers.startswith(b"NATS/1.0 503")


class Connection(Protocol):
    """What an inbox needs of a connection."""

    def new_inbox(self) -> str: ...

    async def listen(self, subject: str, handler: OnMessage, queue: str = "") -> Listening: ...

    async def publish(
        self, subject: str, data: bytes, reply: str = "", headers: dict[str, str] | None = None
    ) -> None: ...


class Inbox:
    """The subjects `<prefix>.<token>`. Tokens count up, so that none is ever used twice."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._prefix = ""
        self._prefix_size = 0
        self._count = 0
        self._waiting: dict[bytes, OnAnswer] = {}
        self._listening: Listening | None = None

    async def open(self) -> None:
        """Subscribe. Raises `Transient` when there is no connection."""
        self._prefix = self._connection.new_inbox() + "."
        self._prefix_size = len(self._prefix)
        self._listening = await self._connection.listen(self._prefix + "*", self._receive)

    async def close(self) -> None:
        if self._listening:
            await self._listening.stop()
        self._waiting.clear()

    def expect(self, on_answer: OnAnswer) -> bytes:
        """Give a new token whose answers go to `on_answer` until `dismiss`. Raises `Transient` when too many wait."""
        if len(self._waiting) >= MAX_WAITING:
            raise Transient(Code.UNAVAILABLE, f"{MAX_WAITING} messages wait for their answers already")
        self._count += 1
        token = b"%x" % self._count
        self._waiting[token] = on_answer
        return token

    def dismiss(self, token: bytes) -> None:
        """Expect no answer to a token any more. Does nothing for one that is not known."""
        self._waiting.pop(token, None)

    def subject(self, token: bytes) -> str:
        """Name the reply subject of a token."""
        return self._prefix + token.decode()

    async def request(
        self,
        subject: str,
        data: bytes,
        timeout_s: float,
        headers: dict[str, str] | None = None,
        again_s: float | None = None,
    ) -> RawAnswer:
        """Publish, and wait for one answer. Raises `Transient` when none comes in time.

        `again_s`: publish again after so many seconds without one, for whoever has got it may have died, and then after
        twice as many each time. None: once.
        """
        future: asyncio.Future[RawAnswer] = asyncio.get_running_loop().create_future()
        token = self.expect(lambda *answer: None if future.done() else future.set_result(RawAnswer(*answer)))
        try:
            await self._connection.publish(subject, data, self.subject(token), headers)
            async with asyncio.timeout(timeout_s):
                while again_s is not None and not future.done():
                    await asyncio.wait({future}, timeout=again_s)
                    again_s *= 2
                    if not future.done():
                        await self._connection.publish(subject, data, self.subject(token), headers)
                return await future
        except TimeoutError as error:
            raise Transient(Code.UNAVAILABLE, f"no answer from the bus within {timeout_s:g} s") from error
        finally:
            self.dismiss(token)

    def _receive(self, subject: bytes, _reply: bytes, headers: bytes, data: bytes) -> None:
        on_answer = self._waiting.get(subject[self._prefix_size :])
        if on_answer is not None:
            on_answer(headers, data)


def header(headers: bytes, name: bytes) -> str | None:
    """Read one header of a message; None if it is not there."""
    at = headers.find(b"\r\n" + name + b":")
    if at < 0:
        return None
    start = at + len(name) + 3
    return headers[start : headers.find(b"\r\n", start)].strip().decode("utf-8", "replace")


def is_asker(subject: bytes) -> bool:
    """Tell whether the reply to an ask may be sent there; the asker chooses it, so the same holds as for outcomes."""
    return _ASKER.fullmatch(subject) is not None

"""The asks of one partition: from the bus to its answers, and the replies back."""

import asyncio
import time
from collections import Counter
from functools import partial
from typing import Protocol

from actors.absences import Doubt
from actors.answers import Later
from actors.incoming import address_of
from bus import lines
from bus.connection import Bus
from bus.inbox import is_asker
from bus.lines import LoggedAsk
from bus.retrying import Sleep, retrying
from bus.subjects import ASK_QUEUE, Address, query_subject_of
from bus.wire import Listening
from schemas.codec import encode
from schemas.errors import Code, Error, LlumError, Refusal
from schemas.limits import MAX_PAYLOAD_BYTES
from schemas.replies import AskReply, Failed, Reply

MAX_SLOW_ASKS = 1024
"""Asks of a worker that wait for the disk at the same time; further ones are told to come again."""

MAX_SLOW_OF_ONE = 256
"""Those of one app about one person: whoever asks for what never comes leaves places for others."""

_BUSY = Error(Code.UNAVAILABLE, "too many asks wait for the disk")
_BUSY_WITH_ONE = Error(
    Code.UNAVAILABLE, f"{MAX_SLOW_OF_ONE} asks of this app wait already", hint="ask again when some are answered"
)
_TOO_LARGE = Error(Code.TOO_LARGE, "the reply would be larger than the bus takes", hint="ask for fewer components")

SlowAsks = set[asyncio.Task[None]]
"""Those of all partitions of a worker: what they may hold up is bounded together."""


class QueryAnswers(Protocol):
    """Answers the queries of one partition."""

    def answer(self, address: Address, data: bytes) -> Reply | Later:
        """Answer at once, or say how to answer later. Never raises: what is wrong becomes a `Failed`."""


class Asks:
    """Answers asks from `open` to `stop`: at once or, when they must wait, side by side."""

    def __init__(
        self, bus: Bus, number: int, answers: QueryAnswers, slow: SlowAsks, doubt: Doubt | None = None
    ) -> None:
        """`doubt`: whether what is held may lack an erasure; None: nothing is held."""
        self._bus = bus
        self._doubt = doubt
        self._number = number
        self._answers = answers
        self._all_slow = slow
        self._slow: SlowAsks = set()
        self._slow_of: Counter[tuple[str, str]] = Counter()
        """How many of them there are, by person and app."""
        self._answering: set[tuple[bytes, bytes, bytes]] = set()
        """The asks that are being answered, each by where its reply goes, its subject and its query."""
        self._listening: Listening | None = None

    async def open(self, sleep: Sleep) -> None:
        """Take asks. Returns when the server knows. Raises what `sleep` raises."""
        await retrying(self._listen, "asks_wait", sleep=sleep, partition=self._number)

    async def stop(self) -> None:
        """Take no more asks."""
        if self._listening:
            await self._listening.drain()

    async def finish(self) -> None:
        """Wait until those that are there have been answered."""
        await asyncio.gather(*self._slow)

    async def _listen(self) -> None:
        if self._listening is None:
            self._listening = await self._bus.listen(query_subject_of(self._number), self._on_message, ASK_QUEUE)
        await self._bus.flush()

    def _on_message(self, subject: bytes, reply_to: bytes, _headers: bytes, data: bytes) -> None:
        # An asker who has to wait sends again, for the first may have been lost. It has not: it is answered once.
        answering = self._answering
        if is_asker(reply_to) and not (answering and (reply_to, subject, data) in answering):
            self._on_ask(subject, reply_to, data)

    def _on_ask(self, subject: bytes, reply_to: bytes, data: bytes) -> None:
        started = time.perf_counter()
        try:
            address = address_of(subject.decode("utf-8", "replace"))
        except Refusal as refusal:
            self._bus.publish_soon(reply_to, encode(Failed(error=refusal.error)))
            return
        answer: Reply | Later
        if self._doubt is not None and self._doubt.is_there(started):
            answer = partial(self._answer_without_doubt, self._doubt, address, data)
        else:
            answer = self._answers.answer(address, data)
        if not isinstance(answer, partial):
            self._reply(reply_to, address, answer, started)
        elif len(self._all_slow) >= MAX_SLOW_ASKS:
            self._reply(reply_to, address, Failed(error=_BUSY), started)
        elif self._slow_of[address.user, address.app] >= MAX_SLOW_OF_ONE:
            self._reply(reply_to, address, Failed(error=_BUSY_WITH_ONE), started)
        else:
            ask = (reply_to, subject, data)
            task = asyncio.create_task(self._answer_slowly(reply_to, address, answer, started))
            self._keep(task, ask, (address.user, address.app))

    def _keep(self, task: "asyncio.Task[None]", ask: tuple[bytes, bytes, bytes], asker: tuple[str, str]) -> None:
        def done(task: "asyncio.Task[None]") -> None:
            self._answering.discard(ask)
            for tasks in (self._slow, self._all_slow):
                tasks.discard(task)
            self._slow_of[asker] -= 1
            if not self._slow_of[asker]:
                del self._slow_of[asker]

        self._answering.add(ask)
        for tasks in (self._slow, self._all_slow):
            tasks.add(task)
        self._slow_of[asker] += 1
        task.add_done_callback(done)

    async def _answer_without_doubt(self, doubt: Doubt, address: Address, data: bytes) -> Reply:
        try:
            await doubt.end()
        except LlumError as error:
            return Failed(error=error.error)
        answer = self._answers.answer(address, data)
        return await answer() if isinstance(answer, partial) else answer

    async def _answer_slowly(self, reply_to: bytes, address: Address, answer: Later, started: float) -> None:
        self._reply(reply_to, address, await answer(), started)

    def _reply(self, reply_to: bytes, address: Address, reply: Reply, started: float) -> None:
        data = encode(reply)
        if len(data) > MAX_PAYLOAD_BYTES:
            reply = Failed(error=_TOO_LARGE)
            data = encode(reply)
        self._bus.publish_soon(reply_to, data)
        _log_ask(address, reply, time.perf_counter() - started)


def _log_ask(address: Address, reply: Reply, duration_s: float) -> None:
    lines.write(
        LoggedAsk(
            user=address.user,
            app=address.app,
            verb=address.verb,
            code=reply.error.code.value if type(reply) is Failed else "answered",
            components=len(reply.components) if type(reply) is AskReply else 0,
            seq=0 if type(reply) is Failed else getattr(reply, "seq", 0),
            # Microseconds as a fraction; `round` to so many digits takes ten times as long.
            duration_ms=int(duration_s * 1e6) / 1000,
        )
    )

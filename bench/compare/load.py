"""A fixed number of operations, the same requests for every checkout, with a fixed number under way."""

import asyncio
import contextlib
import itertools
import math
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import nats

from bench import bus_load, http_load, over_http, people
from bench.failures import BenchError
from bench.sizes import IN_FLIGHT
from bench.stage import REPLY_PREFIX
from bus.subjects import REPLY_TO_HEADER, ask_subject, command_subject
from schemas.codec import encode

COMPONENT = "firstname"
TOLD = "lastname"
"""Components of every new person's model, of the context that the measurements speak about."""

ACCEPTED_PREFIX = b'{"outcome":"accepted"'

Load = Callable[[int], Awaitable[None]]
"""Does so many operations, and returns when all are answered."""


class BusLoad:
    """Tells and asks over one connection of a bare nats-py client."""

    def __init__(self, connection: Any, users: Sequence[str]) -> None:
        self._connection = connection
        self._asks = [ask_subject(user, people.APP, "ask") for user in users]
        self._tells = [command_subject(user, people.APP, "tell") for user in users]
        self._ask = encode(people.ask(COMPONENT))
        self._inbox = connection.new_inbox()
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._ids = map("{}-{}".format, itertools.repeat(uuid.uuid4().hex), itertools.count())

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, nats_url: str, users: Sequence[str]) -> AsyncIterator["BusLoad"]:
        connection = await nats.connect(nats_url)
        try:
            load = cls(connection, users)
            await connection.subscribe(f"{load._inbox}.*", cb=load._on_outcome)
            yield load
        finally:
            await connection.close()

    async def asks(self, count: int) -> None:
        """Ask for one value, of each person in turn."""
        target = bus_load.Aim(self._asks, self._ask, REPLY_PREFIX)
        await _in_lanes(count, lambda number: bus_load.request(self._connection, target, number))

    async def tells(self, count: int) -> None:
        """Tell one piece of evidence, about each person in turn; each has its outcome."""
        await _in_lanes(count, self._tell)

    async def last_told(self) -> bytes:
        """Give the answers about each person's component that the log was filled for."""
        target = bus_load.Aim(self._asks, self._ask, REPLY_PREFIX)
        return b"".join([await bus_load.request(self._connection, target, n) for n in range(len(self._asks))])

    async def _tell(self, number: int) -> None:
        command = people.tell(number, TOLD, next(self._ids))
        reply_to = f"{self._inbox}.{command.id}"
        outcome = self._waiting[reply_to] = asyncio.get_running_loop().create_future()
        subject = self._tells[number % len(self._tells)]
        await self._connection.publish(subject, encode(command), headers={REPLY_TO_HEADER: reply_to})
        data = await asyncio.wait_for(outcome, bus_load.ANSWER_WITHIN_S)
        if not data.startswith(ACCEPTED_PREFIX):
            raise BenchError(f"{subject} answered {data[:200]!r}")

    async def _on_outcome(self, message: Any) -> None:
        self._waiting.pop(message.subject).set_result(message.data)


class HttpLoad:
    """Tells and asks over kept-alive connections, each with one request under way."""

    def __init__(self, url: str, tokens: Sequence[str]) -> None:
        self._url = url
        self._tokens = [token for token, _ in zip(itertools.cycle(tokens), range(IN_FLIGHT), strict=False)]

    async def asks(self, count: int) -> None:
        """Ask for one value, of each person in turn."""
        await self._post("/ask", {**over_http.ASK, "view": [COMPONENT]}, count)

    async def tells(self, count: int) -> None:
        """Tell one piece of evidence, about each person in turn; each is answered when it is applied."""
        await self._post("/tell", {**over_http.TELL, "componentid": TOLD}, count)

    async def _post(self, path: str, body: Mapping[str, object], count: int) -> None:
        packed = msgspec.json.encode(body)
        requests = [http_load.post(self._url, path, packed, token) for token in self._tokens]
        async with http_load.lanes(self._url, requests, over_http.EXPECTED) as lanes:
            await asyncio.gather(*(lane.run(math.inf, at_most=count // len(lanes)) for lane in lanes))


async def _in_lanes(count: int, once: Callable[[int], Awaitable[object]]) -> None:
    numbers: Iterator[int] = iter(range(count))

    async def lane() -> None:
        for number in numbers:
            await once(number)

    await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))

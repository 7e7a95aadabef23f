"""A running llum with people in it, and what it is compared with on the same nats-server."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import nats

from bench import bus_load, people
from bench.bus_load import Aim
from bench.processes import llum_up, program
from bench.sizes import IN_FLIGHT, Sizes
from bus.subjects import ask_subject
from identity.registrations import access
from identity.tokens import Tokens
from llum.client import Client
from llum.processes.running import Running
from schemas.codec import encode

REPLY_PREFIX = b'{"reply":"ask"'
TOKEN_LIFETIME_S = 3600.0


class Stage:
    """`llum up` as a user starts it, and a bare nats-py client of its nats-server."""

    def __init__(self, data_dir: Path, sizes: Sizes, exits: contextlib.AsyncExitStack) -> None:
        self.sizes = sizes
        self._data_dir = data_dir
        self._exits = exits
        self._life = contextlib.AsyncExitStack()
        self._plain_url: str | None = None
        self.running: Running
        self.connection: Any = None
        self._next_cold = IN_FLIGHT

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, data_dir: Path, sizes: Sizes, exits: contextlib.AsyncExitStack) -> AsyncIterator["Stage"]:
        """Run it as long as the block lasts."""
        stage = cls(data_dir, sizes, exits)
        try:
            # Once to catch up, and again: then no model is active, and shards and log are as after a night.
            async with llum_up(data_dir):
                pass
            await stage._start()
            yield stage
        finally:
            await stage._life.aclose()

    def asks(self, users: Sequence[str], name: str = people.component(0)) -> Aim:
        """Aim at a component of each of these people."""
        subjects = [ask_subject(user, people.APP, "ask") for user in users]
        return Aim(subjects, encode(people.ask(name)), REPLY_PREFIX)

    def busy_people(self) -> list[str]:
        """Give those who are asked about all the time: one for each request in flight."""
        return [people.person(number) for number in range(IN_FLIGHT)]

    def cold_people(self, count: int) -> list[str]:
        """Give people that nobody has asked about since the start. None are given twice."""
        first, self._next_cold = self._next_cold, min(self._next_cold + count, self.sizes.people)
        return [people.person(number) for number in range(first, self._next_cold)]

    async def echo(self, name: str, answer: bytes, payload: bytes) -> Aim:
        """Have a process of its own answer `bench.echo.<name>` with these bytes, and aim at it."""
        file = self._data_dir / f"{name}.answer"
        file.write_bytes(answer)
        subject = f"bench.echo.{name}"
        await self._exits.enter_async_context(program("echo", self.running.nats, f"{subject}={file}"))
        return Aim([subject], payload, answer[: len(REPLY_PREFIX)])

    async def plain_http(self) -> str:
        """Give the address of the bare aiohttp handler, in a process of its own."""
        if self._plain_url is None:
            line = await self._exits.enter_async_context(program("plain_http", self.running.nats))
            self._plain_url = msgspec.json.decode(line, type=dict[str, str])["url"]
        return self._plain_url

    async def tokens(self) -> list[str]:
        """Issue a token for each of the busy people."""
        async with Client.connect(self.running.nats) as client:
            return [await _token(client, user) for user in self.busy_people()]

    async def answer_to(self, target: Aim) -> bytes:
        return await bus_load.request(self.connection, target)

    async def _start(self) -> None:
        self.running, _ = await self._life.enter_async_context(llum_up(self._data_dir))
        self.connection = await nats.connect(self.running.nats)
        self._life.push_async_callback(self.connection.close)


async def _token(client: Client, user: str) -> str:
    registration = (await access(client.requests, user, people.APP)).registration
    return await Tokens(client.bus).issue(user, people.APP, registration, TOKEN_LIFETIME_S)

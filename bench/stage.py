"""A running llum with people in it, and what it is compared with on the same nats-server."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import nats

from bench import accounting, bus_load, people
from bench.accounting import Spent, named, tree
from bench.bus_load import Aim
from bench.processes import Started, llum_up, program
from bench.sizes import IN_FLIGHT, Sizes
from bus.subjects import ask_subject
from identity.registrations import access
from identity.tokens import Tokens
from llum.client import Client
from llum.running import Running
from schemas.codec import encode

REPLY_PREFIX = b'{"reply":"ask"'
TOKEN_LIFETIME_S = 3600.0

NATS_SERVER: Final = "nats-server"


class Echo(NamedTuple):
    """What answers with the same bytes, and the process that does."""

    aim: Aim
    pid: int


class Stage:
    """`llum up` as a user starts it, and a bare nats-py client of its nats-server."""

    def __init__(self, data_dir: Path, sizes: Sizes, exits: contextlib.AsyncExitStack) -> None:
        self.sizes = sizes
        self._data_dir = data_dir
        self._exits = exits
        self._life = contextlib.AsyncExitStack()
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

    def spent(self) -> Spent:
        """Give what llum has cost so far, by process."""
        return accounting.spent(tree(self.running.pid))

    def spent_beside(self, *pids: int) -> Spent:
        """Give what these processes and the nats-server have cost."""
        return accounting.spent([*named(tree(self.running.pid), NATS_SERVER), *pids])

    async def echo(self, name: str, answer: bytes, payload: bytes) -> Echo:
        """Have a process of its own answer `bench.echo.<name>` with these bytes, and aim at it."""
        file = self._data_dir / f"{name}.answer"
        file.write_bytes(answer)
        subject = f"bench.echo.{name}"
        echo = await self.program("echo", f"{subject}={file}")
        return Echo(Aim([subject], payload, answer[: len(REPLY_PREFIX)]), echo.pid)

    async def program(self, name: str, *arguments: str) -> Started:
        """Run one of `bench.programs` on the same nats-server, until the end."""
        started = program(f"programs.{name}", self.running.nats, *arguments)
        return await self._exits.enter_async_context(started)

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

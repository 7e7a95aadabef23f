"""A worker, and callouts beside it, on a private nats-server: what an app meets that comes with a token."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from bus.connection import Bus
from bus.credentials import FILE
from bus.embedded import EmbeddedServer
from bus.requests import Requests
from bus.showing import Token
from identity.authenticator import Authenticator
from identity.callout.connections import Connections
from identity.callout.running import running_callout
from llum.client import Client
from tests.actors.serving import Llum, speaking, worker
from tests.waiting import until

PATIENCE_S = 60.0
"""What is away for so long does not come back in a test either."""


class Ground:
    """Gives apps their tokens and connections."""

    def __init__(self, server: EmbeddedServer, llum: Llum, data_dir: Path, exits: AsyncExitStack) -> None:
        self.server = server
        self.llum = llum
        self.data_dir = data_dir
        self.authenticator: Authenticator
        self.connections: Connections
        self.first: AsyncExitStack
        """Close it to end the callout that was there from the start."""
        self._worker = AsyncExitStack()
        self._exits = exits

    @property
    def url(self) -> str:
        """Where nats-server answers, without a login."""
        return "nats://" + self.llum.bus.url.rpartition("@")[2]

    async def start_worker(self) -> None:
        await self._worker.enter_async_context(worker(self.llum.bus.url, self.data_dir / "shards"))

    async def stop_worker(self) -> None:
        await self._worker.aclose()

    async def callout(self) -> AsyncExitStack:
        """Run a callout, as an edge does; close what is given to end it."""
        stack = await self._exits.enter_async_context(AsyncExitStack())
        bus = await Bus.connect(self.llum.bus.url, name="edge")
        stack.push_async_callback(bus.close)
        requests = Requests(bus)
        await requests.start()
        stack.push_async_callback(requests.close)
        self.authenticator = Authenticator(bus, requests)
        watching = asyncio.create_task(self.authenticator.run())
        stack.callback(watching.cancel)
        self.connections = await stack.enter_async_context(
            running_callout(self.llum.bus.url, bus, requests, self.authenticator, self.data_dir / FILE)
        )
        await until(lambda: self.authenticator.registrations.is_watching, "the callout hears of what changes")
        return stack

    async def token(self, user: str, app: str, lifetime_s: float = 3600.0, **rights: bool) -> str:
        """Register an app with these rights, and give it a token."""
        await self.llum.grant(user, app, **rights)
        return await self.another_token(user, app, lifetime_s)

    async def another_token(self, user: str, app: str, lifetime_s: float = 3600.0) -> str:
        from identity.registrations import access

        reply = await access(self.llum.requests, user, app)
        return await self.authenticator.tokens.issue(user, app, reply.registration, lifetime_s)

    async def connect(self, token: str, **options: Any) -> Bus:
        """Connect as whoever has a token does."""
        bus = await Bus.connect(self.url, name="app", token=token, **options)
        self._exits.push_async_callback(bus.close)
        return bus

    async def client(self, app: str, token: Token, **options: Any) -> Client:
        """Give the SDK's client, as an app gets it, but with patience: the machine may be busy."""
        options = {"patience_s": PATIENCE_S} | options
        return await self._exits.enter_async_context(Client.connect(self.url, app=app, token=token, **options))

    async def requests(self, token: str) -> Requests:
        """Give what speaks to llum over such a connection."""
        requests = Requests(await self.connect(token))
        await requests.start()
        self._exits.push_async_callback(requests.close)
        return requests


@asynccontextmanager
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    """Alice and Bob, each with a component `c/x`, and a callout."""
    async with speaking(tmp_path) as (server, llum), AsyncExitStack() as exits:
        made = Ground(server, llum, tmp_path, exits)
        exits.push_async_callback(made.stop_worker)
        await made.start_worker()
        made.first = await made.callout()
        for user in ("alice", "bob"):
            await llum.make_person(user, "x")
        yield made

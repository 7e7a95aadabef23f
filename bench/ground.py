"""What the benchmarks of one run share: a temporary folder, the sizes, and servers made when they are first needed."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar, cast

from bench import people
from bench.figures import Result
from bench.sizes import Sizes
from bench.stage import Stage
from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.installation import install

PARTITIONS = people.PARTITIONS

Opened = TypeVar("Opened")


class BenchGround:
    """Made anew for each run; what it has opened is closed with `exits`."""

    def __init__(self, folder: Path, sizes: Sizes, exits: contextlib.AsyncExitStack) -> None:
        self.folder = folder
        self.sizes = sizes
        self._exits = exits
        self._stage: Stage | None = None
        self._shared: dict[str, Any] = {}

    async def stage(self) -> Stage:
        """Give the running llum with people in it; the first call makes it."""
        if self._stage is None:
            data_dir = self.new_folder("stage")
            await self._fill(data_dir)
            self._stage = await self._exits.enter_async_context(Stage.opened(data_dir, self.sizes, self._exits))
        return self._stage

    async def shared(self, name: str, opening: Callable[[], AbstractAsyncContextManager[Opened]]) -> Opened:
        """Give what several benchmarks share: opened at the first call, closed at the end of the run."""
        if name not in self._shared:
            self._shared[name] = await self._exits.enter_async_context(opening())
        return cast(Opened, self._shared[name])

    def new_folder(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir()
        return path

    async def _fill(self, data_dir: Path) -> None:
        sizes, users = self.sizes, [people.person(number) for number in range(self.sizes.people)]
        async with log_being_filled(data_dir) as url:
            await people.store(url, people.models(users, (people.FEW, people.MANY, people.LARGE)))
            await people.store(url, people.tells_in_turn(users, people.COMPONENTS * len(users)))
            teller = users[:1]
            amounts = ((people.FEW, sizes.little_evidence), (people.MANY, sizes.much_evidence))
            for name, count in (*amounts, (people.LARGE, sizes.large_evidence)):
                await people.store(url, ((user, people.tell_again(name, n)) for n in range(count) for user in teller))


Benchmark = Callable[[BenchGround], Awaitable[Result]]
"""Measures one figure. Raises `NotMeasurableError` where something that it needs is not there."""


@contextlib.asynccontextmanager
async def log_server(data_dir: Path, sync_interval: str = "always") -> AsyncIterator[EmbeddedServer]:
    """Run a nats-server with llum's streams."""
    server = EmbeddedServer(data_dir, partitions=PARTITIONS, sync_interval=sync_interval)
    await server.start()
    try:
        await server.wait_ready()
        bus = await Bus.connect(server.url_as("operator"), name="bench")
        await install(bus, PARTITIONS)
        await bus.close()
        yield server
    finally:
        await server.stop()


@contextlib.asynccontextmanager
async def log_being_filled(data_dir: Path) -> AsyncIterator[str]:
    """Run a nats-server only to put commands into its log, which nobody measures: without a sync for each."""
    async with log_server(data_dir, "10s") as server:
        yield server.url_as("operator")

"""A private server per test, and connections that are closed whatever happens."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.installation import install
from bus.requests import Requests
from tests.nats_server import running_server

PARTITIONS = 64

Connect = Callable[[], Awaitable[Bus]]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    async with running_server(tmp_path / "data", PARTITIONS) as running:
        yield running


@pytest.fixture
async def connect(server: EmbeddedServer) -> AsyncIterator[Connect]:
    made: list[Bus] = []

    async def connect() -> Bus:
        made.append(await Bus.connect(server.url_as("operator"), name="test"))
        return made[-1]

    yield connect
    for bus in made:
        await bus.close()


@pytest.fixture
async def bus(connect: Connect) -> Bus:
    """A connection to a server on which llum is installed."""
    connected = await connect()
    await install(connected, PARTITIONS, log_streams=1)
    return connected


@pytest.fixture
async def requests(bus: Bus) -> AsyncIterator[Requests]:
    """What asks over that connection."""
    made = Requests(bus)
    await made.start()
    yield made
    await made.close()

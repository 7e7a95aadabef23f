"""Private nats-servers for tests: each with its own data and port, gone when the test ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.installation import install


@asynccontextmanager
async def running_server(
    data_dir: Path, partitions: int = 64, server: EmbeddedServer | None = None
) -> AsyncIterator[EmbeddedServer]:
    """Run a server on any free port; `.url` says where. `server`: one that was made with other settings."""
    server = server or EmbeddedServer(data_dir, 0, partitions, sync_interval="10s")
    await server.start()
    try:
        await server.wait_ready()
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def installed_server(
    data_dir: Path, partitions: int = 64, log_streams: int = 8, server: EmbeddedServer | None = None
) -> AsyncIterator[EmbeddedServer]:
    """Run a server on which llum is installed, as `llum admin install` does it."""
    async with running_server(data_dir, partitions, server) as running:
        bus = await Bus.connect(running.url_as("operator"), name="installation")
        await install(bus, partitions, log_streams)
        await bus.close()
        yield running


async def kill_and_restart(server: EmbeddedServer) -> None:
    """End the server with kill -9 and start it again on the same port and data."""
    server.kill()
    await server.wait()
    await server.start()
    await server.wait_ready()

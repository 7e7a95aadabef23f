"""Streams that `llum up` asks a new nats-server for before anything else can."""

import asyncio
from pathlib import Path

import pytest

from bus.connection import Bus
from bus.early_streams import make_early
from bus.embedded import EmbeddedServer
from bus.installation import changed_streams, install
from bus.jetstream import JetStream
from bus.subjects import DEFAULT_PARTITIONS, log_stream
from tests.nats_server import running_server


async def _streams(server: EmbeddedServer) -> set[str]:
    bus = await Bus.connect(server.url_as("worker"), name="test")
    try:
        return set(await JetStream(bus).streams(">"))
    finally:
        await bus.close()


async def test_what_is_made_early_is_what_an_installation_wants(server: EmbeddedServer) -> None:
    """So that only the log is left to be made, which has as many streams as there are partitions."""
    await server.make_early()
    early = await _streams(server)
    bus = await Bus.connect(server.url_as("worker"), name="test")
    installed = await install(bus, DEFAULT_PARTITIONS, log_streams=2)
    changed = await changed_streams(bus, installed.installation)
    await bus.close()
    assert (set(installed.streams), changed) == ({log_stream(0), log_stream(1)}, [])
    assert len(early) > 20


async def test_an_installation_that_comes_at_the_same_time_is_whole(server: EmbeddedServer) -> None:
    """Whoever is first makes a stream, and the other finds it."""
    bus = await Bus.connect(server.url_as("worker"), name="test")
    installed, _ = await asyncio.gather(install(bus, DEFAULT_PARTITIONS, log_streams=2), server.make_early())
    assert await changed_streams(bus, installed.installation) == []
    await bus.close()


async def test_a_server_that_was_there_before_is_left_alone(tmp_path: Path) -> None:
    """It may hold an installation of other streams, or an operator has taken one away."""
    async with running_server(tmp_path) as server:
        await server.make_early()
        bus = await Bus.connect(server.url_as("worker"), name="test")
        await JetStream(bus).call("STREAM.DELETE.LLUM_EFFECTS")
        await bus.close()
        await server.stop()
        await server.start()
        await server.wait_ready()
        await server.make_early()
        assert "LLUM_EFFECTS" not in await _streams(server)


async def test_who_may_not_make_streams_is_told_so(server: EmbeddedServer) -> None:
    """It is not waited for answers that cannot come."""
    with pytest.raises(EOFError, match="Authorization"):
        await make_early(server.url)
    assert await _streams(server) == set()

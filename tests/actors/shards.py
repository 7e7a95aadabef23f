"""A shard that is open, for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from actors.store.shard import Shard


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Shard]:
    """Open a shard. It is closed whatever happens: its thread would keep the tests from ending."""
    shard = await Shard.open(path)
    try:
        yield shard
    finally:
        await shard.close()

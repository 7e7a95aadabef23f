"""The secrets of an installation."""

import asyncio
from pathlib import Path

from bus.connection import Bus
from bus.secret import DIGEST_KEY, secret
from tests.nats_server import installed_server


async def test_a_secret_is_made_once_and_is_nobody_else_s(tmp_path: Path) -> None:
    """Also when several processes want it at the same time."""
    async with installed_server(tmp_path, 2) as server:
        buses = [await Bus.connect(server.url_as("operator"), name=f"test-{number}") for number in range(3)]
        found = await asyncio.gather(*(secret(bus, "new") for bus in buses))
        assert len(set(found)) == 1
        assert found[0] != await secret(buses[0], DIGEST_KEY)
        for bus in buses:
            await bus.close()

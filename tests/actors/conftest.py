"""What the tests of workers share."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bus.connection import Bus
from bus.requests import Requests
from tests.actors.hosting import Host
from tests.actors.serving import PARTITIONS, Llum
from tests.nats_server import installed_server


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    async with AsyncExitStack() as exits:
        server = await exits.enter_async_context(installed_server(tmp_path, PARTITIONS))
        bus = await Bus.connect(server.url, name="test")
        exits.push_async_callback(bus.close)
        requests = Requests(bus)
        await requests.start()
        exits.push_async_callback(requests.close)
        yield Host(server, Llum(bus, requests, tmp_path), tmp_path, exits)

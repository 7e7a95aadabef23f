"""What the tests of workers share."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.actors.hosting import Host
from tests.actors.serving import speaking


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    async with AsyncExitStack() as exits:
        server, llum = await exits.enter_async_context(speaking(tmp_path))
        yield Host(server, llum, tmp_path, exits)

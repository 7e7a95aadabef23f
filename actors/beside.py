"""Work of a partition that may wait for those that are just opened and caught up with, as people wait for these.

The loading of the filter of repeats is such work (`actors/store/repeats_loading.py`). It is done by one partition at a
time. So that a partition which does not get on keeps nobody from it for ever, it waits for a few seconds at most.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

WAITS_S: Final = 5.0
"""Seconds that such work waits at most for partitions that are not served yet. Then the others take their turn."""


class Beside:
    """What a worker does beside serving its partitions."""

    def __init__(self, waits_s: float = WAITS_S) -> None:
        self._waits_s = waits_s
        self._starting = 0
        self._all_served = asyncio.Event()
        self._all_served.set()
        self._turns = asyncio.Lock()

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Say that a partition is about to be served, as long as the block lasts."""
        self._starting += 1
        self._all_served.clear()
        try:
            yield
        finally:
            self._starting -= 1
            if not self._starting:
                self._all_served.set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until such work may be done, and do it as long as the block lasts."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._waits_s):
                await self._all_served.wait()
        async with self._turns:
            yield

"""Joining the log again whenever the connection has been lost: another log may have been put in its place meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from bus.connection import Bus
from bus.retrying import Interrupted, Sleep, retrying


@asynccontextmanager
async def rejoining(
    bus: Bus, number: int, stop_reading: Callable[[], None], join: Callable[[], Awaitable[None]], sleep: Sleep
) -> AsyncIterator[None]:
    """Stop reading a partition when the connection is lost, and join when it is back, as long as the block lasts.

    `stop_reading` is called at once, and once more before each attempt to join.
    """
    lost = asyncio.Event()

    def on_disconnect() -> None:
        stop_reading()
        lost.set()

    async def join_whenever() -> None:
        with suppress(Interrupted):
            while True:
                await lost.wait()
                lost.clear()
                stop_reading()
                await retrying(join, "log_waits", on=(Exception,), sleep=sleep, partition=number)

    task = asyncio.create_task(join_whenever())
    bus.on_disconnect.append(on_disconnect)
    try:
        yield
    finally:
        bus.on_disconnect.remove(on_disconnect)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

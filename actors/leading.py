"""What the primary of a partition alone does: tasks that run for as long as this worker is it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

Doing = Callable[[], Coroutine[Any, Any, None]]
"""Begins something that the primary does."""


class Leading:
    """Does all of these as the primary, and none of them otherwise. `ended` is what it does when it is it no longer."""

    def __init__(self, *doing: Doing, ended: Doing | None = None) -> None:
        self._doing = doing
        self._ended = ended
        self._tasks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def going_on(self, primary: bool) -> AsyncIterator[None]:
        """Do it as the primary, as long as the block lasts."""
        await self.become(primary)
        try:
            yield
        finally:
            await self.become(False)

    async def become(self, primary: bool) -> None:
        """Do it from now on, or no longer. Returns when nothing is under way that should not be."""
        if primary and not self._tasks:
            self._tasks = [asyncio.create_task(doing()) for doing in self._doing]
        elif not primary and self._tasks:
            tasks, self._tasks = self._tasks, []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._ended is not None:
                await self._ended()

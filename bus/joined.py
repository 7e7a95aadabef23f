"""Reads that many want at the same time: whoever comes while one is about to be made shares it.

A read that is under way may have begun too early for whoever comes now: so they share the next one, which begins when
it has ended. So none gives less than what there was when it was asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, TypeVar, cast

Result = TypeVar("Result")

WAITS_S: Final = 0.05
"""Seconds that a read waits at most for the one before: that one may wait for a server that is lost."""


class JoinedReads:
    """The reads of one connection that are shared, each under a key."""

    def __init__(self) -> None:
        self._next: dict[Hashable, asyncio.Task[Any]] = {}
        self._running: dict[Hashable, asyncio.Task[Any]] = {}

    async def read(self, key: Hashable, read: Callable[[], Awaitable[Result]]) -> Result:
        """Give what `read` gives, called after this. Raises what it raises."""
        task = self._next.get(key)
        if task is None:
            task = self._next[key] = asyncio.create_task(self._made(key, read))
        # Whoever gives up must not take the read from the others.
        return cast(Result, await asyncio.shield(task))

    async def _made(self, key: Hashable, read: Callable[[], Awaitable[Result]]) -> Result:
        before, own = self._running.get(key), self._next[key]
        if before is not None:
            await asyncio.wait([before], timeout=WAITS_S)
        del self._next[key]
        self._running[key] = own
        own.add_done_callback(lambda task: self._ended(key, task))
        return await read()

    def _ended(self, key: Hashable, task: "asyncio.Task[Any]") -> None:
        if self._running.get(key) is task:
            del self._running[key]
        # All who wanted it may have given up.
        if not task.cancelled():
            task.exception()

"""Loading the filter of repeats from a shard, beside all else: until it is complete, each command is looked up."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager

from actors.store import sql
from actors.store.connection import ShardConnection
from actors.store.damage import ShardDamaged
from actors.store.keys import person_mark
from actors.store.repeats import Repeats
from bus.logger import get_logger

log = get_logger(__name__)

WaitForTurn = Callable[[], AbstractAsyncContextManager[None]]
"""Waits until work that nobody waits for may be done, which lasts as long as the block."""


class RepeatsLoading:
    """Loads the filter of one shard."""

    def __init__(self, repeats: Repeats, connection: ShardConnection, turn: WaitForTurn) -> None:
        self._repeats = repeats
        self._connection = connection
        self._turn = turn
        self._task: asyncio.Task[None] | None = None

    def begin_once(self, count: int) -> None:
        """Begin, unless that was done or is not needed. `count`: commands that are stored, at least."""
        if not self._repeats.is_complete and self._task is None:
            self.begin(count)

    def begin(self, count: int) -> None:
        """Begin to load what is stored now."""
        self._task = asyncio.create_task(self._load(count))

    def empty(self) -> None:
        """Drop all keys, and load no more of them until the next `begin`."""
        if self._task is not None:
            self._task.cancel()
        self._repeats.empty()

    async def close(self) -> None:
        """Load no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _load(self, count: int) -> None:
        """Load it. If that fails it stays incomplete."""
        try:
            async with self._turn():
                await self._repeats.load(count, self._hashes())
        except (sqlite3.Error, ShardDamaged) as error:
            log.warning("repeats_not_loaded", error=str(error))

    async def _hashes(self) -> AsyncIterator[list[int]]:
        """Give the hashes of all commands and the marks of all people, in pages."""
        async for page in self._marks():
            yield page
        async for page in self._command_hashes():
            yield page

    async def _marks(self) -> AsyncIterator[list[int]]:
        last = 0
        while page := list(await self._connection.execute_fetchall(sql.USER_NAMES, (last,))):
            yield [person_mark(name).hashed for _, name in page]
            last = page[-1][0]

    async def _command_hashes(self) -> AsyncIterator[list[int]]:
        """Give the hashes of all commands in pages, in their order."""
        last: Iterable[int] = (-1, 0)
        while page := list(await self._connection.execute_fetchall(sql.COMMAND_HASHES, last)):
            yield [hashed for _, hashed in page]
            last = page[-1]

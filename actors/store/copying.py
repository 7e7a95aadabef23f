"""Copies of a shard that is in use: of one moment, of what is committed, beside all else that is done with it.

The copy has a connection and a thread of its own, so that nothing waits for it. But as long as it is made, SQLite keeps
what was in the file at its beginning: so it is broken off when the file must be rewritten without somebody who was
forgotten, and can be made anew after that.
"""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Final

_STEPS: Final = 20_000
"""Steps of SQLite between looks whether to go on, less than a millisecond."""

_COPY: Final = "VACUUM INTO ?"
"""It writes what there is, row by row: what was deleted, or is not committed, is not in it."""


class CopyFailed(Exception):  # noqa: N818 - says what has happened
    """There is no copy. The text says why."""


class Copier:
    """Makes copies of one file, one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._free = asyncio.Lock()
        self._stop = threading.Event()

    async def copy(self, target: Path) -> None:
        """Write a copy into a new file. Raises `CopyFailed`; then the file is of no use."""
        async with self._free:
            self._stop.clear()
            work = asyncio.create_task(asyncio.to_thread(self._copy, target))
            try:
                await asyncio.shield(work)
            except BaseException:
                self._stop.set()
                await asyncio.gather(work, return_exceptions=True)
                raise

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Break off what is being made, and begin nothing as long as the block lasts."""
        self._stop.set()
        async with self._free:
            yield

    def _copy(self, target: Path) -> None:
        try:
            with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, isolation_level=None)) as connection:
                connection.set_progress_handler(self._stop.is_set, _STEPS)
                connection.execute(_COPY, (str(target),))
        except sqlite3.Error as error:
            why = "somebody is being forgotten, or the shard is closed" if self._stop.is_set() else str(error)
            raise CopyFailed(why) from error

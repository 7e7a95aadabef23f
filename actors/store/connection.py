"""The file of a shard: looked at when its partition is restored, opened when something is first wanted of it.

A connection is a thread with a cache of its own, and most partitions of a worker that has just started need none. The
only importer of aiosqlite.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
import msgspec

from actors.store import sql
from schemas.errors import Code, Transient
from schemas.names import UNICODE_VERSION

T = TypeVar("T")

_UNREADABLE = frozenset({"SQLITE_NOTADB", "SQLITE_CORRUPT"})


class ShardError(Transient):
    """A shard's file that cannot be opened now."""

    def __init__(self, path: Path, error: Exception) -> None:
        hint = "see that llum may write there and that the disk has room; a shard may be removed, the log has the data"
        super().__init__(Code.UNAVAILABLE, f"the shard {path} cannot be opened: {error}", hint)


class Look(msgspec.Struct, frozen=True):
    """What is in a file; by default that of a file which is not there."""

    committed_seq: int = 0
    clock_us: int = 0
    last_user_key: int = 0
    command_count: int = 0
    """So many commands were written; some may be forgotten."""
    traces: bool = False
    """Something is still to be removed after a forget."""
    has_outbox: bool = False
    has_rules: bool = False


async def look_at(path: Path) -> Look:
    """See what is in a file. A damaged one, or one of another schema, is removed: the log has the data.

    Raises `ShardError` when it can be neither read nor removed.
    """
    try:
        return await asyncio.to_thread(_look_at, path) if _is_there(path) else Look()
    except (sqlite3.Error, OSError) as error:
        raise ShardError(path, error) from error


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _look_at(path: Path) -> Look:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return _read(connection)
    except _Useless:
        connection.close()
        _remove(path)
        return Look()
    finally:
        connection.close()


class _Useless(Exception):  # noqa: N818 - says what the file is
    """A file that has to be made anew."""


def _read(connection: sqlite3.Connection) -> Look:
    def one(statement: str) -> Any:
        return connection.execute(statement).fetchone()[0]

    try:
        if one(sql.IS_NEW):
            return Look()
        meta = dict(connection.execute(sql.READ_META).fetchall())
        # Another version of Unicode may have read names of the log in another way.
        if meta.get("schema_version") != sql.SCHEMA_VERSION or meta.get("unicode_version") != UNICODE_VERSION:
            raise _Useless
        return Look(
            committed_seq=meta["applied_seq"],
            clock_us=one(sql.LATEST_TIME),
            last_user_key=one(sql.LAST_USER_KEY),
            command_count=meta["commands"],
            traces=bool(meta["traces"]),
            has_outbox=bool(one(sql.HAS_OUTBOX)),
            has_rules=bool(one(sql.HAS_RULES)),
        )
    except sqlite3.DatabaseError as error:
        # A file that lacks a table, say, is of another schema.
        if getattr(error, "sqlite_errorname", "") not in _UNREADABLE:
            raise
        raise _Useless from error


class ShardConnection:
    """Statements run one after the other in a thread of its own, which the first one starts; so does making the file.

    All methods raise `ShardError` when the file cannot be opened, and what SQLite raises. `on_open` is called once.
    """

    def __init__(self, path: Path, on_open: Callable[[], None]) -> None:
        self._path = path
        self._on_open = on_open
        self._opening = asyncio.Lock()
        self._connection: _Connection | None = None

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run several statements in the thread: a hop there costs more than most of them."""
        return await (self._connection or await self._opened()).run(work)

    async def execute(self, statement: str, values: Iterable[Any] = ()) -> aiosqlite.Cursor:
        return await (self._connection or await self._opened()).execute(statement, values)

    async def execute_fetchall(self, statement: str, values: Iterable[Any] = ()) -> Iterable[sqlite3.Row]:
        return await (self._connection or await self._opened()).execute_fetchall(statement, values)

    async def close(self) -> None:
        async with self._opening:
            if self._connection is not None:
                await self._connection.close()

    async def _opened(self) -> "_Connection":
        async with self._opening:
            if self._connection is None:
                try:
                    self._connection = await _open(self._path)
                except (sqlite3.Error, OSError) as error:
                    raise ShardError(self._path, error) from error
                self._on_open()
        return self._connection


class _Connection(aiosqlite.Connection):
    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        result: T = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]
        return result


async def _open(path: Path) -> _Connection:
    connection = _Connection(partial(sqlite3.connect, path, isolation_level=None), iter_chunk_size=64)
    await connection
    try:
        for pragma in sql.PRAGMAS:
            await connection.execute(pragma)
        if next(iter(await connection.execute_fetchall(sql.IS_NEW)))[0]:
            await connection.executescript(sql.SCHEMA)
    except BaseException:
        # Its thread would keep the process from ending.
        await connection.close()
        raise
    return connection


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)

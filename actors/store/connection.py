"""The file of a shard: looked at when its partition is restored, opened when something is first wanted of it.

A connection is a thread with a cache of its own, and most partitions of a worker that has just started need none. The
only importer of aiosqlite.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
import msgspec

from actors.store import sql, sql_times
from actors.store.blank import make_blank
from actors.store.damage import Blame, ShardDamaged, fault_of, said_by_a_full_disk
from actors.store.digests import Landmark
from actors.store.raising import raised
from bus.aside import remove_shard
from bus.logger import get_logger
from schemas.errors import Code, SetupError, Transient
from schemas.names import UNICODE_VERSION

log = get_logger(__name__)

T = TypeVar("T")


class ShardError(Transient):
    """A shard's file that cannot be opened now."""

    def __init__(self, path: Path, error: Exception) -> None:
        hint = "see that llum may write there and that the disk has room; a shard may be removed, the log has the data"
        super().__init__(Code.UNAVAILABLE, f"the shard {path} cannot be opened: {error}", hint)


class ShardTooNewError(SetupError):
    """A shard that a later llum has written."""

    def __init__(self, path: Path, version: int) -> None:
        super().__init__(
            f"the shard {path} has schema {version}, and this llum knows schemas up to {sql.SCHEMA_VERSION}",
            f"start an llum that knows schema {version}; or move the shards of this folder away, and this llum makes "
            "them anew from the log",
        )


class ShardTooOldError(SetupError):
    """A shard that this llum can neither read nor make anew, because the log was cut."""

    def __init__(self, path: Path, version: int) -> None:
        super().__init__(
            f"the shard {path} has schema {version}, which this llum does not read, and the log was cut since",
            "start an earlier llum, which brings it to a later schema; see docs/how-to/cut-the-log.md",
        )


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
    digest_key: int = 0
    """The fingerprint of the key that its digests were made with; 0: it has none."""
    last: Landmark | None = None
    """The last command that was committed."""
    log_sum: int = 0
    """The sum of the digests of all commands that are kept."""
    state_sum: int = 0
    """The sum of the checksums of all rows that models are made of."""
    erased_seq: int = 0
    """The last erasure that is known to be in it."""
    level: int = 0
    """The level that a command has raised the partition to; 0: none has."""


async def look_at(path: Path, *, is_needed: bool = False) -> Look:
    """See what is in a file. One of an older schema, or another Unicode, is removed: the log has the data.

    `is_needed`: the log has not, as it was cut. Then a file of another Unicode is used, and one of an older schema only
    if it can be brought to the present one. Raises `ShardDamaged`, `ShardTooNewError`, `ShardTooOldError`, and
    `ShardError` when it can be neither read nor removed.
    """
    try:
        return await asyncio.to_thread(_look_at, path, is_needed) if _is_there(path) else Look()
    except (sqlite3.Error, OSError) as error:
        if fault_of(error) in ("damage", "doubt") and not said_by_a_full_disk(error, path):
            raise ShardDamaged(path, str(error), is_doubt=fault_of(error) == "doubt") from error
        raise ShardError(path, error) from error


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _look_at(path: Path, is_needed: bool) -> Look:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        if _one(connection, sql.IS_NEW):
            return Look()
        if raised(connection):
            log.info("shard_raised", path=str(path), schema=sql.SCHEMA_VERSION)
        meta = dict(connection.execute(sql.READ_META).fetchall())
        version = meta.get("schema_version")
        # Another version of Unicode may have read names of the log in another way.
        if version == sql.SCHEMA_VERSION and meta.get("unicode_version") == UNICODE_VERSION:
            return _read(connection, meta)
        if version == sql.SCHEMA_VERSION and is_needed:
            # What was decided under the other one stays: what has a name keeps its spelling in all later ones.
            connection.execute(sql.SET_META, (UNICODE_VERSION, "unicode_version"))
            return _read(connection, meta)
    finally:
        connection.close()
    if not isinstance(version, int):
        raise ShardDamaged(path, "it does not say which schema it has")
    if version > sql.SCHEMA_VERSION:
        raise ShardTooNewError(path, version)
    if is_needed:
        raise ShardTooOldError(path, version)
    log.info("shard_made_anew", path=str(path), schema=version, needed=sql.SCHEMA_VERSION)
    remove_shard(path)
    return Look()


def _read(connection: sqlite3.Connection, meta: dict[str, Any]) -> Look:
    return Look(
        committed_seq=meta["applied_seq"],
        clock_us=_one(connection, sql_times.LATEST_TIME),
        last_user_key=_one(connection, sql.LAST_USER_KEY),
        command_count=meta["commands"],
        traces=bool(meta["traces"]),
        has_outbox=bool(_one(connection, sql.HAS_OUTBOX)),
        has_rules=bool(_one(connection, sql.HAS_RULES)),
        digest_key=meta["digest_key"],
        last=Landmark(meta["applied_seq"], meta["last_time_us"], meta["last_digest"]) if meta["last_digest"] else None,
        log_sum=int.from_bytes(meta["log_sum"], "little"),
        state_sum=meta["state_sum"],
        erased_seq=meta.get("erased_seq", 0),
        level=meta.get("level", 0),
    )


def _one(connection: sqlite3.Connection, statement: str) -> Any:
    return connection.execute(statement).fetchone()[0]


class ShardConnection:
    """Statements run one after the other in a thread of its own, which the first one starts; so does making the file.

    All methods raise `ShardError` when the file cannot be opened, `ShardDamaged` once it has turned out to be, and what
    SQLite raises otherwise. `on_open` is called once, and so is `on_damage`. `trusted` is a file that has been made
    anew for a doubt: what is doubtful in it again is a fault of ours.
    """

    def __init__(
        self,
        path: Path,
        on_open: Callable[[], None],
        on_damage: Callable[[ShardDamaged], None] = lambda _: None,
        *,
        trusted: bool = False,
    ) -> None:
        self._path = path
        self._on_open = on_open
        self._on_damage = on_damage
        self._trusted = trusted
        self._opening = asyncio.Lock()
        self._connection: _Connection | None = None
        self._damage: ShardDamaged | None = None
        self._closed = False

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run several statements in the thread: a hop there costs more than most of them."""
        connection = await self._ready()
        try:
            return await connection.run(work)
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            raise await self._judged(error) from error

    async def execute(self, statement: str, values: Iterable[Any] = ()) -> None:
        connection = await self._ready()
        try:
            await connection.execute(statement, values)
        except sqlite3.Error as error:
            raise await self._judged(error) from error

    async def execute_fetchall(self, statement: str, values: Iterable[Any] = ()) -> Iterable[sqlite3.Row]:
        connection = await self._ready()
        try:
            return await connection.execute_fetchall(statement, values)
        except sqlite3.Error as error:
            raise await self._judged(error) from error

    def doubted(self, error: Exception) -> Exception:
        """Give what to raise when bytes of the shard cannot be read: damage the first time, then the error itself."""
        if self._trusted or self._closed:
            return error
        return self._damaged(str(error) or type(error).__name__, is_doubt=True)

    async def close(self) -> None:
        self._closed = True
        async with self._opening:
            if self._connection is not None:
                # A damaged file may fail once more here. The log has the data.
                with suppress(sqlite3.Error):
                    await self._connection.close()

    async def _ready(self) -> "_Connection":
        if self._damage is not None:
            raise self._damage
        return self._connection or await self._opened()

    async def _opened(self) -> "_Connection":
        async with self._opening:
            if self._connection is None:
                try:
                    self._connection = await _open(self._path)
                except (sqlite3.Error, OSError) as error:
                    judged = await self._judged(error)
                    raise judged if judged is self._damage else ShardError(self._path, error) from error
                self._on_open()
        return self._connection

    async def _judged(self, error: Exception) -> Exception:
        """Give what to raise for what SQLite has raised. Rows are judged by whoever writes them."""
        fault: Blame = fault_of(error)
        if fault == "doubt":
            return self.doubted(error)
        if fault == "damage" and not await asyncio.to_thread(said_by_a_full_disk, error, self._path):
            return self._damaged(str(error))
        return error

    def _damaged(self, what: str, *, is_doubt: bool = False) -> ShardDamaged:
        if self._damage is None:
            self._damage = ShardDamaged(self._path, what, is_doubt=is_doubt)
            self._on_damage(self._damage)
        return self._damage


class _Connection(aiosqlite.Connection):
    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        result: T = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]
        return result


async def _open(path: Path) -> _Connection:
    connection = _Connection(partial(_connected, path), iter_chunk_size=64)
    await connection
    return connection


def _connected(path: Path) -> sqlite3.Connection:
    """Connect, to a new file if there is none: all in one hop to the thread, which a start pays for each partition."""
    if not _is_there(path):
        make_blank(path)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in sql.PRAGMAS:
            connection.execute(pragma)
        if _one(connection, sql.IS_NEW):
            connection.executescript(sql.SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection

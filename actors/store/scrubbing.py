"""A scrub: a whole shard is read, and each row looked at: is it what was written?

Pages are read between the other statements of the shard, so nobody waits for long. What is written meanwhile is left
out by its sequence; if rows are deleted meanwhile, the scrub begins anew. Whether the file itself is sound is looked at
through a connection of its own, table by table, which can be interrupted.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgspec

from actors.store import checksums, sql, sql_scrub
from actors.store.connection import ShardConnection
from actors.store.digests import added
from actors.store.keys import command_key
from actors.store.sql_scrub import ScrubPages
from schemas.evidence import Evidence

Run = Callable[[Callable[[sqlite3.Connection], Any]], Awaitable[Any]]
"""Runs statements in the thread of the shard."""

PauseBetween = Callable[[], Awaitable[None]]
"""Lets others go first."""

_evidence: Final = msgspec.json.Decoder(Evidence)


class Unsound(Exception):  # noqa: N818 - says what is wrong
    """A row is not what was written."""


class Scrubber:
    """Scrubs one shard, which says when rows are deleted."""

    def __init__(self, path: Path, connection: ShardConnection, *, is_filled: bool) -> None:
        self._path = path
        self._connection = connection
        self._is_filled = is_filled
        """Whether there was something in the file when it was found."""
        self.deletions = 0
        """So many times rows were deleted, or are about to be."""
        self._checking = asyncio.Lock()
        """Held while the file is read through another connection, and while traces are removed from it."""
        self._checker: sqlite3.Connection | None = None

    async def scrub(self, pause: PauseBetween) -> str | None:
        """Read the whole file, with pauses, and give what is wrong with it, which is then in doubt; None: nothing."""
        if not (self._connection.is_open or self._is_filled):
            return None
        try:
            await self._scrub_rows(pause)
            await self._check_file(pause)
        except Unsound as error:
            self._connection.doubted(error)
            return str(error)
        return None

    @asynccontextmanager
    async def kept_away(self) -> AsyncIterator[None]:
        """Have no other connection read the file: whichever does is interrupted, and begins its table again."""
        if self._checker is not None:
            self._checker.interrupt()
        async with self._checking:
            yield

    async def _scrub_rows(self, pause: PauseBetween) -> None:
        """Read all rows; again if some were deleted meanwhile, which leaves others than were looked for."""
        while True:
            deletions = self.deletions
            try:
                return await scrub(self._connection.run, pause)
            except Unsound:
                if deletions == self.deletions:
                    raise

    async def _check_file(self, pause: PauseBetween) -> None:
        for table in await asyncio.to_thread(tables, self._path):
            while not await self._is_checked(table):
                await pause()

    async def _is_checked(self, table: str) -> bool:
        """Look whether a table is sound; False: that was interrupted."""
        async with self._checking:
            checker = self._checker = connected(self._path)
            work = asyncio.ensure_future(asyncio.to_thread(check_file, checker, table))
            try:
                await asyncio.shield(work)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_INTERRUPT":
                    raise
                return False
            finally:
                checker.interrupt()
                await asyncio.wait([work])
                self._checker = None
                checker.close()
        return True


class PageStart(NamedTuple):
    """What is to be found: all up to a sequence, with this sum."""

    seq: int
    state_sum: int


def begin(connection: sqlite3.Connection) -> PageStart:
    """Look at all people, and give what their rows must come to. Raises `Unsound`."""
    connection.execute("BEGIN")
    try:
        meta = dict(connection.execute(sql.READ_META).fetchall())
        state_sum = log_sum = 0
        for *row, checksum in connection.execute(sql_scrub.PEOPLE):
            _see(checksum == checksums.of_user(*row), "the row of a person")
            state_sum += row[-1]
            log_sum = added(log_sum, row[-2])
    finally:
        connection.execute("COMMIT")
    of_level = checksums.of_level(meta.get("level", 0))
    _see(state_sum + of_level == meta["state_sum"], "the sum of the state, or the level,")
    _see(log_sum == int.from_bytes(meta["log_sum"], "little"), "the sum of the commands")
    return PageStart(meta["applied_seq"], state_sum)


async def scrub(run: Run, pause: PauseBetween) -> None:
    """Read all rows. Raises `Unsound`."""
    start: PageStart = await run(begin)
    total = 0
    for pages, look in _LOOKS:
        mark = pages.first
        while True:
            page = await run(partial(_page, pages, mark, start.seq))
            total += sum(look(row[: -len(mark)]) for row in page)
            if len(page) < sql_scrub.PAGE:
                break
            mark = page[-1][-len(mark) :]
            await pause()
    _see(total == start.state_sum, "a row of a model")


def check_file(connection: sqlite3.Connection, table: str) -> None:
    """Look whether a table and its indexes are sound. Raises `Unsound`, and what SQLite raises."""
    said = [text for (text,) in connection.execute(sql_scrub.CHECK.format(table))]
    if said != ["ok"]:
        raise Unsound(f"{table}: {said[0]}")


def tables(path: Path) -> list[str]:
    """Name the tables of a file."""
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute(sql_scrub.TABLES) if not name.startswith("sqlite_")]


def connected(path: Path) -> sqlite3.Connection:
    """Connect to look at a file, from any thread: one after the other."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def _page(pages: ScrubPages, mark: tuple[Any, ...], seq: int, connection: sqlite3.Connection) -> list[Any]:
    values = {f"m{place}": value for place, value in enumerate(mark)}
    return connection.execute(pages.statement, {**values, "seq": seq}).fetchall()


def _of_evidence(row: Any) -> int:
    return checksums.of_evidence(row, row[-1].encode())


def _of_command(row: Any) -> int:
    *stored, user, app, command_id = row
    # Of what was forgotten only the hash is left.
    if app:
        _see(command_key(user, app, command_id).hashed == row[2], "the id of a command")
    return checksums.of_command(*stored)


def _structure(row: Any) -> int:
    _see(crc32(row[0]) == row[1], "the structure of a model")
    return 0


def _with_own(row: Any) -> int:
    _see(checksums.of_row(*row[:-1]) == row[-1], "a cause, or an entry of the outbox,")
    return 0


def _held(row: Any) -> int:
    held, kind, of_evidence, body = row
    _see(body is not None and kind == of_evidence and held == _evidence.decode(body).held_from, "the order of holding")
    return 0


def _see(is_sound: bool, what: str) -> None:
    if not is_sound:
        raise Unsound(f"{what} is not what was written")


_LOOKS: Final[tuple[tuple[ScrubPages, Callable[[Any], int]], ...]] = (
    (sql_scrub.ITEMS, lambda row: checksums.of_item(*row)),
    (sql_scrub.EVIDENCE, _of_evidence),
    (sql_scrub.WITHDRAWALS, checksums.of_withdrawal),
    (sql_scrub.CONSEQUENCES, lambda row: checksums.of_consequence(row[0], row[1:])),
    (sql_scrub.COMMANDS, _of_command),
    (sql_scrub.STRUCTURES, _structure),
    (sql_scrub.CAUSES, _with_own),
    (sql_scrub.OUTBOX, _with_own),
    (sql_scrub.HELD, _held),
)
"""What is read, and what is to be seen of each row; each gives what it adds to the sum of the state."""

"""A scrub: a whole shard is read, and each row looked at: is it what was written?

Pages are read between the other statements of the shard, so nobody waits for long. What is written meanwhile is left
out by its sequence; if rows are deleted meanwhile, the scrub begins anew. Whether the file itself is sound is looked at
through a connection of its own, table by table, which can be interrupted.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgspec

from actors.store import checksums, sql, sql_scrub
from actors.store.digests import added
from actors.store.keys import command_key
from actors.store.sql_scrub import Pages
from schemas.evidence import Evidence

Run = Callable[[Callable[[sqlite3.Connection], Any]], Awaitable[Any]]
"""Runs statements in the thread of the shard."""

_evidence: Final = msgspec.json.Decoder(Evidence)


class Unsound(Exception):  # noqa: N818 - says what is wrong
    """A row is not what was written."""


class Start(NamedTuple):
    """What is to be found: all up to a sequence, with this sum."""

    seq: int
    state_sum: int


def begin(connection: sqlite3.Connection) -> Start:
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
    _see(state_sum == meta["state_sum"], "the sum of the state")
    _see(log_sum == int.from_bytes(meta["log_sum"], "little"), "the sum of the commands")
    return Start(meta["applied_seq"], state_sum)


async def scrub(run: Run, pause: Callable[[], Awaitable[None]]) -> None:
    """Read all rows. Raises `Unsound`."""
    start: Start = await run(begin)
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


def _page(pages: Pages, mark: tuple[Any, ...], seq: int, connection: sqlite3.Connection) -> list[Any]:
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


_LOOKS: Final[tuple[tuple[Pages, Callable[[Any], int]], ...]] = (
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

"""What is left of a person, said anew: read from the shard page by page, and put in place of all that was there.

Chunks are kept until the last one of their attempt comes: then the rows of all of them are the person's model. What
reads and what writes go by one list of tables and columns (`actors.store.part_sql.TABLES`). A page holds what was added
behind a mark, so that a page can be read while commands go on coming: rows are only ever added, and where some are
deleted (a part or a person is forgotten) the attempt is void.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from actors.store import part_sql as sql
from actors.store import sql as shard_sql
from actors.store import sql_times
from actors.store.checksums import cause_row, user_row
from actors.store.digests import MODULUS, added
from schemas.apps import RESTATING_APP
from schemas.evidence import Evidence
from schemas.parts import LeftOver, Restate

ROW_BYTES: Final = 64
"""What a row takes beside its texts, about."""

_evidence: Final = msgspec.json.Decoder(Evidence)
_restate: Final = msgspec.json.Decoder(Restate)

Marks = Mapping[str, tuple[int | str, ...]]
"""By table, up to where its rows have been read."""


class Attempt(NamedTuple):
    """How far an attempt has got."""

    name: str
    chunks: int
    share: int
    """The sum of the digests of its chunks."""


class Chunk(NamedTuple):
    """A chunk that a transaction keeps."""

    user: str
    user_key: int
    attempt: str
    number: int
    seq: int
    time_us: int
    hashed: int
    command_id: str
    digest: bytes
    body: bytes
    """The command as it came."""
    share: int
    """The sum of the digests of the attempt, with this one."""
    is_last: bool


class Page(NamedTuple):
    """Rows of a person, as a `Restate` has them."""

    rows: dict[str, list[list[Any]]]
    marks: Marks
    is_all: bool
    """There is nothing behind them."""


def read_page(user: str, marks: Marks, max_bytes: int, connection: sqlite3.Connection) -> Page:
    """Read what is stored of a person behind the marks, up to so many bytes, exceeded by at most one row."""
    found = connection.execute(sql.USER_KEY, (user,)).fetchone()
    rows: dict[str, list[list[Any]]] = {}
    after, left, is_all = dict(marks), max_bytes, True
    for table in sql.PAGES if found is not None else ():
        for row, mark in _rows(connection, table, found[0], after[table]):
            if left <= 0:
                is_all = False
                break
            rows.setdefault(table, []).append(row)
            after[table] = mark
            left -= ROW_BYTES + sum(len(value.encode()) for value in row if isinstance(value, str))
    return Page(rows, after, is_all)


def read_rest(user: str, clock_us: int, digest_key: int, connection: sqlite3.Connection) -> LeftOver:
    """Read what goes with the last page."""
    found = connection.execute(sql.USER_KEY, (user,)).fetchone()
    if found is None:
        return LeftOver(clock_us=clock_us, digest_key=digest_key)
    causes = connection.execute(sql.CAUSES, found).fetchall()
    held_orders = [number for (number,) in connection.execute(sql.HELD_ORDERS, {"key": found[0]})]
    return LeftOver(clock_us=clock_us, digest_key=digest_key, causes=causes, held_orders=held_orders)


def read_attempt(user: str, connection: sqlite3.Connection) -> Attempt | None:
    """Give the attempt whose first chunks are here; None: there is none."""
    rows = connection.execute(sql.READ_ATTEMPT, (user,)).fetchall()
    share = 0
    for _, digest in rows:
        share = added(share, digest)
    return Attempt(rows[0][0], len(rows), share) if rows else None


def joined(attempt: Attempt | None, command: Restate, digest: bytes) -> Attempt | None:
    """Say what a chunk makes of the attempt that is there; None: it belongs to none, and counts for nothing."""
    if command.number == 0:
        attempt = Attempt(command.attempt, 0, 0)
    if attempt is None or (attempt.name, attempt.chunks) != (command.attempt, command.number):
        return None
    return Attempt(attempt.name, attempt.chunks + 1, added(attempt.share, digest) % MODULUS)


def is_sound(command: Restate) -> bool:
    """Tell whether the rows of a chunk have the columns of their tables."""
    return all(
        table in sql.TABLES and all(len(row) == len(sql.TABLES[table]) for row in rows)
        for table, rows in command.rows.items()
    )


def put_chunk(chunk: Chunk, era: int, digest_key: int, connection: sqlite3.Connection) -> int:
    """Keep a chunk, within the caller's transaction. With the last one the person is what all of them say.

    Gives how many commands have been written by that.
    """
    if chunk.number == 0:
        connection.execute(sql.DELETE_CHUNKS, (chunk.user,))
    connection.execute(sql.PUT_CHUNK, _row(chunk))
    return _put_in_place(chunk, era, digest_key, connection) if chunk.is_last else 0


def _put_in_place(chunk: Chunk, era: int, digest_key: int, connection: sqlite3.Connection) -> int:
    user, key, count = chunk.user, chunk.user_key, 0
    for statement in sql.FORGET_STATE:
        connection.execute(statement, {"key": key})
    own = connection.execute(sql.READ_CHUNKS, (user,)).fetchall()
    last = _restate.decode(chunk.body).last
    assert last is not None, "it is the last one"
    for *_, body in own:
        count += _put_rows(_restate.decode(body).rows, key, era, last, connection)
    _put_rest(last, key, digest_key, connection)
    for seq, at_us, hashed, command_id, digest, _ in own:
        # In the order of sequences times never go back: the last chunk has the latest.
        time_us = chunk.time_us if seq == chunk.seq else _time_before(seq, at_us, connection)
        row = (seq, time_us, hashed, key, RESTATING_APP, command_id, None, digest, None, era)
        connection.execute(shard_sql.ADD_COMMAND, row)
    # The share of the sum of the state is counted when all rows are there.
    connection.execute(shard_sql.PUT_USER, user_row(key, user, chunk.seq, chunk.time_us, chunk.share, 0))
    connection.execute(sql.DELETE_CHUNKS, (user,))
    kept = msgspec.json.encode([seq for seq, *_ in own]).decode()
    connection.execute(sql.PUT_REWRITING, (user, chunk.seq, kept))
    return count + len(own)


def _time_before(seq: int, at_us: int, connection: sqlite3.Connection) -> int:
    """Give the time of the last command before a sequence."""
    found = connection.execute(sql_times.TIME_AT_SEQ, (seq,)).fetchone()
    return at_us if found is None else int(found[0])


def _put_rows(
    of_tables: dict[str, list[list[Any]]], key: int, era: int, last: LeftOver, connection: sqlite3.Connection
) -> int:
    """Put the rows of one chunk in place, and give how many commands are among them."""
    for table, rows in of_tables.items():
        statement, taken = sql.insertion(table)
        behind = {"evidence": (), "withdrawal": (), "command": (key, era)}.get(table, (key,))
        connection.executemany(statement, [(*row[:taken], *behind) for row in rows])
    connection.executemany(shard_sql.ADD_HELD, _held(of_tables.get("evidence", []), frozenset(last.held_orders)))
    return len(of_tables.get("command", ()))


def _held(evidence: list[list[Any]], held_orders: frozenset[int]) -> Iterator[tuple[Any, ...]]:
    """Give the rows by which evidence is found in the order in which it held."""
    for component_no, seq, n, kind, _, _, body in evidence:
        if component_no in held_orders:
            yield component_no, _evidence.decode(body).held_from, seq, n, kind


def _put_rest(last: LeftOver, key: int, digest_key: int, connection: sqlite3.Connection) -> None:
    connection.executemany(shard_sql.PUT_CAUSE, [cause_row(key, root, seq, count) for root, seq, count in last.causes])
    if last.digest_key != digest_key:
        connection.execute(sql.FORGET_BODY_DIGESTS, (key,))


def _rows(
    connection: sqlite3.Connection, table: str, key: int, mark: tuple[int | str, ...]
) -> Iterator[tuple[list[Any], tuple[int | str, ...]]]:
    """Give the rows of a table behind a mark, each with its own mark."""
    taken = len(sql.TABLES[table])
    values = {f"m{place}": value for place, value in enumerate(mark)}
    for row in connection.execute(sql.PAGES[table], {"key": key, "own": RESTATING_APP, **values}):
        yield list(row[:taken]), tuple(row[taken:])


def _row(chunk: Chunk) -> tuple[Any, ...]:
    return (
        chunk.user,
        chunk.number,
        chunk.attempt,
        chunk.seq,
        chunk.time_us,
        chunk.hashed,
        chunk.command_id,
        chunk.digest,
        chunk.body,
    )

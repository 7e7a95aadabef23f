"""Writing a batch: all of its rows in one transaction of the shard, or none; and outcomes as they are read again."""

import sqlite3
from collections.abc import Iterable
from itertools import chain
from typing import Any, Final

import msgspec

from actors.store import parts, recounting, restating, sql
from actors.store.batch import Batch
from bus import failpoints
from schemas.replies import Accepted, Outcome

_outcomes: Final = msgspec.json.Decoder(Outcome)


def write_batch(batch: Batch, command_count: int, digest_key: int, connection: sqlite3.Connection) -> tuple[int, int]:
    """Write all rows of a batch, or none.

    Gives how many commands have been written now, beginning with so many, and the sum of the state.
    """
    era, state_sum = command_count >> sql.ERA_BITS, batch.state_sum
    connection.execute(sql.BEGIN)
    try:
        replaced = _replaced(batch, connection)
        if batch.forgotten_part is not None:
            parts.delete(batch.forgotten_part, connection)
        if batch.chunk is not None:
            command_count += restating.put_chunk(batch.chunk, era, digest_key, connection)
        for statement, rows in batch.writes(era):
            if rows:
                _add(connection, statement, rows)
        command_count += len(batch.commands)
        if replaced is not None:
            state_sum = recounting.recount(*replaced, connection)
        connection.executemany(sql.SET_META, [(command_count, "commands"), (digest_key, "digest_key")])
        failpoints.reached("committing")
        connection.execute(sql.COMMIT)
    except BaseException:
        # SQLite has rolled back by itself when the disk is full.
        if connection.in_transaction:
            connection.execute(sql.ROLLBACK)
        raise
    return command_count, state_sum


def _replaced(batch: Batch, connection: sqlite3.Connection) -> tuple[int, int] | None:
    """Give the key of whoever loses rows with a batch, and their share of its sum of the state; None: nobody does."""
    if batch.forgotten_part is not None:
        key = batch.forgotten_part.user_key
        return key, batch.users[key][-1]
    if batch.chunk is not None and batch.chunk.is_last:
        return batch.chunk.user_key, recounting.stored_share(batch.chunk.user_key, connection)
    return None


def _add(connection: sqlite3.Connection, statement: str, rows: Iterable[Any]) -> None:
    """Run a statement for each row: those of which there are many for many rows at once."""
    for count, together in sql.ROWS_TOGETHER.get(statement, ()):
        assert isinstance(rows, list), "of such there are lists"
        whole = len(rows) - len(rows) % count
        for first in range(0, whole, count):
            connection.execute(together, list(chain.from_iterable(rows[first : first + count])))
        rows = rows[whole:]
    if rows:
        connection.executemany(statement, rows)


def repeated_outcome(command_id: str, seq: int, text: str | None) -> Outcome:
    """Give what was said of a command that comes again. What was accepted is kept without a text."""
    outcome = Accepted(id=command_id, seq=seq) if text is None else _outcomes.decode(text)
    outcome.id = command_id  # what was forgotten has lost it
    outcome.repeated = True
    return outcome

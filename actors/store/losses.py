"""What a shard knew of and the log does not have: found by comparing it with the one that was made from the log."""

import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

from actors.store import sql
from bus.accepting import MAX_LISTED, LostCommand


class LostFromShard(NamedTuple):
    """Accepted commands of the one shard that the other does not have."""

    total: int
    forgets: int
    commands: list[LostCommand]


def losses(before: Path, now: Path) -> LostFromShard:
    """Compare two files of a partition by the ids of commands. Raises what SQLite raises.

    A command that was sent again, and so has another sequence now, is not lost.
    """
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for name, path in (("before", before), ("now", now)):
            connection.execute(f"ATTACH ? AS {name}", (str(path),))
        for statement in sql.LIST_THERE:
            connection.execute(statement)
        total, forgets = connection.execute(sql.COUNT_LOST).fetchone()
        rows = connection.execute(sql.LOST_COMMANDS, (MAX_LISTED,)).fetchall()
        return LostFromShard(total, forgets, [_lost(row) for row in rows])
    finally:
        connection.close()


def _lost(row: tuple[Any, ...]) -> LostCommand:
    seq, time_us, user, app, command_id = row
    return LostCommand(seq, time_us / 1e6, user, app, command_id)

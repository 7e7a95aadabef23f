"""The file of a shard without commands, made from bytes that a process makes once.

SQLite takes 1 ms to run the schema and to begin a write-ahead log, with two syncs of the disk: a worker that makes all
of its shards anew pays that 64 times. A file that a power cut has left half written is damaged, and made anew as others
are (`actors/store/damage.py`).
"""

import sqlite3
import threading
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Final

from actors.store import sql
from bus.aside import remove_shard

_FORMATS: Final = slice(18, 20)
_WRITE_AHEAD: Final = b"\2\2"
"""Where the header of a file says how it is written and read, and what it says there of a write-ahead log."""

_one_at_a_time: Final = threading.Lock()
"""The threads of many shards need the bytes in one moment."""


def make_blank(path: Path) -> None:
    """Make the file, whole or not at all, in place of what is left of an earlier one. Raises `OSError`."""
    remove_shard(path)
    unfinished = path.with_suffix(".new")
    with _one_at_a_time:
        blank = _blank()
    unfinished.write_bytes(blank)
    unfinished.replace(path)


@cache
def _blank() -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(sql.PAGE_SIZE)
        connection.executescript(sql.SCHEMA)
        made = bytearray(connection.serialize())
    made[_FORMATS] = _WRITE_AHEAD
    return bytes(made)

"""Shards of an earlier schema are brought to the present one, where that is quicker than to make them from the log.

From 7 to 8: rows got checksums, and people and the partition their sums. All of it is counted from the rows.
"""

import sqlite3
from typing import Final
from zlib import crc32

from actors.store import checksums, recounting, sql
from actors.store.checksums import user_row

_FROM: Final = 7

READABLE: Final = (_FROM, sql.SCHEMA_VERSION)
"""The schemas of files from which this llum can go on."""

_COLUMNS: Final = (
    "ALTER TABLE user ADD COLUMN state_sum INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE user ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE structure ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE cause ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE outbox ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0",
    "INSERT INTO meta (name, value) VALUES ('state_sum', 0)",
)
_READ_STATE: Final = "SELECT value FROM meta WHERE name = 'schema_version'"


def raised(connection: sqlite3.Connection) -> bool:
    """Bring a shard of the schema before to the present one: all of it or nothing. False: it has another one."""
    found = connection.execute(_READ_STATE).fetchone()
    if found is None or found[0] != _FROM:
        return False
    connection.execute(sql.BEGIN)
    try:
        for statement in _COLUMNS:
            connection.execute(statement)
        _set_checksums(connection)
        _set_sums(connection)
        connection.execute(sql.SET_META, (sql.SCHEMA_VERSION, "schema_version"))
        connection.execute(sql.COMMIT)
    except BaseException:
        if connection.in_transaction:
            connection.execute(sql.ROLLBACK)
        raise
    return True


def _set_checksums(connection: sqlite3.Connection) -> None:
    connection.create_function("crc32", 1, crc32, deterministic=True)
    connection.create_function("checksum", -1, checksums.of_row, deterministic=True)
    connection.execute("UPDATE structure SET checksum = crc32(body)")
    connection.execute("UPDATE cause SET checksum = checksum(root, seq, count)")
    connection.execute("UPDATE outbox SET checksum = checksum(seq, n, kind, body)")


def _set_sums(connection: sqlite3.Connection) -> None:
    shares = recounting.shares(connection)
    people = connection.execute("SELECT key, name, seq, time_us, log_sum FROM user").fetchall()
    rows = []
    for key, name, seq, time_us, log_sum in people:
        *_, share, checksum = user_row(key, name, seq, time_us, int.from_bytes(log_sum, "little"), shares.get(key, 0))
        rows.append((share, checksum, key))
    connection.executemany("UPDATE user SET state_sum = ?, checksum = ? WHERE key = ?", rows)
    connection.execute(sql.SET_META, (sum(shares.values()), "state_sum"))

"""The share of one person in the sum of the state, counted from the rows: where some were deleted or replaced."""

import sqlite3
from collections import Counter

from actors.store import checksums, sql, sql_sums
from actors.store.checksums import user_row
from actors.store.digests import StateSum, made_by


def share_of(user_key: int, user: str, connection: sqlite3.Connection) -> int:
    """Add up the checksums of all rows that a person's model is made of."""
    key = {"key": user_key}
    share = 0
    for row in connection.execute(sql_sums.EVIDENCE_OF, key):
        share += checksums.of_evidence(row, row[-1].encode())
    for kind, path, seq, time_us, body in connection.execute(sql_sums.ITEMS_OF, key):
        share += checksums.of_item(user, kind, path, seq, time_us, body)
    for row in connection.execute(sql_sums.WITHDRAWALS_OF, key):
        share += checksums.of_withdrawal(row)
    for row in connection.execute(sql_sums.CONSEQUENCES_OF, key):
        share += checksums.of_consequence(user, row)
    for row in connection.execute(sql_sums.COMMANDS_OF, key):
        share += checksums.of_command(*row)
    return share


def shares(connection: sqlite3.Connection) -> Counter[int]:
    """Add up the checksums of the rows of all models: the share of each person, by key."""
    read, found = connection.execute, Counter[int]()
    owners = dict(read(sql_sums.OWNERS))
    for key, *item in read(sql_sums.ALL_ITEMS):
        found[key] += checksums.of_item(*item)
    for row in read(sql_sums.ALL_EVIDENCE):
        found[owners.get(row[0], 0)] += checksums.of_evidence(row, row[-1].encode())
    for row in read(sql_sums.ALL_WITHDRAWALS):
        found[owners.get(row[0], 0)] += checksums.of_withdrawal(row)
    for key, name, *row in read(sql_sums.ALL_CONSEQUENCES):
        found[key] += checksums.of_consequence(name, row)
    for key, *row in read(sql_sums.ALL_COMMANDS):
        found[key] += checksums.of_command(*row)
    return found


def recount(user_key: int, before: int, connection: sqlite3.Connection) -> int:
    """Set a person's share, which was `before`, and the sum of the partition by what is stored; give that sum.

    Within the caller's transaction.
    """
    row = connection.execute(sql_sums.USER_OF, (user_key,)).fetchone()
    ((total,),) = connection.execute(sql_sums.TOTAL).fetchall()
    share = 0
    if row is not None:
        key, name, seq, time_us, log_sum, _ = row
        share = share_of(key, name, connection)
        made = user_row(key, name, seq, time_us, int.from_bytes(log_sum, "little"), share)
        connection.execute(sql_sums.SET_SHARE, (share, made[-1], key))
    connection.execute(sql.SET_META, (total - before + share, "state_sum"))
    return int(total - before + share)


def stored_share(user_key: int, connection: sqlite3.Connection) -> int:
    """Give the share that is stored; 0: the person is not known."""
    row = connection.execute(sql_sums.USER_OF, (user_key,)).fetchone()
    return 0 if row is None else int(row[-1])


def count_state(connection: sqlite3.Connection) -> StateSum:
    """Add up the checksums of all rows that models are made of, as they are committed."""
    meta = dict(connection.execute(sql.READ_META).fetchall())
    total = shares(connection).total() + checksums.of_level(meta.get("level", 0))
    return StateSum(meta["applied_seq"], total, made_by())

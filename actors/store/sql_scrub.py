"""The SQL statements that read a whole shard page by page, each behind the last row of the page before."""

from typing import Final, NamedTuple

PAGE: Final = 500
"""Rows read at a time: a page takes about two milliseconds, then others have their turn."""


class ScrubPages(NamedTuple):
    """How a table is read: a statement, and the mark from which it begins. Each row ends with its own mark."""

    statement: str
    first: tuple[float | str, ...]


def _pages(columns: str, tables: str, key: str, bound: str, first: tuple[float | str, ...]) -> ScrubPages:
    marks = ", ".join(f":m{place}" for place in range(len(first)))
    where = f"({key}) > ({marks})" if len(first) > 1 else f"{key} > {marks}"
    statement = f"SELECT {columns}, {key} FROM {tables} WHERE {where} {bound} ORDER BY {key} LIMIT {PAGE}"  # noqa: S608
    return ScrubPages(statement, first)


EVIDENCE: Final = _pages(
    "component_no, seq, n, kind, creation_us, useby, body", "evidence", "rowid", "AND seq <= :seq", (-1,)
)
ITEMS: Final = _pages(
    "user.name, kind, item.key, item.seq, item.time_us, body",
    "item JOIN user ON user.key = user_key",
    "user_key, kind, item.key, item.seq",
    "AND item.seq <= :seq",
    (-1, "", "", -1),
)
WITHDRAWALS: Final = _pages(
    "component_no, seq, n, at_seq, at_us, body",
    "withdrawal",
    "component_no, seq, n",
    "AND at_seq <= :seq",
    (-1, -1, -1),
)
CONSEQUENCES: Final = _pages(
    "user.name, grantee, cause_no, cause_seq, cause_n, consequence.seq, n, component_no, body",
    "consequence JOIN user ON user.key = user_key",
    "user_key, grantee, cause_no, cause_seq, cause_n, consequence.seq, n",
    "AND consequence.seq <= :seq",
    (-1, "", -1, -1, -1, -1, -1),
)
COMMANDS: Final = _pages(
    "command.seq, command.time_us, hash, outcome, digest, body, user.name, app, id",
    "command JOIN user ON user.key = user_key",
    "command.seq",
    "AND command.seq <= :seq",
    (-1,),
)
STRUCTURES: Final = _pages("body, checksum", "structure", "user_key", "", (-1,))
CAUSES: Final = _pages("root, seq, count, checksum", "cause", "user_key, root", "", (-1, ""))
OUTBOX: Final = _pages("seq, n, kind, body, checksum", "outbox", "seq, n", "", (-1, -1))
HELD: Final = _pages(
    "held.held, held.kind, evidence.kind, evidence.body",
    "held LEFT JOIN evidence ON evidence.component_no = held.component_no "
    "AND evidence.seq = held.seq AND evidence.n = held.n",
    "held.component_no, held.held, held.seq, held.n",
    "",
    (-1, -1e308, -1, -1),
)

PEOPLE: Final = "SELECT key, name, seq, time_us, log_sum, state_sum, checksum FROM user"
TABLES: Final = "SELECT name FROM sqlite_schema WHERE type = 'table'"
CHECK: Final = "PRAGMA integrity_check('{}')"
"""Whether a table is sound, and each of its indexes holds exactly its rows."""

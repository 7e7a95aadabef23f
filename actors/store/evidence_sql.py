"""The SQL of reading evidence: each `Read` is one statement, a range of one index."""

from math import inf
from typing import Any, Final

from actors.store import sql
from actors.store.sql_times import LAST_SEQ_UNTIL
from model.evidence import first_us, last_us
from model.reads import Read
from schemas.evidence import DEFAULT_TYPE

_WITHDRAWN_BY_THEN: Final = (
    "withdrawal.component_no = evidence.component_no AND withdrawal.seq = evidence.seq"
    " AND withdrawal.n = evidence.n AND withdrawal.at_seq <= ? AND withdrawal.at_us <= ?"
)

_NOT_WITHDRAWN: Final = f"NOT EXISTS (SELECT 1 FROM withdrawal WHERE {_WITHDRAWN_BY_THEN})"  # noqa: S608 - ours

_IS_HELD: Final = "evidence.component_no = held.component_no AND evidence.seq = held.seq AND evidence.n = held.n"
_HELD_LATER: Final = "SELECT seq, n FROM held WHERE component_no = ? AND held > ?"

_SIZE: Final = "length(CAST(evidence.body AS BLOB))"
"""Bytes of a piece: `length` counts the characters of a text."""

_BY_SOURCE: Final = """
SELECT json_object('source', evidence.body ->> 'source', 'count', count(*), 'first_us', min(evidence.creation_us),
    'last_us', max(evidence.creation_us)), NULL
"""

_LINES: Final = "group_concat({}, char(10))"

_NEVER: Final = 2**62
"""A sequence and a time (microseconds) later than any."""


def evidence_query(read: Read) -> tuple[str, list[Any]]:
    """Write the statement of one read: a range of one index, bounded so that only what it returns is looked at.

    The columns are the evidence and, where withdrawn evidence is to be marked, the withdrawal or null.
    """
    source = _source(read)
    if read.count_only:
        return f"SELECT count(*) FROM {source.tables} WHERE {source.where}", source.values  # noqa: S608 - ours
    if read.by_source:
        statement = f"{_BY_SOURCE} FROM {source.tables} WHERE {source.where} GROUP BY evidence.body ->> 'source'"
        return statement, source.values
    order, limit = ("DESC", read.newest) if read.newest is not None else ("ASC", read.limit)
    columns, joined, values = "evidence.body, NULL", "", source.values
    if read.withdrawn == "marked":
        columns, joined = "evidence.body, withdrawal.body", f"LEFT JOIN withdrawal ON {_WITHDRAWN_BY_THEN}"
        values = [*_by_then(read), *values]
    statement = f"SELECT {columns} FROM {source.tables} {joined} WHERE {source.where}"  # noqa: S608 - ours
    return f"{statement} ORDER BY {source.ordered(order)} LIMIT ?", [*values, limit]


def evidence_part_query(read: Read, max_bytes: int) -> tuple[str, list[Any]]:
    """Write the statement that gives the first pieces of a read as one row: how many, their JSON, their withdrawals.

    Pieces are taken until they have `max_bytes` or more; the first one always is. The texts hold one line for each
    piece: JSON has no line breaks of its own. So SQLite does all of it in one step, without the interpreter's lock,
    which it would otherwise wait for at every piece. Sizes are added up over the index, and only what is given is read.
    """
    source = _source(read)
    order, limit = ("DESC", read.newest) if read.newest is not None else ("ASC", read.limit)
    in_order = source.ordered(order)
    chosen = (
        f"SELECT evidence.rowid AS piece, ifnull(sum({_SIZE}) OVER (ORDER BY {in_order}"  # noqa: S608 - ours
        " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS size_before"
        f" FROM {source.tables} WHERE {source.where} ORDER BY {in_order} LIMIT ?"
    )
    joined, marks, values = "", "NULL", [*source.values, limit]
    if read.withdrawn == "marked":
        joined, marks = f"LEFT JOIN withdrawal ON {_WITHDRAWN_BY_THEN}", _LINES.format("ifnull(withdrawal.body, '')")
        values += _by_then(read)
    columns = f"count(*), {_LINES.format('evidence.body')}, {marks}"
    together = f"({chosen}) AS chosen CROSS JOIN evidence ON evidence.rowid = chosen.piece {joined}"
    return f"SELECT {columns} FROM {together} WHERE chosen.size_before < ?", [*values, max_bytes]  # noqa: S608 - ours


class _Source:
    """Where a read looks: the tables, the order, and the conditions with their values."""

    def __init__(self, tables: str, place: tuple[str, ...]) -> None:
        self.tables = tables
        self._place = place
        """The columns that a piece is ordered by."""
        self._conditions: list[str] = []
        self.values: list[Any] = []

    @property
    def where(self) -> str:
        return " AND ".join(self._conditions)

    def ordered(self, direction: str) -> str:
        return ", ".join(f"{column} {direction}" for column in self._place)

    def add(self, condition: str, *values: Any) -> None:
        self._conditions.append(condition)
        self.values.extend(values)


def _source(read: Read) -> _Source:
    if read.by_held and read.held_order:
        return _in_order_of_holding(read)
    assert read.held_from is None or read.by_held, "a period is read in the order of holding"
    return _in_order_of_acceptance(read)


def _in_order_of_acceptance(read: Read) -> _Source:
    """Look in the order of sequences, in which a time is first turned into a bound on the sequence.

    No command before the first one at or after `since_us` can have made evidence that is new enough, and no command
    after the last one at or before `until_us` evidence that is old enough. The exact comparison follows, since imported
    evidence is older than its command. Of two bounds on one side SQLite would search by one and walk to the other, so
    there is one on each. Where the order of holding is this one, its bounds are such times, too.
    """
    source = _Source("evidence", ("evidence.seq", "evidence.n"))
    source.add("evidence.component_no = ?", read.component_no)
    _add_upper_bound(source, read)
    _add_lower_bound(source, read)
    if read.kind is not None:
        source.add(f"evidence.kind = {sql.KIND_NUMBERS[read.kind]}")
    if read.held_order and read.held_until is not None:
        source.add(f"(evidence.seq, evidence.n) NOT IN ({_HELD_LATER})", read.component_no, read.held_until)
    _add_what_counts(source, read)
    return source


def _add_upper_bound(source: _Source, read: Read) -> None:
    until_us = read.until_us
    if not read.held_order and read.held_until is not None:
        until_us = min(last_us(read.held_until), _NEVER if until_us is None else until_us)
    if read.before is not None:
        source.add("(evidence.seq, evidence.n) < (?, ?)", *read.before)
    elif until_us is None:
        source.add("evidence.seq <= ?", read.seq_max)
    else:
        source.add(f"evidence.seq <= min(?, ({LAST_SEQ_UNTIL}))", read.seq_max, until_us)
    if until_us is not None:
        source.add("evidence.creation_us <= ?", until_us)


def _add_lower_bound(source: _Source, read: Read) -> None:
    since_us, after = read.since_us, read.after
    if not read.held_order:
        sinces = [first_us(held) for held in (read.held_from, read.after_held) if held is not None]
        since_us = max([*sinces, *([] if since_us is None else [since_us])], default=None)
    if after is not None and read.after_held is not None:
        place = (read.after_held, *after)
        source.add("(evidence.creation_us / 1e6, +evidence.seq, evidence.n) > (?, ?, ?)", *place)
        after = None
    if since_us is not None:
        after = (0, 0) if after is None else after
        source.add(f"evidence.seq >= max(?, ({LAST_SEQ_UNTIL}) + 1)", after[0], since_us - 1)
        source.add("(+evidence.seq, evidence.n) > (?, ?)", *after)
        source.add("evidence.creation_us >= ?", since_us)
    elif after is not None:
        source.add("(evidence.seq, evidence.n) > (?, ?)", *after)


def _in_order_of_holding(read: Read) -> _Source:
    """Look in the order of holding: what was accepted too early or too late is passed over piece by piece."""
    assert (read.after is None) == (read.after_held is None), "a place in this order has a time"
    after_held = -inf if read.after_held is None else read.after_held
    of_kind = {None: "", "plain": "", "goal": "INDEXED BY held_goals", "correction": "INDEXED BY held_corrections"}
    tables = f"held {of_kind[read.kind]} CROSS JOIN evidence INDEXED BY evidence_of_component ON {_IS_HELD}"
    source = _Source(tables, ("held.held", "held.seq", "held.n"))
    source.add("held.component_no = ?", read.component_no)
    if read.before is not None:
        source.add("(held.held, held.seq, held.n) < (?, ?, ?)", read.before_held, *read.before)
    elif read.held_until is not None:
        source.add("held.held <= ?", read.held_until)
    if read.after is not None and (read.held_from is None or after_held >= read.held_from):
        source.add("(held.held, held.seq, held.n) > (?, ?, ?)", after_held, *read.after)
    elif read.held_from is not None:
        source.add("held.held >= ?", read.held_from)
    if read.kind is not None:
        source.add(f"held.kind = {sql.KIND_NUMBERS[read.kind]}")
    source.add("+held.seq <= ?", read.seq_max)
    if read.until_us is not None:
        source.add(f"+held.seq <= ({LAST_SEQ_UNTIL})", read.until_us)
        source.add("evidence.creation_us <= ?", read.until_us)
    if read.since_us is not None:
        source.add("evidence.creation_us >= ?", read.since_us)
    _add_what_counts(source, read)
    return source


def _add_what_counts(source: _Source, read: Read) -> None:
    if read.unexpired_at is not None:
        source.add("(evidence.useby IS NULL OR evidence.useby > ?)", read.unexpired_at)
    if read.types is not None:
        marks = ", ".join("?" * len(read.types))
        source.add(f"ifnull(evidence.body ->> 'evidence_type', '{DEFAULT_TYPE}') IN ({marks})", *sorted(read.types))
    if read.withdrawn == "left_out":
        source.add(_NOT_WITHDRAWN, *_by_then(read))


def _by_then(read: Read) -> tuple[int, int]:
    if read.withdrawn_by is not None:
        return read.withdrawn_by, _NEVER
    return read.seq_max, _NEVER if read.until_us is None else read.until_us

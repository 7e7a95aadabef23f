"""What follows from evidence: the rows of the shard, and over them those that wait for their commit."""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from actors.store import sql_following
from actors.store.batch import Batch, ConsequenceRow
from model.reads import Follow, Followed
from schemas.causes import CauseRange

_BEFORE_ALL = (-1, -1, -1, -1)


def follow(wanted: Follow, connection: sqlite3.Connection) -> list[Followed]:
    """Find what is committed: a range of one index for each origin, until there is enough."""
    user = connection.execute(sql_following.KEY_OF_USER, (wanted.user,)).fetchone()
    found: list[Followed] = []
    for index, origin in enumerate(wanted.origins if user is not None else ()):
        statement, values = _query(user[0], origin)
        rows = connection.execute(statement, (*values, wanted.limit - len(found))).fetchall()
        found += [_followed(index, *row) for row in rows]
        if len(found) == wanted.limit:
            break
    return found


def overlaid(wanted: Follow, committed: Sequence[Followed], batches: Sequence[Batch], user_key: int) -> list[Followed]:
    """Put what waits over what is committed: more that follows, and withdrawals.

    What the shard has left out comes behind all that it gave, so the first ones are the right ones. What waited may be
    committed meanwhile: then it is found twice, and counts once.
    """
    found = {(one.origin, one.place): _marked(one, batches) for one in committed}
    for index, origin in enumerate(wanted.origins):
        for batch in batches:
            for row in batch.following(user_key, origin.grantee, origin.component_no):
                if _matches(origin, row):
                    one = _of_row(index, row)
                    found[one.origin, one.place] = _marked(one, batches)
    return [found[at] for at in sorted(found)][: wanted.limit]


def _query(user_key: int, origin: CauseRange) -> tuple[str, list[int | str]]:
    after = origin.after or _BEFORE_ALL
    causes: list[int | str] = [user_key, origin.grantee, origin.component_no]
    if origin.seq is None:
        return sql_following.FOLLOW_COMPONENT, [*causes, *after]
    return sql_following.FOLLOW_PIECE, [*causes, origin.seq, origin.n, *after[2:]]


def _followed(
    origin: int, cause_seq: int, cause_n: int, seq: int, n: int, component_no: int, withdrawn: int, body: str | None
) -> Followed:
    return Followed(
        origin=origin,
        cause_seq=cause_seq,
        cause_n=cause_n,
        seq=seq,
        n=n,
        component_no=component_no,
        withdrawn=bool(withdrawn),
        sent=None if body is None else body.encode(),
    )


def _of_row(origin: int, row: ConsequenceRow) -> Followed:
    *_, cause_seq, cause_n, seq, n, component_no, body = row
    return _followed(origin, cause_seq, cause_n, seq, n, component_no, 0, body)


def _matches(origin: CauseRange, row: ConsequenceRow) -> bool:
    place = row[3:7]
    of_piece = origin.seq is None or place[:2] == (origin.seq, origin.n)
    return of_piece and place > tuple(origin.after or _BEFORE_ALL)


def _marked(one: Followed, batches: Iterable[Batch]) -> Followed:
    """Mark evidence that a waiting row withdraws."""
    if one.withdrawn or not one.component_no:
        return one
    for batch in batches:
        about = batch.about(one.component_no)
        if about is not None and any(mark[1:3] == (one.seq, one.n) for mark in about.withdrawals):
            return msgspec.structs.replace(one, withdrawn=True)
    return one

"""What was decided about apps: the rows of the shard, and over them those that wait for their commit.

Each decision is a version of an item. Its key is the app and a number: that of the decision among those that one
command has brought.
"""

from collections.abc import Sequence
from typing import Any

from actors.store import sql
from actors.store.batch import Batch
from model.reads import Decisions

DecisionRow = tuple[int, str, str]
"""The sequence, the key, and the JSON."""


def decision_query(wanted: Decisions) -> tuple[str, tuple[Any, ...]]:
    """Give the statement that reads what is committed, the latest first, with its values."""
    # Apps are named by letters, digits, _ and -: all of them come after "" and before "~".
    above, below = ("", "~") if wanted.app is None else (f"{wanted.app}/", f"{wanted.app}0")
    return sql.LOAD_DECISIONS, (wanted.user, above, below, wanted.seq, wanted.limit)


def decided(
    wanted: Decisions, committed: Sequence[DecisionRow], batches: Sequence[Batch], user_key: int | None
) -> list[bytes]:
    """Put what waits over what is committed, the oldest first. What is found in both counts once."""
    rows = {(seq, key): body for seq, key, body in committed}
    for batch in batches:
        for of, kind, key, seq, _, body in batch.items:
            if kind == "decision" and of == user_key and seq <= wanted.seq and _is_about(wanted, key):
                assert body is not None, "a decision is never taken back"
                rows[seq, key] = body
    return [rows[at].encode() for at in sorted(rows)][-wanted.limit :]


def _is_about(wanted: Decisions, key: str) -> bool:
    return wanted.app is None or key.partition("/")[0] == wanted.app

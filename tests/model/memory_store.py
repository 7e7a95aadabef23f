"""A shard in memory: keeps what applying commands leaves, and executes reads as plainly as can be said."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from model.ask import Found, Read
from model.changes import AddEvidence, Change, Item
from model.state import Model, restore


class Row(NamedTuple):
    """A stored piece of evidence."""

    seq: int
    evidence: AddEvidence


def execute(reads: Sequence[Read], rows: Iterable[Row]) -> list[Found]:
    """Answer each read from the rows, which may be in any order."""
    ordered = sorted(rows, key=lambda row: (row.seq, row.evidence.n))
    return [_execute(read, ordered) for read in reads]


def _execute(read: Read, rows: list[Row]) -> Found:
    matching = [row for row in rows if _matches(read, row)]
    if read.count_only:
        return Found(count=len(matching))
    chosen = matching[-read.newest :] if read.newest is not None else matching[: read.limit]
    return Found(bodies=[row.evidence.body for row in chosen])


def _matches(read: Read, row: Row) -> bool:
    evidence = row.evidence
    return all(
        (
            evidence.component_no == read.component_no,
            row.seq <= read.seq_max,
            read.until_us is None or evidence.creation_us <= read.until_us,
            read.since_us is None or evidence.creation_us >= read.since_us,
            read.goal is None or evidence.is_goal is read.goal,
            read.after is None or (row.seq, evidence.n) > tuple(read.after),
            read.unexpired_at is None or evidence.useby is None or evidence.useby > read.unexpired_at,
        )
    )


class MemoryStore:
    """Keeps items in all their versions, and evidence."""

    def __init__(self) -> None:
        self.versions: list[tuple[int, int, str, str, bytes | None]] = []
        self.rows: list[Row] = []

    def keep(self, changes: Iterable[Change], seq: int, time_us: int) -> None:
        """Store the changes of one command, at the model's time after it."""
        for change in changes:
            if isinstance(change, AddEvidence):
                self.rows.append(Row(seq, change))
            else:
                self.versions.append((seq, time_us, change.kind, change.key, change.body))

    def items(self, seq_max: int = 2**62, until_us: int = 2**62) -> list[Item]:
        """Give the newest version of each item, as of a sequence and a time."""
        newest: dict[tuple[str, str], bytes | None] = {}
        for seq, time_us, kind, key, body in self.versions:
            if seq <= seq_max and time_us <= until_us:
                newest[kind, key] = body
        return [Item(kind, key, body) for (kind, key), body in newest.items() if body is not None]

    def load(self, user: str, seq: int, time_us: int) -> Model | None:
        """Rebuild the model as it was then."""
        return restore(user, self.items(seq, time_us), seq, time_us)

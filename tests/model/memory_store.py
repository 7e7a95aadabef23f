"""A shard in memory: keeps what applying commands leaves, and executes reads as plainly as can be said."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from model.changes import (
    AddEvidence,
    Change,
    CountCause,
    ForgetUser,
    Item,
    ItemKind,
    KeepHeldOrder,
    MarkWithdrawn,
    NoteConsequence,
    PutItem,
    RegistrationChanged,
)
from model.elsewhere import ResolveElsewhere, Together, joined, run_stored
from model.evidence import decode_evidence
from model.fold import restore
from model.permissions import grantee_of
from model.queries import Need
from model.reads import AsOf, Decisions, Follow, Followed, Found, Pause, Read, Recorded
from model.resolvers.registry import Resolve, Resolved, resolved_or_refused
from model.state import Model
from schemas.asked import AskedRow
from schemas.causes import CauseRange
from schemas.errors import Refusal
from schemas.paths import Path


def resolved_stored(wanted: ResolveElsewhere) -> Resolved | Refusal:
    """Run a resolver of elsewhere, as its process would."""
    evidence = decode_evidence(wanted.bodies)
    arguments = dict(wanted.arguments)
    try:
        value, used = run_stored(wanted.resolver, joined(wanted.bodies), wanted.now, arguments, explains=True)
        return Resolved(value, tuple(evidence[place] for place in used))
    except Refusal as refusal:
        return refusal


ALWAYS = 2**62
"""Later than any sequence and time."""


class Row(NamedTuple):
    """A stored piece of evidence."""

    seq: int
    evidence: AddEvidence


class Mark(NamedTuple):
    """A stored withdrawal."""

    at_seq: int
    at_us: int
    withdrawn: MarkWithdrawn


class Consequence(NamedTuple):
    """What follows from evidence."""

    grantee: str
    cause_no: int
    cause: tuple[int, int]
    seq: int
    n: int
    component_no: int
    sent: bytes | None


def execute(reads: Sequence[Read], rows: Iterable[Row], marks: Iterable[Mark] = ()) -> list[Found]:
    """Answer each read from the rows, which may be in any order."""
    ordered = sorted(rows, key=lambda row: (row.seq, row.evidence.n))
    return [_execute(read, ordered, list(marks)) for read in reads]


def _execute(read: Read, rows: list[Row], marks: list[Mark]) -> Found:
    withdrawn = _withdrawn(read, marks)
    matching = [row for row in rows if _matches(read, row)]
    if read.by_held:
        matching.sort(key=_place)
    if read.withdrawn == "left_out":
        matching = [row for row in matching if (row.seq, row.evidence.n) not in withdrawn]
    if read.count_only:
        return Found(count=len(matching))
    if read.by_source:
        return Found(bodies=[_told(row) for row in matching])
    chosen = matching[-read.newest :] if read.newest is not None else matching[: read.limit]
    fitting = _within(read, chosen)
    marks = withdrawn if read.withdrawn == "marked" else {}
    bodies = [_marked(row, marks.get((row.seq, row.evidence.n))) for row in fitting]
    return Found(bodies=bodies, cut=sum(len(row.evidence.body) for row in fitting) >= read.max_bytes)


def _told(row: Row) -> bytes:
    """Say who has told a piece, by itself."""
    (piece,) = decode_evidence([row.evidence.body])
    at = row.evidence.creation_us
    return msgspec.json.encode({"source": piece.source, "count": 1, "first_us": at, "last_us": at})


def _within(read: Read, rows: list[Row]) -> list[Row]:
    """Take rows until they have so many bytes, from the end where the newest are wanted."""
    taken: list[Row] = []
    for row in rows if read.newest is None else reversed(rows):
        if read.limit > 1 and sum(len(one.evidence.body) for one in taken) >= read.max_bytes:
            break
        taken.append(row)
    return taken if read.newest is None else taken[::-1]


def _withdrawn(read: Read, marks: list[Mark]) -> dict[tuple[int, int], bytes]:
    return {
        (mark.withdrawn.seq, mark.withdrawn.n): mark.withdrawn.body
        for mark in marks
        if mark.withdrawn.component_no == read.component_no and _counts(read, mark)
    }


def _counts(read: Read, mark: Mark) -> bool:
    if read.withdrawn_by is not None:
        return mark.at_seq <= read.withdrawn_by
    return mark.at_seq <= read.seq_max and (read.until_us is None or mark.at_us <= read.until_us)


def _marked(row: Row, withdrawal: bytes | None) -> bytes:
    body = row.evidence.body
    return body if withdrawal is None else body[:-1] + b',"withdrawn":' + withdrawal + b"}"


def _place(row: Row) -> tuple[float, int, int]:
    return row.evidence.evidence.held_from, row.seq, row.evidence.n


def _is_after(read: Read, row: Row) -> bool:
    if read.after is None:
        return True
    if not read.by_held:
        return (row.seq, row.evidence.n) > tuple(read.after)
    assert read.after_held is not None
    return _place(row) > (read.after_held, *read.after)


def _matches(read: Read, row: Row) -> bool:
    evidence = row.evidence
    return all(
        (
            evidence.component_no == read.component_no,
            row.seq <= read.seq_max,
            read.until_us is None or evidence.creation_us <= read.until_us,
            read.since_us is None or evidence.creation_us >= read.since_us,
            read.kind is None or evidence.kind == read.kind,
            _is_after(read, row),
            read.held_from is None or evidence.evidence.held_from >= read.held_from,
            read.held_until is None or evidence.evidence.held_from <= read.held_until,
            read.unexpired_at is None or evidence.useby is None or evidence.useby > read.unexpired_at,
            read.types is None or evidence.evidence.evidence_type in read.types,
        )
    )


def _follows(origin: CauseRange, one: Consequence) -> bool:
    return (
        (one.grantee, one.cause_no) == (origin.grantee, origin.component_no)
        and origin.seq in (None, one.cause[0])
        and (origin.seq is None or one.cause[1] == origin.n)
        and (*one.cause, one.seq, one.n) > (origin.after or (-1,))
    )


class MemoryStore:
    """Keeps items in all their versions, evidence and withdrawals; what leaves the partition is only collected."""

    def __init__(self) -> None:
        self.versions: list[tuple[int, int, ItemKind, Path, bytes | None]] = []
        self.rows: list[Row] = []
        self.marks: list[Mark] = []
        self.consequences: list[Consequence] = []
        self.causes: dict[str, int] = {}
        self.left: list[Change] = []
        self.times: dict[int, int] = {}
        """When each command was accepted, by its sequence."""
        self.announced: list[RegistrationChanged] = []
        self.asked: list[AskedRow] = []
        """What the record of who asked holds."""

    def keep(self, changes: Iterable[Change], seq: int, time_us: int) -> None:
        """Store the changes of one command, at the model's time after it."""
        self.times[seq] = time_us
        for change in changes:
            if isinstance(change, AddEvidence):
                self.rows.append(Row(seq, change))
                self._keep_cause(seq, change)
            elif isinstance(change, PutItem):
                self.versions.append((seq, time_us, change.kind, change.path, change.body))
            elif isinstance(change, MarkWithdrawn):
                self.marks.append(Mark(seq, time_us, change))
            elif isinstance(change, NoteConsequence):
                cause = (change.seq, change.n)
                self.consequences.append(Consequence("", change.component_no, cause, seq, 0, 0, change.body))
            elif isinstance(change, CountCause):
                self._count(change)
            elif isinstance(change, ForgetUser):
                for kept in (self.versions, self.rows, self.marks, self.causes, self.consequences):
                    kept.clear()
            elif not isinstance(change, KeepHeldOrder):
                self._leave(change)

    def _leave(self, change: Change) -> None:
        if isinstance(change, RegistrationChanged):
            self.announced.append(change)
        else:
            self.left.append(change)

    def _keep_cause(self, seq: int, added: AddEvidence) -> None:
        cause = added.evidence.cause
        if cause is not None:
            grantee = "" if cause.person is None else grantee_of(added.evidence.source, cause.person)
            at = (cause.seq, cause.n)
            row = Consequence(grantee, cause.number, at, seq, added.n, added.component_no, None)
            self.consequences.append(row)

    def _count(self, change: CountCause) -> None:
        self.causes.pop(change.root, None)
        if change.count:
            self.causes[change.root] = change.count

    def read(self, reads: Sequence[Read]) -> list[Found]:
        """Answer reads from all that is kept."""
        return execute(reads, self.rows, self.marks)

    def follow(self, wanted: Follow) -> list[Followed]:
        """Find what follows from evidence."""
        withdrawn = {(mark.withdrawn.component_no, mark.withdrawn.seq, mark.withdrawn.n) for mark in self.marks}
        found = [
            Followed(
                origin=index,
                cause_seq=one.cause[0],
                cause_n=one.cause[1],
                seq=one.seq,
                n=one.n,
                component_no=one.component_no,
                withdrawn=(one.component_no, one.seq, one.n) in withdrawn,
                sent=one.sent,
            )
            for index, origin in enumerate(wanted.origins)
            for one in self.consequences
            if _follows(origin, one)
        ]
        return sorted(found, key=lambda one: (one.origin, one.place))[: wanted.limit]

    def of_command(self, need: list[Read] | Follow) -> list[Found] | list[Followed]:
        """Meet what a command needs."""
        return self.follow(need) if isinstance(need, Follow) else self.read(need)

    def meet(self, need: Need) -> Any:
        """Meet what an answer needs."""
        if isinstance(need, Resolve):
            return resolved_or_refused(need)
        if isinstance(need, Together):
            return [resolved_stored(one) for one in need.wanted]
        if isinstance(need, Recorded):
            since = need.since or 0.0
            return [row for row in self.asked if row.last >= since]
        if isinstance(need, Pause):
            return None
        if isinstance(need, Decisions):
            return self.decisions(need)
        return self.load_as_of(need) if isinstance(need, AsOf) else self.of_command(need)

    def decisions(self, wanted: Decisions) -> list[bytes]:
        """Give what was decided about apps, the oldest first."""
        found = [
            body
            for seq, _, kind, path, body in self.versions
            if kind == "decision" and seq <= wanted.seq and wanted.app in (None, path[0]) and body is not None
        ]
        return found[-wanted.limit :]

    def load_as_of(self, wanted: AsOf) -> Model | None:
        """Rebuild a model as it was, as a shard does."""
        until_us = ALWAYS if wanted.until_us is None else wanted.until_us
        seq = min(wanted.seq, max((seq for seq, time_us in self.times.items() if time_us <= until_us), default=0))
        time_us = max((time_us for at, time_us in self.times.items() if at <= seq), default=0)
        items = self.items(seq, until_us)
        return restore(wanted.user, items, seq, time_us if wanted.until_us is None else wanted.until_us)

    def items(self, seq_max: int = ALWAYS, until_us: int = ALWAYS) -> list[Item]:
        """Give the newest version of each item, as of a sequence and a time."""
        newest: dict[tuple[ItemKind, Path], bytes | None] = {}
        for seq, time_us, kind, path, body in self.versions:
            if seq <= seq_max and time_us <= until_us:
                newest[kind, path] = body
        return [Item(kind, path, body) for (kind, path), body in newest.items() if body is not None]

    def load(self, user: str, seq: int, time_us: int) -> Model | None:
        """Rebuild the model as it was then."""
        return restore(user, self.items(seq, time_us), seq, time_us, dict(self.causes))

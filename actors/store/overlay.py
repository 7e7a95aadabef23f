"""Reads of what was stored before a command: the committed rows, and over them the rows that wait for their commit.

The waiting rows come from later commands than all committed ones, so they stand behind them; in the order of holding
they are sorted in. A withdrawal that waits may be of a piece that is committed: then one more piece is read, so that
enough are left.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from actors.store.batch import Batch, EvidenceRow
from actors.store.sql import KIND_NUMBERS
from model.changes import Item, ItemKind
from model.evidence import held_place, marked, piece_id, type_of
from model.reads import Found, Read
from schemas.paths import Path, split_path

_Id = tuple[int, int]
"""The seq and n of a piece of evidence."""


class _Source(msgspec.Struct):
    """The app that has told a piece."""

    source: str


_source: Final = msgspec.json.Decoder(_Source)


class _Waiting(msgspec.Struct):
    """The waiting rows that one read is about, within its bounds."""

    read: Read
    rows: list[tuple[float, EvidenceRow]]
    """Each with the time from which on it held."""
    marks: dict[_Id, str]
    """Withdrawals that count, by the piece they withdraw: of committed and of waiting ones."""
    begins_held_order: bool
    """All that is committed is in the order of its acceptance."""

    def on_committed(self, committed_seq: int) -> list[_Id]:
        """Of a read that leaves out what has been withdrawn: the committed pieces that are withdrawn meanwhile."""
        if self.read.withdrawn != "left_out":
            return []
        return [at for at in self.marks if at[0] <= committed_seq]


def overlaid(
    reads: Sequence[Read], batches: Sequence[Batch], committed_seq: int
) -> Generator[list[Read], list[Found], list[Found]]:
    """Answer reads from the committed rows, for which it yields, and from those that wait in the batches."""
    waiting = [_waiting(read, batches) for read in reads]
    committed = yield [_of_committed(one, committed_seq) for one in waiting]
    merged: list[Found] = []
    for one, found in zip(waiting, committed, strict=True):
        if not one.rows and not one.marks:
            merged.append(found)
        elif one.read.count_only:
            hidden = yield from _count_hidden(one, committed_seq)
            merged.append(Found(count=found.count - hidden + sum(1 for _ in _shown(one))))
        elif one.read.by_source:
            merged.append(Found(bodies=[*found.bodies, *(_by_source(row) for _, row in one.rows)]))
        else:
            merged.append(_merged(one, found))
    return merged


def items_over(
    items: Iterable[Item], batches: Sequence[Batch], user_key: int, seq: int, until_us: int | None
) -> list[Item]:
    """Put the waiting items of a user, as they were at a sequence and time, over the committed ones."""
    latest: dict[tuple[ItemKind, Path], Item | None] = {(item.kind, item.path): item for item in items}
    for batch in batches:
        for key, kind, path, at_seq, at_us, body in batch.items:
            if key == user_key and at_seq <= seq and (until_us is None or at_us <= until_us):
                at = split_path(path)
                latest[kind, at] = None if body is None else Item(kind, at, body.encode())
    return [item for item in latest.values() if item is not None]


def last_until(batches: Sequence[Batch], until_us: int) -> int | None:
    """Give the sequence of the last waiting command at or before a time (microseconds); None if there is none."""
    known = (seq for batch in reversed(batches) for seq, time_us, *_ in reversed(batch.commands) if time_us <= until_us)
    return next(known, None)


def time_at(batches: Sequence[Batch], seq: int) -> int | None:
    """Give the time (microseconds) of the last waiting command up to a sequence; None if there is none."""
    known = (time_us for batch in reversed(batches) for at, time_us, *_ in reversed(batch.commands) if at <= seq)
    return next(known, None)


def _waiting(read: Read, batches: Sequence[Batch]) -> _Waiting:
    rows: list[tuple[float, EvidenceRow]] = []
    marks: dict[_Id, str] = {}
    begins_held_order = False
    for batch in batches:
        found = batch.about(read.component_no)
        if found is not None:
            begins_held_order |= found.begins_held_order
            rows += [(found.held.get(_id(row), row[4] / 1e6), row) for row in found.evidence]
            if read.withdrawn != "none":
                for _, seq, n, at_seq, at_us, body in found.withdrawals:
                    if _is_by_then(read, at_seq, at_us):
                        marks[seq, n] = body
    if rows:
        seq_max = _last_seq(read, batches)
        rows = [(held, row) for held, row in rows if row[1] <= seq_max and _matches(read, held, row)]
        rows.sort(key=(lambda one: (one[0], *_id(one[1]))) if read.by_held else (lambda one: _id(one[1])))
    return _Waiting(read, rows, marks, begins_held_order)


def _is_by_then(read: Read, seq: int, time_us: int) -> bool:
    """Tell whether a withdrawal counts."""
    if read.withdrawn_by is not None:
        return seq <= read.withdrawn_by
    return seq <= read.seq_max and (read.until_us is None or time_us <= read.until_us)


def _last_seq(read: Read, batches: Sequence[Batch]) -> int:
    """Imported evidence is older than its command, and was known only since then."""
    if read.until_us is None:
        return read.seq_max
    return min(read.seq_max, last_until(batches, read.until_us) or 0)


def _matches(read: Read, held: float, row: EvidenceRow) -> bool:
    _, seq, n, kind, creation_us, useby, body = row
    return (
        _is_within(read, (held, seq, n))
        and (read.until_us is None or creation_us <= read.until_us)
        and (read.since_us is None or creation_us >= read.since_us)
        and (read.kind is None or kind == KIND_NUMBERS[read.kind])
        and (read.unexpired_at is None or useby is None or useby > read.unexpired_at)
        and (read.types is None or type_of(body) in read.types)
    )


def _is_within(read: Read, place: tuple[float, int, int]) -> bool:
    """Tell whether a place, `(held, seq, n)`, is within the bounds of a read."""
    held, seq, n = place
    if read.after is not None:
        after_held = 0.0 if read.after_held is None else read.after_held
        if not (place > (after_held, *read.after) if read.by_held else (seq, n) > tuple(read.after)):
            return False
    return (read.held_from is None or held >= read.held_from) and (read.held_until is None or held <= read.held_until)


def _of_committed(one: _Waiting, committed_seq: int) -> Read:
    """Bound a read by what is committed, so that what it finds is so for ever, and widen it by what will be hidden."""
    read, more = one.read, len(one.on_committed(committed_seq))
    if not more and not one.begins_held_order and max(read.seq_max, read.withdrawn_by or 0) <= committed_seq:
        return read
    return msgspec.structs.replace(
        read,
        held_order=read.held_order and not one.begins_held_order,
        withdrawn_by=None if read.withdrawn_by is None else min(read.withdrawn_by, committed_seq),
        seq_max=min(read.seq_max, committed_seq),
        newest=None if read.newest is None else read.newest + more,
        limit=read.limit + more,
    )


def _count_hidden(one: _Waiting, committed_seq: int) -> Generator[list[Read], list[Found], int]:
    """Count the committed pieces that would be counted, had they not been withdrawn meanwhile."""
    ids = one.on_committed(committed_seq)
    bounded = msgspec.structs.replace(
        _of_committed(one, committed_seq),
        newest=None,
        limit=1,
        count_only=False,
        by_held=False,
        held_from=None,
        held_until=None,
        after_held=None,
    )
    reads = [msgspec.structs.replace(bounded, after=(seq, n - 1)) for seq, n in ids]
    if not reads:
        return 0
    found = yield reads
    return sum(
        _is_within(one.read, held_place(body))
        for at, each in zip(ids, found, strict=True)
        for body in each.bodies
        if piece_id(body) == at
    )


def _merged(one: _Waiting, found: Found) -> Found:
    """Put what waits behind what is committed, or in between, within the bounds of the read."""
    read = one.read
    committed = list(_remaining(one, found.bodies)) if one.marks else found.bodies
    if read.by_held:
        return _sorted_in(one, found, committed)
    if read.newest is None:
        if found.cut:
            return Found(bodies=committed, cut=True)
        return _bounded([*committed, *_shown(one)][: read.limit], read.max_bytes)
    bodies = [*committed, *_shown(one)][-read.newest :]
    newest = _bounded(bodies[::-1], read.max_bytes)
    return Found(bodies=newest.bodies[::-1], cut=newest.cut or (found.cut and len(bodies) < read.newest))


def _sorted_in(one: _Waiting, found: Found, committed: list[bytes]) -> Found:
    """Merge in the order of holding. Where the committed ones were cut, what waits beyond the cut is left out, too."""
    read, waiting = one.read, [*_shown(one)]
    if found.cut:
        edge = held_place(found.bodies[-1 if read.newest is None else 0])
        waiting = [body for body in waiting if (held_place(body) < edge) == (read.newest is None)]
    merged = sorted([*committed, *waiting], key=held_place)
    if read.newest is None:
        some = _bounded(merged[: read.limit], read.max_bytes)
        return Found(bodies=some.bodies, cut=some.cut or (found.cut and len(merged) < read.limit))
    some = _bounded(merged[-read.newest :][::-1], read.max_bytes)
    return Found(bodies=some.bodies[::-1], cut=some.cut or (found.cut and len(merged) < read.newest))


def _bounded(bodies: list[bytes], max_bytes: int) -> Found:
    """Take pieces until they have so many bytes, as the shard does."""
    size = 0
    for count, body in enumerate(bodies):
        if size >= max_bytes:
            return Found(bodies=bodies[:count], cut=True)
        size += len(body)
    return Found(bodies=bodies, cut=size >= max_bytes)


def _remaining(one: _Waiting, committed: Sequence[bytes]) -> Iterator[bytes]:
    for body in committed:
        mark = one.marks.get(piece_id(body))
        if mark is None:
            yield body
        elif one.read.withdrawn == "marked":
            yield marked(body, mark.encode())


def _shown(one: _Waiting) -> Iterator[bytes]:
    """Give the waiting pieces, as far as they are not withdrawn in their turn."""
    for _, row in one.rows:
        mark = one.marks.get(_id(row))
        if mark is None:
            yield row[-1].encode()
        elif one.read.withdrawn == "marked":
            yield marked(row[-1].encode(), mark.encode())


def _by_source(row: EvidenceRow) -> bytes:
    told = _source.decode(row[-1])
    return msgspec.json.encode({"source": told.source, "count": 1, "first_us": row[4], "last_us": row[4]})


def _id(row: EvidenceRow) -> _Id:
    return row[1], row[2]

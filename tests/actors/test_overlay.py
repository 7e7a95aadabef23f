"""Reads over committed rows and over those that wait for their commit."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from actors.driving import drive
from actors.store.batch import Batch
from actors.store.keys import command_key
from actors.store.overlay import overlaid
from actors.store.shard import Shard
from model.changes import AddEvidence, Change, KeepHeldOrder, add, mark_withdrawn
from model.reads import Found, Read
from schemas.evidence import Evidence, Withdrawal
from schemas.replies import Accepted
from tests.model.memory_store import MemoryStore

COMPONENTS = [7, 8]
MARK = Withdrawal(by="llum", time=5.0)
MOMENTS = [0.0, 2e-6, 3e-6, 5e-6, 9e-6]
"""Times of evidence, among those of commands: seconds since 1970."""


class Stored(NamedTuple):
    """What one command has left."""

    time_us: int
    changes: list[Change]


@st.composite
def histories(draw: st.DrawFn) -> list[Stored]:
    """Commands that add evidence, some of it imported and old, and that withdraw what is there and not withdrawn.

    A component is kept in the order of holding from its first evidence on that did not hold from its acceptance.
    """
    history: list[Stored] = []
    in_held_order: set[int] = set()
    there: list[AddEvidence] = []
    time_us = 0
    for seq in range(1, draw(st.integers(1, 9)) + 1):
        time_us += draw(st.integers(0, 3))
        changes: list[Change] = []
        for n in range(draw(st.sampled_from([1, 1, 1, 0, 2, 3]))):
            changes += _added(draw, seq, n, time_us, in_held_order)
        changes = _as_a_command_does(changes)
        there += [change for change in changes if isinstance(change, AddEvidence)]
        while there and draw(st.integers(0, 3)) == 0:
            piece = there.pop(draw(st.integers(0, len(there) - 1)))
            changes.append(mark_withdrawn(piece.component_no, piece.evidence.seq, piece.n, MARK))
        history.append(Stored(time_us, changes))
    return history


def _as_a_command_does(changes: list[Change]) -> list[Change]:
    """Have what begins an order of holding stand before all evidence of the command, which then is in that order."""
    begun = [change for change in changes if isinstance(change, KeepHeldOrder)]
    numbers = {change.component_no for change in begun}
    pieces = [change for change in changes if isinstance(change, AddEvidence)]
    return [
        *begun,
        *(
            add(one.evidence, one.component_no, one.creation_us, one.held is not None or one.component_no in numbers)
            for one in pieces
        ),
    ]


def _added(draw: st.DrawFn, seq: int, n: int, time_us: int, in_held_order: set[int]) -> list[Change]:
    component_no = draw(st.sampled_from(COMPONENTS))
    creation_us = time_us - draw(st.sampled_from([0, 0, 0, 2, 5]))
    time = draw(st.sampled_from([None, None, None, *MOMENTS]))
    begun: list[Change] = []
    if (time is not None or creation_us != time_us) and component_no not in in_held_order:
        in_held_order.add(component_no)
        begun = [KeepHeldOrder(component_no)]
    evidence = Evidence(
        seq=seq,
        n=n,
        value=draw(st.integers(0, 9)),
        source="llum",
        owner="alice",
        time=time,
        creation_time=creation_us / 1e6,
        evidence_type=draw(st.sampled_from(["explicit", "explicit", "inferred"])),
        flags=draw(st.sampled_from([[], ["goal"]])),
        correction=draw(st.integers(0, 4)) == 0,
        useby=draw(st.sampled_from([None, None, 3.0, 9.0])),
    )
    return [*begun, add(evidence, component_no, creation_us, component_no in in_held_order)]


@st.composite
def reads(draw: st.DrawFn) -> Read:
    newest = draw(st.sampled_from([None, None, 1, 2, 5]))
    by_held = draw(st.booleans())
    after = draw(st.one_of(st.none(), st.none(), st.tuples(st.integers(0, 9), st.integers(-1, 2))))
    return Read(
        by_held=by_held,
        held_from=draw(st.sampled_from([None, None, *MOMENTS])) if by_held else None,
        held_until=draw(st.sampled_from([None, None, *MOMENTS])),
        after_held=draw(st.sampled_from(MOMENTS)) if by_held and after is not None else None,
        component_no=draw(st.sampled_from(COMPONENTS)),
        seq_max=draw(st.sampled_from([*range(10), 99, 99, 99])),
        until_us=draw(st.one_of(st.none(), st.integers(-3, 20))),
        kind=draw(st.sampled_from([None, None, "plain", "goal", "correction"])),
        since_us=draw(st.one_of(st.none(), st.integers(-3, 20))),
        after=after,
        unexpired_at=draw(st.sampled_from([None, None, 3.0, 5.0])),
        types=draw(st.sampled_from([None, None, frozenset({"explicit"}), frozenset({"inferred", "implicit"})])),
        withdrawn=draw(st.sampled_from(["none", "left_out", "left_out", "marked"])),
        withdrawn_by=draw(st.sampled_from([None, None, 2, 5, 99])),
        newest=newest,
        limit=newest or draw(st.sampled_from([1, 2, 3, 50])),
        count_only=draw(st.sampled_from([False, False, True])),
    )


def batch_of(history: Sequence[Stored], first_seq: int) -> Batch:
    batch = Batch()
    for seq, stored in enumerate(history, first_seq):
        batch.add_changes(1, "alice", stored.changes, seq, stored.time_us)
        batch.add_command(
            command_key("alice", "llum", str(seq)), 1, seq, stored.time_us, Accepted(id=str(seq), seq=seq)
        )
        batch.applied_seq = seq
    return batch


async def found_over(
    path: Path, history: Sequence[Stored], committed: int, under_way: int, wanted: Sequence[Read]
) -> list[Found]:
    """Answer reads when the first commands are committed, some are under way to the disk, and the rest gather."""
    shard = await Shard.open(path)
    try:
        if committed:
            await shard.write(batch_of(history[:committed], 1))
        gathers = committed + under_way
        batches = [batch_of(history[committed:gathers], committed + 1), batch_of(history[gathers:], gathers + 1)]
        return await drive(overlaid(wanted, batches, shard.committed_seq), shard.read)
    finally:
        await shard.close()


@contextmanager
def shards() -> Iterator[Any]:
    with tempfile.TemporaryDirectory() as folder:
        yield lambda name: Path(folder) / f"{name}.db"


def compare(history: Sequence[Stored], split: int, under_way: int, wanted: Sequence[Read]) -> None:
    kept = {change.component_no for one in history for change in one.changes if isinstance(change, KeepHeldOrder)}
    wanted = [_in_order_of(one, kept) for one in wanted]
    with shards() as shard:
        whole = asyncio.run(found_over(shard("whole"), history, len(history), 0, wanted))
        parted = asyncio.run(found_over(shard("parted"), history, min(split, len(history)), under_way, wanted))
    assert parted == whole
    if all(one.until_us is None for one in wanted):
        assert whole == in_memory(history, wanted)


def _in_order_of(read: Read, kept: set[int]) -> Read:
    """Read a component as it is kept. The place of a piece without a time of its own is that of its acceptance."""
    if read.component_no not in kept and read.after is not None:
        read = msgspec.structs.replace(read, after_held=None if read.after_held is None else -1.0)
    return msgspec.structs.replace(read, held_order=read.component_no in kept)


def in_memory(history: Sequence[Stored], wanted: Sequence[Read]) -> list[Found]:
    """Answer reads as plainly as can be said."""
    store = MemoryStore()
    for seq, stored in enumerate(history, 1):
        store.keep(stored.changes, seq, stored.time_us)
    return store.read(wanted)


def _evidence(seq: int) -> Evidence:
    return Evidence(seq=seq, source="llum", owner="alice", time=1.0, creation_time=0.0)


def _piece(seq: int) -> AddEvidence:
    return add(_evidence(seq), 7, seq)


IMPORTED = [Stored(3, [_piece(1)]), Stored(20, [add(_evidence(2), 7, 4)])]
"""The second was held elsewhere before it was known here."""

HIDDEN = [Stored(seq, [_piece(seq)]) for seq in (1, 2, 3)] + [Stored(4, [mark_withdrawn(7, 1, 0, MARK)])]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.integers(0, 9), st.integers(0, 4), st.lists(reads(), min_size=1, max_size=8))
@example(HIDDEN, 3, 1, [Read(component_no=7, seq_max=99, withdrawn="left_out", limit=1)])
@example(HIDDEN, 3, 1, [Read(component_no=7, seq_max=99, withdrawn="left_out", newest=3, limit=3)])
@example(HIDDEN, 3, 1, [Read(component_no=7, seq_max=99, withdrawn="left_out", limit=9, count_only=True)])
@example(HIDDEN, 3, 1, [Read(component_no=7, seq_max=99, withdrawn="marked", limit=9)])
@example(HIDDEN, 3, 1, [Read(component_no=7, seq_max=2, withdrawn="left_out", withdrawn_by=99, limit=1)])
@example(HIDDEN, 3, 1, [Read(component_no=7, seq_max=2, withdrawn="left_out", withdrawn_by=99, newest=2, limit=2)])
@example(
    HIDDEN, 3, 1, [Read(component_no=7, seq_max=2, withdrawn="left_out", withdrawn_by=99, limit=9, count_only=True)]
)
@example(IMPORTED, 1, 1, [Read(component_no=7, seq_max=99, until_us=10, limit=9)])
def test_it_makes_no_difference_what_is_committed_yet(
    history: list[Stored], split: int, under_way: int, wanted: list[Read]
) -> None:
    """Whatever the bounds of a read, any split into committed and waiting rows gives what all committed gives."""
    compare(history, split, under_way, wanted)


def test_what_is_read_over_waiting_rows_is_true_after_their_commit() -> None:
    """What memory keeps of it stays true."""

    async def scenario() -> tuple[list[Found], list[Found]]:
        read = Read(component_no=7, seq_max=99, limit=9)
        with shards() as shard_path:
            shard = await Shard.open(shard_path("one"))
            await shard.write(batch_of(HIDDEN[:1], 1))
            waiting = batch_of(HIDDEN[1:3], 2)
            over = await drive(overlaid([read], [waiting], shard.committed_seq), shard.read)
            await shard.write(waiting)
            after = await shard.read([read])
            await shard.close()
        return over, after

    over, after = asyncio.run(scenario())
    assert over == after
    assert len(after[0].bodies) == 3

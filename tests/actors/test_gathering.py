"""Reading much evidence.

Goal: what is read in parts is what one plain look at all rows gives, within its bounds of pieces and bytes, and large
reads come one at a time. Method: reads with every combination of bounds, over rows of all sizes, and parts so small
that most reads have several.
"""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from actors.store import gathering
from actors.store.batch import Batch
from actors.store.gathering import LargeReads, gather
from actors.store.keys import command_key
from actors.store.shard import Shard
from model.changes import AddEvidence, MarkWithdrawn, add, mark_withdrawn
from model.reads import Read
from schemas.errors import Code, Transient
from schemas.evidence import Evidence, Withdrawal
from schemas.replies import Accepted
from tests.model.memory_store import Mark, Row, execute
from tests.waiting import until

PIECES = 150
COMPONENT = 7
SEED = 5
MARK = Withdrawal(by="llum", time=5.0)


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "FIRST_PIECES", 7)
    monkeypatch.setattr(gathering, "FIRST_BYTES", 2000)
    monkeypatch.setattr(gathering, "PIECES_AT_ONCE", 20)
    monkeypatch.setattr(gathering, "BYTES_AT_ONCE", 5000)


def pieces() -> list[AddEvidence]:
    """Evidence of all sizes, of one component: two pieces of each command."""
    chance = random.Random(SEED)
    return [_piece(1 + at // 2, at % 2, "ü\n" * chance.choice([1, 5, 50, 1500])) for at in range(PIECES)]


def _piece(seq: int, n: int, value: str) -> AddEvidence:
    flags = ["goal"] if seq % 3 == 0 else []
    told = Evidence(
        seq=seq, n=n, value=value, source="llum", owner="alice", time=1.0, creation_time=seq / 1e6, flags=flags
    )
    return add(told, COMPONENT, seq)


def withdrawn(told: Sequence[AddEvidence]) -> list[MarkWithdrawn]:
    return [mark_withdrawn(COMPONENT, one.evidence.seq, one.n, MARK) for one in told[::5]]


@pytest.fixture
async def shard(tmp_path: Path) -> AsyncIterator[Shard]:
    """A shard that holds the pieces, every fifth withdrawn by a last command."""
    made = await Shard.open(tmp_path / "7.db")
    told, batch = pieces(), Batch()
    last = told[-1].evidence.seq + 1
    for seq, changes in itertools.groupby(told, key=lambda one: one.evidence.seq):
        batch.add_changes(1, "alice", list(changes), seq, seq)
        batch.add_command(command_key("alice", "llum", str(seq)), 1, seq, seq, Accepted(id=str(seq), seq=seq))
    batch.add_changes(1, "alice", withdrawn(told), last, last)
    batch.applied_seq = last
    await made.write(batch)
    yield made
    await made.close()


def reads() -> list[Read]:
    options: dict[str, list[Any]] = {
        "withdrawn": ["none", "left_out", "marked"],
        "newest": [None, 2, 30, 1000],
        "kind": [None, "goal"],
        "since_us": [None, 10],
        "after": [None, (40, 0)],
        "max_bytes": [1, 4000, 20_000, 10**9],
    }
    made = [dict(zip(options, chosen, strict=True)) for chosen in itertools.product(*options.values())]
    return [Read(component_no=COMPONENT, seq_max=10**6, limit=one["newest"] or 99, **one) for one in made]


async def test_read_in_parts_or_at_once_is_the_same(shard: Shard) -> None:
    """Whatever the bounds: the same pieces in the same order, and the same word on whether there is more."""
    told = pieces()
    rows = [Row(one.evidence.seq, one) for one in told]
    marks = [Mark(told[-1].evidence.seq + 1, 0, one) for one in withdrawn(told)]
    for read in reads():
        assert await shard.read([read]) == execute([read], rows, marks), read


class Rows:
    """Stands in for the connection of a shard: gives some parts at once, further ones when the test lets it."""

    def __init__(self, pieces: int, size: int, parts_at_once: int = 10**6) -> None:
        self.let_go = asyncio.Event()
        self.asked = 0
        self.looked_at: list[int] = []
        """How many pieces each part was allowed to look at."""
        self._parts_at_once = parts_at_once
        self._left = pieces
        self._size = size

    async def fetch(self, _statement: str, values: list[Any]) -> list[Any]:
        self.asked += 1
        if self.asked > self._parts_at_once:
            await self.let_go.wait()
        *_, limit, max_bytes = values
        self.looked_at.append(limit)
        count = min(limit, self._left, -(-max_bytes // self._size))
        self._left -= count
        body = '{"seq":1,"x":"' + "x" * (self._size - 16) + '"}'
        return [(count, "\n".join([body] * count), None)]


READ = Read(component_no=COMPONENT, seq_max=10**6, limit=100_000)


async def test_no_part_is_larger_than_its_bounds() -> None:
    """Of large pieces few are read at a time, of small ones many; the whole has the bytes that the read allows."""
    for size, parts in ((50, 100 // 20 + 1), (2500, 100 // 2)):
        rows = Rows(100, size)
        found = await gather(rows.fetch, READ, LargeReads())
        assert len(found.bodies) == 100
        assert not found.cut
        assert rows.asked >= parts
        assert all(pieces * size <= 2 * gathering.BYTES_AT_ONCE for pieces in rows.looked_at[1:])
    rows = Rows(10_000, 2500)
    bounded = Read(component_no=COMPONENT, seq_max=10**6, limit=100_000, max_bytes=30_000)
    found = await gather(rows.fetch, bounded, LargeReads())
    assert found.cut
    assert sum(map(len, found.bodies)) == 30_000


async def test_large_reads_come_one_at_a_time_and_small_ones_pass_them() -> None:
    """A second large read stops after its first part; a small one is done meanwhile."""
    large, first, second = LargeReads(), Rows(100, 50, parts_at_once=1), Rows(100, 50)
    reads = [asyncio.create_task(gather(rows.fetch, READ, large)) for rows in (first, second)]
    await until(lambda: first.asked == 2 and second.asked == 1, "the first goes on, the second waits")
    assert len((await gather(Rows(5, 50).fetch, READ, large)).bodies) == 5
    assert second.asked == 1
    first.let_go.set()
    assert [len((await one).bodies) for one in reads] == [100, 100]


async def test_who_leaves_gives_up_the_turn() -> None:
    """A large read that is cancelled, while it reads or while it waits, holds nobody up."""
    large, reading, waiting = LargeReads(max_waiting=2), Rows(100, 50, parts_at_once=1), Rows(100, 50)
    reads = [asyncio.create_task(gather(rows.fetch, READ, large)) for rows in (reading, waiting)]
    await until(lambda: reading.asked == 2 and waiting.asked == 1, "one reads, the other waits")
    for read in reads:
        read.cancel()
    await asyncio.gather(*reads, return_exceptions=True)
    assert len((await gather(Rows(100, 50).fetch, READ, large)).bodies) == 100


async def test_when_too_many_wait_the_next_is_told_to_come_again() -> None:
    """Each that waits holds a first part in memory."""
    large, rows = LargeReads(max_waiting=1), Rows(100, 50, parts_at_once=1)
    reading = asyncio.create_task(gather(rows.fetch, READ, large))
    await until(lambda: rows.asked == 2, "it goes on after its first part")
    with pytest.raises(Transient) as raised:
        await gather(Rows(100, 50).fetch, READ, large)
    assert raised.value.code is Code.UNAVAILABLE
    rows.let_go.set()
    assert len((await reading).bodies) == 100

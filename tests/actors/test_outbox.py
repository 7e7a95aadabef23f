"""What leaves a partition: each person's in order, past people whose entries wait; what has left is recorded."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from actors.effects import outbox
from actors.effects.outbox import Outbox
from actors.store.batch import Batch
from actors.store.shard import OutboxEntry, Shard
from tests.waiting import eventually, until

KIND = "test"


async def _nothing() -> None:
    """Record at once."""


class World:
    """A shard with entries, and where they go: those of a person who is held wait."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.left: list[int] = []
        self.checkpoints: list[int] = []
        self.held: dict[str, asyncio.Event] = {}
        self.failures = 0
        self.while_recording: Callable[[], Awaitable[None]] = _nothing
        self.outbox = self.start()

    def start(self) -> Outbox:
        """Begin anew, as after a restart."""
        self.outbox = Outbox(self.shard, {KIND: self._take}, self._checkpoint)
        return self.outbox

    async def add(self, *users: str) -> None:
        """Commit a command of each that leaves one entry; sequences count up from 1."""
        for user in users:
            batch = Batch()
            batch.applied_seq = self.shard.committed_seq + 1
            batch.add_entry(batch.applied_seq, KIND, msgspec.json.encode({"user": user}))
            await self.shard.write(batch)

    def hold(self, user: str) -> None:
        self.held[user] = asyncio.Event()

    async def waiting(self) -> list[int]:
        return [entry.seq for entry in await self.shard.outbox(1000)]

    async def _take(self, entry: OutboxEntry) -> None:
        held = self.held.get(msgspec.json.decode(entry.body)["user"])
        if held is not None:
            await held.wait()
        if self.failures:
            self.failures -= 1
            raise OSError("not now")
        self.left.append(entry.seq)

    async def _checkpoint(self, seq: int) -> None:
        self.checkpoints.append(seq)
        await self.while_recording()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    shard = await Shard.open(tmp_path / "one.db")
    yield World(shard)
    await shard.close()


@pytest.fixture
async def running(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(outbox, "CHECKPOINT_EVERY_S", 0.001)
    task = asyncio.create_task(world.outbox.run())
    yield world
    for held in world.held.values():
        held.set()
    world.outbox.stop()
    await task


async def test_all_leaves_and_is_recorded(world: World) -> None:
    """Nothing is left in the shard, and the checkpoint is behind the last."""
    await world.add("alice", "bob", "alice")
    await world.outbox.relay_all()
    assert sorted(world.left) == [1, 2, 3]
    assert world.checkpoints == [3]
    assert await world.waiting() == []


async def test_others_pass_by_who_waits(running: World) -> None:
    """What has left beyond is dropped; the checkpoint stays before what waits, and follows once that has left."""
    running.hold("alice")
    await running.add("bob", "alice", "bob", "alice", "carol")
    running.outbox.wake()

    async def dropped() -> bool:
        return await running.waiting() == [2, 4]

    await eventually(dropped)
    assert sorted(running.left) == [1, 3, 5]
    assert max(running.checkpoints) == 1
    running.held["alice"].set()
    await until(lambda: running.checkpoints[-1] == 5, "all is recorded")
    assert running.left[3:] == [2, 4]


async def test_after_a_restart_only_what_waits_leaves(world: World) -> None:
    """What has left beyond the checkpoint is not in the shard any more."""
    world.hold("alice")
    await world.add("alice", "bob")
    relaying = asyncio.create_task(world.outbox.relay_all())
    await until(lambda: world.left == [2], "bob's has left")
    await world.outbox.record()
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    world.held.clear()
    await world.start().relay_all()
    assert world.left == [2, 1]
    assert world.checkpoints == [1]


async def test_what_the_primary_before_has_relayed_is_passed_over(world: World) -> None:
    """It is dropped, and the checkpoint never goes back."""
    await world.add("alice", "bob", "alice")
    world.outbox.pass_over(2)
    await world.outbox.relay_all()
    assert world.left == [3]
    assert world.checkpoints == [3]
    assert await world.waiting() == []


async def test_more_waits_than_may_be_known(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is read as others leave."""
    monkeypatch.setattr(outbox, "MAX_KNOWN", 2)
    monkeypatch.setattr(outbox, "MAX_ENTRIES", 1)
    monkeypatch.setattr(outbox, "AHEAD", 2)
    await running.add(*["alice"] * 7, "bob")
    running.outbox.wake()
    await until(lambda: len(running.left) == 8, "all have left")
    assert [seq for seq in running.left if seq < 8] == list(range(1, 8))


async def test_few_people_are_at_work_at_once(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond that somebody waits for whoever is."""
    monkeypatch.setattr(outbox, "MAX_AT_WORK", 1)
    running.hold("alice")
    await running.add("alice", "bob")
    running.outbox.wake()
    await until(lambda: bool(running.outbox._at_work), "hers is in hand")
    assert len(running.outbox._at_work) == 1
    running.held["alice"].set()
    await until(lambda: running.left == [1, 2], "both have left")


async def test_what_fails_is_tried_again_in_its_place(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's later entries wait for it."""
    monkeypatch.setattr("bus.retrying.RETRY_S", 0.001)
    running.failures = 3
    await running.add("alice", "alice")
    running.outbox.wake()
    await until(lambda: running.left == [1, 2], "both have left, in their order")


async def test_stopping_finishes_what_is_in_hand(running: World) -> None:
    """And nothing more: the rest is for the next primary."""
    running.hold("alice")
    await running.add("alice", "alice", "bob")
    running.outbox.wake()
    await until(lambda: running.left == [3], "bob's has left")
    running.outbox.stop()
    running.held["alice"].set()
    await until(lambda: running.checkpoints[-1:] == [1], "hers is recorded")
    assert running.left == [3, 1]
    assert await running.waiting() == [2]


async def test_what_leaves_while_the_end_is_recorded_is_recorded_too(world: World) -> None:
    """Or the next primary would relay it again."""
    world.hold("bob")
    await world.add("alice", "bob")

    async def let_bob_go() -> None:
        world.held["bob"].set()
        await until(lambda: not world.outbox._at_work, "his has left")

    world.while_recording = let_bob_go
    running = asyncio.create_task(world.outbox.run())
    await until(lambda: bool(world.left), "hers has left")
    world.outbox.stop()
    await running
    assert world.checkpoints == [1, 2]
    assert await world.waiting() == []

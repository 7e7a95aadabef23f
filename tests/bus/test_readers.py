"""The readers of a worker: partitions join and leave at any time, and each gets its messages once and in order."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.jetstream import JetStream
from bus.log import LogMessage, LogReader, last_sequences, stream_last
from bus.readers import LogReaders
from bus.subjects import command_subject, partition_of
from schemas.errors import Transient
from tests.effort import seed
from tests.nats_server import kill_and_restart
from tests.waiting import DEADLINE_S, until

USERS = [f"user{number}" for number in range(50)]
PARTITIONS = sorted({partition_of(user, 64) for user in USERS})


class Reading:
    """What has been delivered, by partition."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.got: dict[int, list[int]] = defaultdict(list)
        self.first: dict[int, int] = {}
        self.failures: list[BaseException] = []
        self.room = 100_000
        self.readers = LogReaders(bus, 1, self._take, lambda: self.room, self.failures.append)

    def _take(self, messages: list[LogMessage]) -> None:
        for message in messages:
            self.got[message.partition].append(message.seq)

    async def join(self, *partitions: int, first: int | None = None) -> None:
        """Join together, from a sequence on, or from the end."""
        with self.readers.gathering():
            end = await stream_last(self.bus)
            for partition in partitions:
                self.first[partition] = end + 1 if first is None else first
                self.readers.join(partition, self.first[partition], end)

    async def until_read(self, upto: int) -> None:
        """Wait until every partition has been read up to a sequence."""
        await until(
            lambda: not self.failures and all(self.readers.position(one) >= upto for one in self.first),
            f"everything up to {upto}",
        )


@asynccontextmanager
async def reading(bus: Bus) -> AsyncIterator[Reading]:
    one = Reading(bus)
    try:
        yield one
        assert one.failures == []
    finally:
        await one.readers.close()


async def store(bus: Bus, count: int) -> int:
    """Store messages of all users in turn; give the last one's sequence."""
    subjects = [command_subject(USERS[number % 50], "app", "tell") for number in range(count)]
    await asyncio.gather(*(JetStream(bus).publish(subject, b"{}") for subject in subjects))
    return await stream_last(bus)


async def log_of(bus: Bus, partitions: list[int]) -> dict[int, list[int]]:
    """Read partitions from the beginning with a reader of its own."""
    got: dict[int, list[int]] = defaultdict(list)

    def take(messages: list[LogMessage]) -> None:
        for message in messages:
            got[message.partition].append(message.seq)

    last = await stream_last(bus)
    reader = LogReader(bus, dict.fromkeys(partitions, 1), take, lambda: 100_000)
    task = asyncio.create_task(reader.run())
    try:
        await until(lambda: reader.position >= last, "the whole log")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return got


async def test_partitions_that_join_together_are_read_together(bus: Bus) -> None:
    """By one reader; one that follows the end and one that is behind are two, until the one has caught up."""
    await store(bus, 500)
    async with reading(bus) as one:
        one.room = 0
        await one.join(*PARTITIONS[:10], first=1)
        assert len(one.readers) == 1
        await one.join(*PARTITIONS[10:20])
        assert len(one.readers) == 2
        one.room = 100_000
        one.readers.wake()
        last = await store(bus, 100)
        await one.until_read(last)
        await until(lambda: len(one.readers) == 1, "one reader that follows the end")
        last = await store(bus, 100)
        await one.until_read(last)
        expected = await log_of(bus, PARTITIONS[:20])
    for partition in PARTITIONS[:10]:
        assert one.got[partition] == expected[partition]
    for partition in PARTITIONS[10:20]:
        assert one.got[partition] == [seq for seq in expected[partition] if seq >= one.first[partition]]


async def test_who_is_there_does_not_wait_for_who_comes_late(bus: Bus) -> None:
    """A partition that joins far back is read by another reader: what is new does not wait for it."""
    await store(bus, 1000)
    early, late = partition_of("user1", 64), partition_of("user2", 64)
    async with reading(bus) as one:
        await one.join(early)
        one.readers._share = lambda: 0  # type: ignore[method-assign]
        await one.join(late, first=1)
        seq = await JetStream(bus).publish(command_subject("user1", "app", "tell"), b"{}")
        await until(lambda: one.got[early] == [seq], "the new message")
        assert one.got[late] == []


async def test_what_has_left_gets_nothing_more(bus: Bus) -> None:
    """And may join again where it left. A reader without partitions ends."""
    async with reading(bus) as one:
        await one.join(*PARTITIONS[:2], first=1)
        last = await store(bus, 200)
        await one.until_read(last)
        for partition in PARTITIONS[:2]:
            one.readers.leave(partition)
        one.readers.leave(PARTITIONS[2])
        before = {partition: list(one.got[partition]) for partition in PARTITIONS[:2]}
        await until(lambda: len(one.readers) == 0, "no reader")
        await store(bus, 200)
        assert {partition: one.got[partition] for partition in PARTITIONS[:2]} == before
        await one.join(*PARTITIONS[:2], first=last + 1)
        await one.until_read(await stream_last(bus))
        assert {partition: one.got[partition] for partition in PARTITIONS[:2]} == await log_of(bus, PARTITIONS[:2])


async def test_what_ends_the_reading_is_reported(bus: Bus) -> None:
    """A log that is shorter than what has been read of it."""
    one = Reading(bus)
    with one.readers.gathering():
        one.readers.join(3, 1000, 2000)
    await until(lambda: bool(one.failures), "the failure")
    assert "restore" in str(one.failures[0])
    await one.readers.close()


async def test_nothing_is_lost_doubled_or_disordered_by_coming_and_going(
    server: EmbeddedServer, bus: Bus, connect: Callable[[], Any]
) -> None:
    """Partitions join from the end or from far back and leave, while messages are stored and the server is killed."""
    chance = random.Random(seed())
    stored: list[int] = []
    publishing = asyncio.create_task(_publish(await connect(), stored))
    stays: dict[int, list[tuple[int, int]]] = defaultdict(list)
    async with reading(bus) as one:
        for turn in range(60):
            await _change(one, chance, stays)
            goal = len(stored) + chance.randrange(20)
            await until(lambda goal=goal: len(stored) >= goal, "messages in the log")  # type: ignore[misc]
            if turn % 25 == 24:
                await kill_and_restart(server)
                await bus.wait_connected(DEADLINE_S)
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        last = await stream_last(bus)
        await one.until_read(last)
        lasts = await last_sequences(bus, PARTITIONS)
        expected = await log_of(bus, PARTITIONS)
    for partition in PARTITIONS:
        ranges = [*stays[partition], *([(one.first[partition], last)] if partition in one.first else [])]
        wanted = [seq for begin, end in ranges for seq in expected[partition] if begin <= seq <= end]
        # A message that was on its way when the publisher was stopped may be stored behind the last that counts.
        got = [seq for seq in one.got[partition] if seq <= last]
        assert got == wanted, (partition, lasts[partition])


async def _publish(bus: Bus, stored: list[int]) -> None:
    while True:
        user = random.choice(USERS)
        try:
            stored.append(await JetStream(bus).publish(command_subject(user, "app", "tell"), b"{}", timeout_s=0.5))
        except Transient:
            await bus.wait_connected(5)


async def _change(one: Reading, chance: random.Random, stays: dict[int, list[tuple[int, int]]]) -> None:
    """Let some partitions join or leave; note what those that leave should have got, which is what they have."""
    for partition in chance.sample(PARTITIONS, 5):
        if partition in one.first:
            one.readers.leave(partition)
            begin = one.first.pop(partition)
            got = [seq for seq in one.got[partition] if seq >= begin]
            if got:
                stays[partition].append((begin, got[-1]))
        else:
            try:
                beyond = stays[partition][-1][1] + 1 if stays[partition] else 1
                await one.join(partition, first=None if chance.random() < 0.3 else beyond)
            except Transient:
                continue


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a killed server costs little."""
    monkeypatch.setattr("bus.log.LONGEST_PAUSE_S", 0.1)

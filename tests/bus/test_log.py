"""The log reader: every wanted message once, in order, whatever becomes of the server."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bus.connection import Bus
from bus.consumer import FEW_OUTSTANDING, LogConsumer
from bus.embedded import EmbeddedServer
from bus.errors import LogTruncatedError
from bus.jetstream import JetStream
from bus.log import LogMessage, LogReader, last_sequences, stream_last
from bus.streams import FIRST_SEQUENCE
from bus.subjects import LOG_STREAM, command_subject, partition_of
from schemas.errors import Transient
from tests.effort import seed
from tests.nats_server import kill_and_restart
from tests.waiting import DEADLINE_S, until

ALL = dict.fromkeys(range(64), 1)

ACK_S = 1.0
"""Seconds that a publisher waits before it takes its message for lost and goes on with the next."""


async def store(bus: Bus, user: str, data: bytes, headers: dict[str, str] | None = None) -> int:
    return await JetStream(bus).publish(command_subject(user, "app", "tell"), data, headers, timeout_s=DEADLINE_S)


async def store_many(bus: Bus, count: int) -> None:
    await asyncio.gather(*(store(bus, f"user{number % 50}", b"%d" % number) for number in range(count)))


@asynccontextmanager
async def reading(reader: LogReader) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(reader.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def plenty() -> int:
    return 100_000


def seqs(messages: list[LogMessage]) -> list[int]:
    return [message.seq for message in messages]


async def test_a_message_is_given_with_what_the_server_stamped_on_it(bus: Bus) -> None:
    """Sequence, time in microseconds, the mapped subject, the payload, and the inbox for the outcome."""
    got: list[LogMessage] = []
    await store(bus, "alice", b"hi", {"Llum-Reply-To": "_INBOX.abc.1"})
    async with reading(LogReader(bus, ALL, got.extend, plenty)):
        await until(lambda: bool(got), "the message")
    stored = await JetStream(bus).call(f"STREAM.MSG.GET.{LOG_STREAM}", {"seq": FIRST_SEQUENCE})
    partition = partition_of("alice", 64)
    assert got[0] == LogMessage(
        FIRST_SEQUENCE, got[0].time_us, partition, f"llum.log.{partition}.alice.app.tell", b"hi", "_INBOX.abc.1"
    )
    assert str(got[0].time_us % 1_000_000).zfill(6) in stored["message"]["time"].ljust(40, "0")


@pytest.mark.parametrize("named", ["$JS.API.STREAM.DELETE.LLUM_LOG_0", "llum.cmd.bob.app.tell", "_INBOX.*", ">", ""])
async def test_a_reply_subject_that_is_no_inbox_is_left_out(bus: Bus, named: str) -> None:
    """Nobody makes the worker publish where only the worker may."""
    got: list[LogMessage] = []
    await store(bus, "alice", b"hi", {"Llum-Reply-To": named})
    async with reading(LogReader(bus, ALL, got.extend, plenty)):
        await until(lambda: bool(got), "the message")
    assert got[0].reply_to is None


@pytest.mark.parametrize(
    ("headers", "settles"),
    [
        ({"Llum-Reply-To": "_INBOX.abc.1", "Llum-Settle": "1"}, True),
        ({"Llum-Settle": "1", "Llum-Reply-To": "_INBOX.abc.1"}, True),
        ({"Llum-Reply-To": "_INBOX.abc.1", "Llum-Settle": "0"}, False),
        ({"Llum-Reply-To": "_INBOX.abc.1", "Not-Llum-Settle": "1"}, False),
        ({"Llum-Settle": "1"}, False),
    ],
)
async def test_who_waits_for_rules_says_so(bus: Bus, headers: dict[str, str], settles: bool) -> None:
    """With 1, and with an inbox: nobody else waits for anything."""
    got: list[LogMessage] = []
    await store(bus, "alice", b"hi", headers)
    async with reading(LogReader(bus, ALL, got.extend, plenty)):
        await until(lambda: bool(got), "the message")
    assert got[0].settles is settles


@pytest.mark.parametrize("partitions", [1, 2, 3, 20])
async def test_a_subset_of_partitions_gets_its_messages_only(bus: Bus, partitions: int) -> None:
    """Be it that the server picks them out or the reader."""
    wanted = set(random.Random(partitions).sample([partition_of(f"user{n}", 64) for n in range(50)], partitions))
    await store_many(bus, 500)
    expected = [number for number in range(500) if partition_of(f"user{number % 50}", 64) in wanted]
    got: list[LogMessage] = []
    async with reading(LogReader(bus, dict.fromkeys(wanted, 1), got.extend, plenty)):
        await until(lambda: len(got) >= len(expected), "all of the partitions")
    assert seqs(got) == sorted(seqs(got))
    assert sorted(int(message.data) for message in got) == expected


async def test_each_partition_starts_at_its_own_sequence(bus: Bus) -> None:
    """A partition that is further on does not see again what it has applied."""
    await store_many(bus, 300)
    partition = partition_of("user7", 64)
    got: list[LogMessage] = []
    reader = LogReader(bus, {**ALL, partition: 200}, got.extend, plenty)
    async with reading(reader):
        await until(lambda: reader.position >= 300, "the end")
    mine = [message.seq for message in got if f".{partition}." in message.subject]
    assert mine
    assert min(mine) >= 200
    assert min(seqs(got)) == FIRST_SEQUENCE


async def test_no_more_is_delivered_than_there_is_room_for(bus: Bus) -> None:
    """And reading goes on when the receiver has made room."""
    await store_many(bus, 1000)
    got: list[LogMessage] = []
    taken = 0
    reader = LogReader(bus, ALL, got.extend, lambda: 100 + taken - len(got))
    async with reading(reader):
        while taken < 1000:
            full = min(1000, taken + 100)
            await until(lambda full=full: len(got) >= full, "a full mailbox")  # type: ignore[misc]
            assert len(got) <= taken + 100
            taken += 100
            reader.wake()
    assert seqs(got) == list(range(FIRST_SEQUENCE, FIRST_SEQUENCE + 1000))


async def test_who_reads_is_only_woken_where_there_is_something_to_do(bus: Bus) -> None:
    """A burst wakes the reader if it watches, or if it is time to ask for more: else each message would cost a wake."""
    got: list[LogMessage] = []
    consumer = LogConsumer(bus, 0, [], got.extend, LOG_STREAM)
    await consumer.open(0)
    await consumer.request(FEW_OUTSTANDING + 3)
    for watched, few, woken in ((True, False, True), (False, False, False), (False, True, True)):
        consumer.watched = watched
        consumer.changed.clear()
        before = len(got)
        await store(bus, "alice", b"hi")
        await until(lambda before=before: len(got) > before, "the message")  # type: ignore[misc]
        assert consumer.few_outstanding is few
        assert consumer.changed.is_set() is woken
    await consumer.close()


async def test_large_messages_do_not_stop_at_the_request_s_size(bus: Bus) -> None:
    """Ten messages of 4 MB are more than one request may bring."""
    got: list[LogMessage] = []
    async with reading(LogReader(bus, ALL, got.extend, plenty)):
        for number in range(10):
            await store(bus, "alice", b"%d" % number * 4_000_000)
        await until(lambda: len(got) == 10, "all of them")
    assert [message.data[:1] for message in got] == [b"%d" % number for number in range(10)]


async def test_the_position_passes_messages_that_are_not_wanted(bus: Bus) -> None:
    """So a partition with nothing to do knows how far the log has been looked at."""
    other = next(partition for partition in range(64) if partition != partition_of("alice", 64))
    reader = LogReader(bus, {other: 1}, lambda _messages: pytest.fail("not wanted"), plenty)
    async with reading(reader):
        last = await store(bus, "alice", b"hi")
        await until(lambda: reader.position >= last, "the position")


async def test_a_deleted_consumer_is_replaced(bus: Bus) -> None:
    """Whoever deletes it: the server, after long idleness, or an operator."""
    got: list[LogMessage] = []
    await store_many(bus, 10)
    async with reading(LogReader(bus, ALL, got.extend, plenty)):
        await until(lambda: len(got) == 10, "the first ten")
        for name in (await JetStream(bus).call(f"CONSUMER.NAMES.{LOG_STREAM}"))["consumers"]:
            await JetStream(bus).call(f"CONSUMER.DELETE.{LOG_STREAM}.{name}")
        await store_many(bus, 10)
        await until(lambda: len(got) == 20, "the next ten")
    assert seqs(got) == list(range(FIRST_SEQUENCE, FIRST_SEQUENCE + 20))


async def test_a_purged_message_leaves_a_gap_and_no_more(bus: Bus) -> None:
    """Forgetting a person purges their subjects; the others' messages are read as before."""
    await store_many(bus, 100)
    await JetStream(bus).call(f"STREAM.PURGE.{LOG_STREAM}", {"filter": "llum.log.*.user7.*.*"})
    got: list[LogMessage] = []
    reader = LogReader(bus, ALL, got.extend, plenty)
    async with reading(reader):
        await until(lambda: reader.position >= 100, "the end")
    assert len(got) == 98
    assert seqs(got) == sorted(seqs(got))


async def test_what_the_receiver_raises_ends_the_reading(bus: Bus) -> None:
    """A receiver that fails is a bug: it is not swallowed."""

    def broken(_messages: list[LogMessage]) -> None:
        raise ValueError("on purpose")

    await store(bus, "alice", b"hi")
    with pytest.raises(ValueError, match="on purpose"):
        await LogReader(bus, ALL, broken, plenty).run()


async def test_a_log_that_ends_before_what_was_applied_is_not_read(bus: Bus) -> None:
    """New commands would get sequences that have been applied already, and be passed over in silence."""
    await store(bus, "alice", b"hi")
    with pytest.raises(LogTruncatedError) as caught:
        await LogReader(bus, {3: 1000}, lambda _messages: None, plenty).run()
    assert "restore" in caught.value.hint


async def test_the_last_sequence_of_each_partition_is_told(bus: Bus) -> None:
    """0 for one that has none."""
    await store_many(bus, 50)
    last = await store(bus, "alice", b"hi")
    found = await last_sequences(bus, range(64))
    users = {partition_of(f"user{number}", 64) for number in range(50)} | {partition_of("alice", 64)}
    assert found[partition_of("alice", 64)] == last == await stream_last(bus) == FIRST_SEQUENCE + 50
    assert {partition for partition, seq in found.items() if seq} == users


class Publisher:
    """Stores numbered messages as fast as the server takes them, and notes which were acknowledged."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._next = 0
        self.acknowledged: dict[int, int] = {}

    async def run(self) -> None:
        while True:
            number, self._next = self._next, self._next + 1
            try:
                seq = await JetStream(self._bus).publish(
                    command_subject(f"user{number % 50}", "app", "tell"), b"%d" % number, timeout_s=ACK_S
                )
            except Transient:
                await self._bus.wait_connected(DEADLINE_S)
            else:
                self.acknowledged[number] = seq


@asynccontextmanager
async def publishing(buses: list[Bus]) -> AsyncIterator[list[Publisher]]:
    publishers = [Publisher(bus) for bus in buses for _ in range(4)]
    tasks = [asyncio.create_task(publisher.run()) for publisher in publishers]
    try:
        yield publishers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


WANTED = {"all": range(64), "some": range(0, 64, 3), "one": [partition_of("user7", 64)]}


@pytest.mark.storm
@pytest.mark.parametrize("wanted", WANTED.values(), ids=WANTED)
async def test_nothing_is_lost_doubled_or_disordered_by_killing_the_server(
    server: EmbeddedServer, bus: Bus, connect: Callable[[], "asyncio.Future[Bus]"], wanted: list[int]
) -> None:
    """Messages are stored while they are read and the server is killed at random moments: what was read is the log."""
    chance = random.Random(seed())
    got: list[LogMessage] = []
    reader = LogReader(bus, dict.fromkeys(wanted, 1), got.extend, plenty)
    async with reading(reader), publishing([await connect()]) as publishers:
        for _ in range(4):
            before = reader.position
            goal = before + chance.randrange(1, 400)
            await until(lambda goal=goal: reader.position >= goal, "progress")  # type: ignore[misc]
            await kill_and_restart(server)
        await until(lambda: reader.position > before, "reading after the last kill")
        assert await bus.wait_connected(DEADLINE_S)
        acknowledged = {seq for publisher in publishers for seq in publisher.acknowledged.values()}
        last = await stream_last(bus)
        await until(lambda: reader.position >= last, "the end of the log")
    assert acknowledged
    fresh: list[LogMessage] = []
    other = LogReader(await connect(), dict.fromkeys(wanted, 1), fresh.extend, plenty)
    async with reading(other):
        await until(lambda: other.position >= last, "the whole log, read again")
    upto = [message for message in got if message.seq <= last]
    assert upto == [message for message in fresh if message.seq <= last]
    assert seqs(got) == sorted(set(seqs(got)))
    if len(wanted) == 64:
        assert {seq for seq in acknowledged if seq <= last} <= set(seqs(got))


@pytest.mark.parametrize(("leader", "position"), [("", 50), ("another-server", 0)])
async def test_only_the_leader_of_a_stream_knows_that_nothing_is_there(bus: Bus, leader: str, position: int) -> None:
    """Another server of a cluster may be behind: who believed it would pass over what is not there yet."""
    consumer = LogConsumer(bus, 0, [], lambda _: None, LOG_STREAM)
    await consumer.open(50, leader)
    assert consumer.position == position
    await consumer.close()

"""What the log has at one place."""

import asyncio
from pathlib import Path

import pytest

from bus import log_places
from bus.connection import Bus
from bus.jetstream import JetStream
from bus.log import LogMessage, LogReader
from bus.log_places import gaps_of, message_at, microseconds
from bus.subjects import LOG_STREAM, command_subject, partition_of
from tests.nats_server import installed_server
from tests.waiting import until


async def test_a_message_is_the_same_as_the_reader_delivers_it(tmp_path: Path) -> None:
    """To the microsecond, or its digest would be another one. Where nothing is, there is none."""
    async with installed_server(tmp_path, 64, log_streams=1) as server:
        bus = await Bus.connect(server.url_as("operator"), name="test")
        partition = partition_of("alice", 64)
        for number in range(20):
            await JetStream(bus).publish(command_subject("alice", "app", "tell"), b"%d" % number)
        read: list[LogMessage] = []
        reader = LogReader(bus, {partition: 1}, read.extend, lambda: 100)
        task = asyncio.create_task(reader.run())
        await until(lambda: len(read) == 20, "all is read")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert [await message_at(bus, LOG_STREAM, message.seq) for message in read] == read
        assert await message_at(bus, LOG_STREAM, read[-1].seq + 1) is None
        await bus.close()


async def test_deleted_messages_are_known_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those before the first message, too. Where they are too many to be listed, any may be one."""
    async with installed_server(tmp_path, 64, log_streams=1) as server:
        bus = await Bus.connect(server.url_as("operator"), name="test")
        subject = command_subject("alice", "app", "tell")
        first, second, third, fourth = [await JetStream(bus).publish(subject, b"hi") for _ in range(4)]
        for seq in (first, third):
            assert await JetStream(bus).erase(LOG_STREAM, seq)
        gaps = await gaps_of(bus, LOG_STREAM)
        assert (gaps.first_seq, gaps.last_seq) == (second, fourth)
        assert [gaps.may_be_deleted(seq) for seq in (first, second, third, fourth)] == [True, False, True, False]
        monkeypatch.setattr(log_places, "MAX_LISTED", 0)
        assert (await gaps_of(bus, LOG_STREAM)).may_be_deleted(fourth)
        await bus.close()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000),
        ("1970-01-01T00:00:01.000001999Z", 1_000_001),
        ("2026-11-26T15:00:00.123456789Z", 1_795_705_200_123_456),
    ],
)
def test_times_are_cut_to_the_microsecond(written: str, expected: int) -> None:
    """As nats-server's other way of writing them is."""
    assert microseconds(written) == expected

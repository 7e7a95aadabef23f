"""The publisher brings everything onto the bus, in order, whatever the bus does. Here the bus is a fake."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest

from schemas.errors import Code, Refusal, Transient
from sensors.publisher import Publisher, Store
from sensors.spool import Entry, Spool


def entry(number: int) -> Entry:
    return Entry("alice", "probe", "tell", str(number).encode())


class FakeBus:
    """Keeps what is stored. `fault` is called before each store, and may raise."""

    def __init__(self) -> None:
        self.stored: list[int] = []
        self.reachable = True
        self.fault: Callable[[int], None] = lambda number: None
        self.connections = 0
        self.attempts = 0
        self.under_way = 0
        self.most_under_way = 0

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Store]:
        self.attempts += 1
        if not self.reachable:
            raise Transient(Code.UNAVAILABLE, "away")
        self.connections += 1
        yield self._store

    async def _store(self, entry: Entry) -> None:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            if not self.reachable:
                raise Transient(Code.UNAVAILABLE, "away")
            self.fault(int(entry.payload))
            self.stored.append(int(entry.payload))
        finally:
            self.under_way -= 1

    def unrepeated(self) -> list[int]:
        """What a worker makes of it: repeats change nothing."""
        return list(dict.fromkeys(self.stored))


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
async def publisher(spool: Spool, bus: FakeBus, monkeypatch) -> AsyncIterator[Publisher]:
    monkeypatch.setattr("sensors.publisher.FIRST_RETRY_S", 0.001)
    monkeypatch.setattr("sensors.publisher.LONGEST_RETRY_S", 0.01)
    publisher = Publisher(spool, bus.connect)
    task = asyncio.create_task(publisher.run())
    yield publisher
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_entries_are_stored_in_order_and_leave_the_spool(publisher, spool, bus):
    spool.append(*map(entry, range(200)))
    assert await publisher.flush(30)
    assert bus.stored == list(range(200))
    assert len(spool) == 0


async def test_what_comes_later_is_published_over_the_same_connection(publisher, spool, bus, until):
    spool.append(entry(0))
    await until(lambda: bus.stored == [0], "the first")
    spool.append(entry(1))
    await until(lambda: bus.stored == [0, 1], "the second")
    assert bus.connections == 1


async def test_no_connection_is_made_for_an_empty_spool(publisher, spool, bus):
    assert await publisher.flush(30)
    assert bus.attempts == 0


async def test_one_entry_is_under_way_at_a_time(publisher, spool, bus):
    spool.append(*map(entry, range(20)))
    assert await publisher.flush(30)
    assert bus.most_under_way == 1


async def test_a_bus_that_is_away_at_first_gets_everything_when_it_comes(publisher, spool, bus, until):
    bus.reachable = False
    spool.append(*map(entry, range(3)))
    await until(lambda: bus.attempts > 3, "several attempts")
    assert len(spool) == 3
    bus.reachable = True
    await until(lambda: bus.stored == [0, 1, 2], "all stored")


async def test_one_line_is_logged_when_the_bus_goes_and_one_when_it_returns(publisher, spool, bus, until, logged):
    bus.reachable = False
    spool.append(entry(0))
    await until(lambda: bus.attempts > 5, "several attempts")
    bus.reachable = True
    spool.append(entry(1))
    await until(lambda: bus.stored == [0, 1], "all stored")
    assert [line["event"] for line in logged] == ["sensor.waits_for_bus", "sensor.reaches_bus"]


async def test_a_failure_in_the_middle_goes_on_from_the_first_that_is_not_stored(publisher, spool, bus):
    failures = iter([Transient(Code.UNAVAILABLE, "for once")])

    def fail_once(number: int) -> None:
        if number == 5 and (failure := next(failures, None)):
            raise failure

    bus.fault = fail_once
    spool.append(*map(entry, range(10)))
    assert await publisher.flush(30)
    assert bus.stored == list(range(10))
    assert bus.connections == 2


async def test_an_entry_that_can_never_be_stored_is_dropped_and_reported_without_its_value(
    publisher, spool, bus, logged
):
    def refuse(number: int) -> None:
        if number == 1:
            raise Refusal(Code.TOO_LARGE, "secret value")

    bus.fault = refuse
    spool.append(*map(entry, range(3)))
    assert await publisher.flush(30)
    assert bus.stored == [0, 2]
    dropped = [line for line in logged if line["event"] == "sensor.entry_dropped"]
    assert [line["code"] for line in dropped] == ["too_large"]
    assert "secret" not in str(logged)


async def test_flush_gives_up_in_time_and_leaves_the_rest_in_the_spool(publisher, spool, bus):
    bus.reachable = False
    spool.append(entry(0))
    assert not await publisher.flush(0.05)
    assert len(spool) == 1


async def test_flush_does_not_wait_for_the_next_retry(spool, bus, monkeypatch, until):
    """When the sensor ends, a retry that is minutes away is made at once."""
    monkeypatch.setattr("sensors.publisher.FIRST_RETRY_S", 600)
    monkeypatch.setattr("sensors.publisher.LONGEST_RETRY_S", 600)
    publisher = Publisher(spool, bus.connect)
    bus.reachable = False
    spool.append(entry(0))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(publisher.run())
        await until(lambda: bus.attempts == 1, "the first attempt")
        bus.reachable = True
        assert await publisher.flush(30)
        task.cancel()


@pytest.mark.parametrize("seed", range(10))
async def test_under_random_faults_everything_arrives_in_order(publisher, spool, bus, seed):
    """Stores fail before or after the bus has the entry; without repeats the order is that of the spool."""
    random = Random(seed)

    def fail_sometimes(number: int) -> None:
        fate = random.random()
        if fate < 0.1:
            bus.stored.append(number)
        if fate < 0.2:
            raise random.choice([Transient(Code.UNAVAILABLE, "lost"), TimeoutError(), ConnectionResetError()])

    bus.fault = fail_sometimes
    for start in range(0, 100, 10):
        spool.append(*map(entry, range(start, start + 10)))
        await asyncio.sleep(0)
    assert await publisher.flush(30), f"seed {seed}"
    assert bus.unrepeated() == list(range(100)), f"seed {seed}"


async def test_a_publisher_that_is_cut_off_sends_the_same_bytes_again(spool, bus, tmp_path, until):
    """Between the bus's storing and the removal a crash repeats entries, never changes or loses them."""
    bus.fault = lambda number: (_ for _ in ()).throw(asyncio.CancelledError()) if number == 2 else None
    spool.append(*map(entry, range(4)))
    task = asyncio.create_task(Publisher(spool, bus.connect).run())
    with suppress(asyncio.CancelledError):
        await task
    assert [it for _, it in spool.oldest(10)] == [entry(2), entry(3)]


async def test_who_is_too_fast_waits_as_long_as_it_is_told(publisher, spool, bus, logged):
    """The bus is there: nothing is logged about it, and the entry is stored in its place."""
    refusals = [Transient(Code.TOO_FAST, "wait", None, 0.001) for _ in range(3)]

    def refuse(number: int) -> None:
        if number == 1 and refusals:
            raise refusals.pop()

    bus.fault = refuse
    spool.append(*map(entry, range(3)))
    assert await publisher.flush(30)
    assert bus.unrepeated() == [0, 1, 2]
    assert "sensor.waits_for_bus" not in [line["event"] for line in logged]

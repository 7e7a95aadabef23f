"""What workers know of each other: who is there, who is expected back, who has gone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import WORKER_BUCKET
from bus.workers import KNOWN_S, SILENT_S, Workers, WorkerWord, as_bits, from_bits
from tests.nats_server import installed_server
from tests.waiting import until


class Clock:
    """One that goes on when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Hall(NamedTuple):
    """A bus, one worker that listens, and its clock."""

    bus: Bus
    listener: Workers
    clock: Clock

    async def late(self) -> Workers:
        """Give one that comes later."""
        late = Workers(self.bus)
        await late.open()
        return late


def word(name: str, **members: object) -> WorkerWord:
    return msgspec.convert(
        {"id": name, "run": "1", "host": "here", "pid": 1, "version": "1.0.0", "started": 1.0, **members}, WorkerWord
    )


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with installed_server(tmp_path, 1) as server:
        bus = await Bus.connect(server.url_as("worker"), name="test")
        clock = Clock()
        listener = Workers(bus, clock)
        await listener.open()
        yield Hall(bus, listener, clock)
        await bus.close()


async def test_who_falls_silent_is_expected_back_until_they_are_withdrawn(hall: Hall) -> None:
    """Who comes later knows of both."""
    listener, clock, other = hall.listener, hall.clock, Workers(hall.bus)
    other.note_known(word("one", weight=2.0))
    other.say(word("one", weight=2.0))
    await until(lambda: "one" in listener.present(), "it is heard")
    assert listener.away() == {}
    for _ in range(5):
        clock.now += SILENT_S / 4
        listener.present()
    assert (listener.present(), listener.away()) == ({}, {"one": 2.0})
    late = await hall.late()
    assert set(late.present()) == {"one"}, "it has not been silent for long, as far as this one knows"
    other.say(word("one", weight=2.0))
    await until(lambda: "one" in listener.present(), "it is back")
    assert listener.away() == {}
    await other.withdraw("one")
    await until(lambda: not listener.present() and not listener.away(), "it has gone")
    await until(lambda: not late.present() and not late.away(), "it has gone")


async def test_who_is_alone_and_says_little_is_there_all_the_same(hall: Hall) -> None:
    """It neither warns of itself nor places its partitions anew."""
    listener, clock, changes = hall.listener, hall.clock, 0
    listener.say(word("one"))
    await until(lambda: "one" in listener.present(), "it is heard")

    def note() -> None:
        nonlocal changes
        changes += 1

    listener.on_change.append(note)
    for _ in range(20):
        clock.now += SILENT_S / 4
        assert set(listener.present()) == {"one"}
    assert changes == 0


async def test_who_is_drained_is_not_expected_back(hall: Hall) -> None:
    """Their partitions are to stay where they are now."""
    listener = hall.listener
    listener.note_known(word("one"))
    listener.note_known(word("two"))
    await until(lambda: set(listener.away()) == {"one", "two"}, "both are known")
    listener.note_known(word("one", draining=True))
    await until(lambda: set(listener.away()) == {"two"}, "one is not expected")
    assert set((await hall.late()).away()) == {"two"}


async def test_who_stays_away_for_a_day_is_expected_no_more(hall: Hall) -> None:
    """Then their place is given away for good."""
    hall.listener.note_known(word("one"))
    await until(lambda: set(hall.listener.away()) == {"one"}, "it is known")
    hall.clock.now += KNOWN_S - 1
    assert set(hall.listener.away()) == {"one"}
    hall.clock.now += 2
    assert hall.listener.away() == {}


async def test_who_was_stopped_itself_believes_all_others(hall: Hall) -> None:
    """It has missed words: it waits for new ones."""
    listener, clock = hall.listener, hall.clock
    Workers(hall.bus).say(word("one"))
    await until(lambda: "one" in listener.present(), "it is heard")
    clock.now += 100 * SILENT_S
    assert set(listener.present()) == {"one"}
    for _ in range(5):
        clock.now += SILENT_S / 4
        listener.present()
    assert listener.present() == {}


async def test_who_does_not_hear_itself_believes_all_others_and_not_itself(hall: Hall) -> None:
    """Its connection is dead, and nobody has noticed: it is itself who is believed to be gone."""
    listener, clock, other = hall.listener, hall.clock, Workers(hall.bus)
    other.say(word("two"))
    listener.say(word("one"))
    await until(lambda: set(listener.present()) == {"one", "two"}, "both are heard")
    assert listener.believed_for_s() == SILENT_S
    listener._bucket.put_soon = lambda *_: None  # type: ignore[method-assign,assignment]
    for _ in range(20):
        clock.now += SILENT_S / 8
        listener.say(word("one"))
        listener.present()
    assert "two" in listener.present()
    assert listener.believed_for_s() < 0
    del listener._bucket.put_soon
    listener.say(word("one"))
    await until(lambda: listener.believed_for_s() == SILENT_S, "it is heard again")
    for _ in range(10):
        clock.now += SILENT_S / 8
        listener.present()
    assert set(listener.present()) == {"one"}


@pytest.mark.parametrize("bad", [b"[", b"{}", b'{"id": 3}', msgspec.json.encode(word("one", ready="x"))])
async def test_a_word_that_cannot_be_read_says_nothing(hall: Hall, bad: bytes) -> None:
    """Nor does it break what listens."""
    bucket = Bucket(hall.bus, WORKER_BUCKET)
    bucket.put_soon("one", bad)
    bucket.put_soon("known.one", b"[" if bad == b"[" else b"x")
    hall.listener.say(word("two"))
    await until(lambda: set(hall.listener.present()) == {"two"}, "the next one is heard")
    assert hall.listener.away() == {}


@pytest.mark.parametrize("partitions", [set(), {0}, {3, 64}, set(range(4096))])
def test_partitions_are_bits(partitions: set[int]) -> None:
    """Both ways."""
    assert from_bits(as_bits(partitions)) == partitions

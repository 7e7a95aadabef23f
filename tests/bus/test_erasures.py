"""What a partition has had to forget: recorded once, by whoever comes first, and never taken back by a later word."""

import asyncio

from bus import erasures
from bus.connection import Bus
from bus.erasures import Erasure


async def test_the_last_erasure_counts(bus: Bus) -> None:
    """An earlier one that is said later changes nothing; other partitions have their own."""
    assert await erasures.read(bus, 3) == Erasure(0, 0)
    assert await erasures.record(bus, 3, 10) == Erasure(1, 10)
    assert await erasures.record(bus, 3, 30) == Erasure(2, 30)
    assert await erasures.record(bus, 3, 20) == Erasure(2, 30)
    assert await erasures.read(bus, 3) == Erasure(2, 30)
    assert await erasures.read(bus, 4) == Erasure(0, 0)


async def test_of_many_who_record_the_same_one_does(bus: Bus) -> None:
    """As the replicas of a partition do."""
    await asyncio.gather(*(erasures.record(bus, 3, seq) for seq in (10, 10, 10)))
    assert await erasures.read(bus, 3) == Erasure(1, 10)


async def test_erasures_of_another_log_are_taken_back(bus: Bus) -> None:
    """Those that are there stay."""
    await erasures.lower(bus, 3, 5)
    await erasures.record(bus, 3, 10)
    await erasures.lower(bus, 3, 20)
    assert (await erasures.read(bus, 3)).seq == 10
    await erasures.lower(bus, 3, 5)
    assert (await erasures.read(bus, 3)).seq == 5

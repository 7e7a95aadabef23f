"""Leases: one at a time, whoever holds it, and none for ever."""

import asyncio

import pytest

from bus import leases
from bus.connection import Bus
from bus.kv import Bucket
from bus.leases import lease
from bus.subjects import ERASURE_BUCKET
from schemas.errors import Transient
from tests.waiting import eventually, until


async def test_many_have_it_one_after_the_other(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody begins before the one before has ended; who waits says so once."""
    monkeypatch.setattr(leases, "LOOK_EVERY_S", 0.01)
    inside, most, waits = 0, 0, 0

    def on_wait() -> None:
        nonlocal waits
        waits += 1

    async def work() -> None:
        nonlocal inside, most
        async with lease(bus, "work", on_wait):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(8)))
    assert (inside, most) == (0, 1)
    assert 0 < waits < 8
    assert await Bucket(bus, ERASURE_BUCKET).find_at_leader("lease.work") is None


async def test_another_name_is_another_lease(bus: Bus) -> None:
    """Who has one may have the other."""
    async with lease(bus, "work"), lease(bus, "play"):
        pass


async def test_it_ends_with_an_error_too(bus: Bus) -> None:
    """The next one need not wait until the key goes by itself."""
    with pytest.raises(ValueError, match="broken"):
        async with lease(bus, "work"):
            raise ValueError("broken")
    assert await Bucket(bus, ERASURE_BUCKET).find_at_leader("lease.work") is None


async def test_who_was_killed_holds_it_for_a_while(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """And who works for longer than that keeps it."""
    monkeypatch.setattr(leases, "KEPT_S", 1.0)
    monkeypatch.setattr(leases, "AGAIN_S", 0.2)
    assert await Bucket(bus, ERASURE_BUCKET).claim("lease.work", b"of one that was killed", lifetime_s=1.0)
    went_on = asyncio.Event()

    async def next_one() -> None:
        async with lease(bus, "work"):
            went_on.set()

    bucket, words = Bucket(bus, ERASURE_BUCKET), set[int]()

    async def is_long_there() -> bool:
        found = await bucket.find_at_leader("lease.work")
        assert found is not None
        words.add(found.seq)
        return len(words) > 8

    async with lease(bus, "work"):
        waiting = asyncio.create_task(next_one())
        await eventually(is_long_there)
        assert not went_on.is_set()
    await waiting


async def test_who_has_lost_it_takes_it_from_nobody(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was stopped for too long: the key is another's by then."""
    monkeypatch.setattr(leases, "AGAIN_S", 0.05)
    bucket = Bucket(bus, ERASURE_BUCKET)
    async with lease(bus, "work"):
        await bucket.put("lease.work", b"of another", 60)
        tasks = [task for task in asyncio.all_tasks() if task.get_name() == "lease work"]
        await until(lambda: all(task.done() for task in tasks), "it has noticed")
    last = await bucket.find_at_leader("lease.work")
    assert last is not None
    assert last.value == b"of another"


async def test_who_has_lost_it_is_told_when_they_look(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before that they go on. What is asked is asked anew once the last answer is old."""
    monkeypatch.setattr(leases, "SURE_S", 0.0)
    bucket = Bucket(bus, ERASURE_BUCKET)
    async with lease(bus, "work") as held:
        await held.check()
        await bucket.put("lease.work", b"of another", 60)
        with pytest.raises(Transient, match="another one"):
            await held.check()

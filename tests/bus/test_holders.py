"""Whoever forgets a person waits for all workers that answer for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest

from bus.connection import Bus
from bus.holders import ERASED, as_text, from_text, until_erased
from bus.kv import Bucket
from bus.micro import WORKER_SERVICE, MicroService
from bus.subjects import WORKER_BUCKET
from bus.workers import WorkerWord, as_bits
from schemas.errors import Transient
from tests.waiting import DEADLINE_S, until

PARTITION = 3


class Holders:
    """Workers that beat, and say what they have erased."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._bucket = Bucket(bus, WORKER_BUCKET)
        self.erased: dict[str, dict[int, int]] = {}

    @asynccontextmanager
    async def one(
        self, name: str, *, serves: bool = True, says: bool = True, beats: bool = True
    ) -> AsyncIterator[None]:
        """Have one more worker, which has erased nothing so far."""
        self.erased[name] = {}

        def metadata() -> dict[str, str]:
            return {ERASED: as_text(self.erased[name])} if says else {}

        service = MicroService(self._bus, WORKER_SERVICE, name, "1.0.0", "Serves.", [], metadata)
        word = WorkerWord(name, "run", f"host-{name}", 1, "1", 0.0, ready=as_bits([PARTITION] if serves else []))
        await self._say(word)
        beating = asyncio.create_task(self._beat(word)) if beats else None
        if beats:
            await service.open()
        try:
            yield
        finally:
            if beating is not None:
                beating.cancel()
                await service.close()
            await self._bucket.delete(name)

    async def _say(self, word: WorkerWord) -> None:
        await self._bucket.put(word.id, msgspec.json.encode(word))

    async def _beat(self, word: WorkerWord) -> None:
        while True:
            await asyncio.sleep(0.2)
            await self._say(word)


@pytest.fixture
async def holders(bus: Bus) -> Holders:
    return Holders(bus)


def test_what_was_erased_is_written_and_read_again() -> None:
    """What had no erasure is left out."""
    assert as_text({8: 2, 3: 17, 4: 0}) == "3:17 8:2"
    assert from_text("3:17 8:2") == {3: 17, 8: 2}
    assert from_text("") == {}


async def test_one_that_lags_is_waited_for(bus: Bus, holders: Holders) -> None:
    """And it is said for whom."""
    said: list[str] = []
    async with holders.one("first"), holders.one("second"):
        holders.erased["first"][PARTITION] = 20
        holders.erased["second"][PARTITION] = 19
        waiting = asyncio.create_task(until_erased(bus, PARTITION, 20, said.append))
        await until(lambda: bool(said), "it waits")
        assert not waiting.done()
        assert "host-second" in said[0]
        holders.erased["second"][PARTITION] = 20
        await asyncio.wait_for(waiting, DEADLINE_S)


async def test_one_that_never_does_is_named(bus: Bus, holders: Holders) -> None:
    """Rather than to erase from the log what it still has to read there."""
    async with holders.one("first"), holders.one("second"):
        holders.erased["first"][PARTITION] = 20
        with pytest.raises(Transient, match="host-second"):
            await until_erased(bus, PARTITION, 20, within_s=0.0)


@pytest.mark.parametrize("other", [{"serves": False}, {"says": False}, {"beats": False}])
async def test_who_cannot_answer_with_it_is_not_waited_for(bus: Bus, holders: Holders, other: dict[str, bool]) -> None:
    """Who does not answer for the partition, is of an earlier version, or has fallen silent."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(holders.one("first"))
        await stack.enter_async_context(holders.one("second", **other))
        holders.erased["first"][PARTITION] = 20
        await asyncio.wait_for(until_erased(bus, PARTITION, 20), DEADLINE_S)


async def test_one_alone_is_not_asked(bus: Bus, holders: Holders) -> None:
    """It has given the outcome."""
    async with holders.one("first"):
        await asyncio.wait_for(until_erased(bus, PARTITION, 20), DEADLINE_S)

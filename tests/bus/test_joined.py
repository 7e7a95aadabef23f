"""Reads that are shared give nobody less than there was when it was asked for."""

import asyncio

import pytest

from bus.joined import JoinedReads


class Counted:
    """Something to read, whose reads last until they are let go."""

    def __init__(self) -> None:
        self.value = 0
        self.reads = 0
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()

    async def read(self) -> int:
        self.reads += 1
        self.begun.set()
        found = self.value
        await self.let_go.wait()
        return found


async def test_who_comes_together_shares_one_read() -> None:
    """Sixty-four at once are one read."""
    joined, thing = JoinedReads(), Counted()
    thing.let_go.set()
    assert await asyncio.gather(*(joined.read("thing", thing.read) for _ in range(64))) == [0] * 64
    assert thing.reads == 1


async def test_who_comes_later_does_not_get_what_was_read_before() -> None:
    """A read that is under way does not count for those who come now; they share the next one."""
    joined, thing = JoinedReads(), Counted()
    first = asyncio.create_task(joined.read("thing", thing.read))
    await thing.begun.wait()
    thing.value = 1
    later = [asyncio.create_task(joined.read("thing", thing.read)) for _ in range(5)]
    await asyncio.sleep(0)
    thing.let_go.set()
    assert await first == 0
    assert await asyncio.gather(*later) == [1] * 5
    assert thing.reads == 2


async def test_a_read_that_hangs_holds_nobody_up() -> None:
    """The next one begins after a moment all the same."""
    joined, stuck, thing = JoinedReads(), Counted(), Counted()
    first = asyncio.create_task(joined.read("thing", stuck.read))
    await stuck.begun.wait()
    thing.let_go.set()
    assert await joined.read("thing", thing.read) == 0
    assert not first.done()
    stuck.let_go.set()
    await first


async def test_keys_are_apart() -> None:
    """What is read under another key is another read."""
    joined, one, other = JoinedReads(), Counted(), Counted()
    one.let_go.set()
    other.let_go.set()
    other.value = 7
    assert await asyncio.gather(joined.read("one", one.read), joined.read("other", other.read)) == [0, 7]


async def test_all_get_the_failure_and_the_next_read_is_a_new_one() -> None:
    """Nothing of a read that has failed is kept."""
    joined, thing = JoinedReads(), Counted()
    thing.let_go.set()

    async def fail() -> int:
        raise OSError("gone")

    for found in await asyncio.gather(*(joined.read("thing", fail) for _ in range(3)), return_exceptions=True):
        assert isinstance(found, OSError)
    assert await joined.read("thing", thing.read) == 0


async def test_who_gives_up_does_not_end_the_read_of_the_others() -> None:
    """One of two is cancelled; the other gets what is read."""
    joined, thing = JoinedReads(), Counted()
    first, second = (asyncio.create_task(joined.read("thing", thing.read)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    thing.let_go.set()
    assert await second == 0
    assert thing.reads == 1

"""Work that may wait is done when partitions are served, by one at a time, and does not wait for ever."""

import asyncio

from actors.beside import Beside
from tests.waiting import DEADLINE_S, until


async def _done_in_turn(beside: Beside, done: list[int], number: int) -> None:
    async with beside.turn():
        done.append(number)
        await asyncio.sleep(0)
        assert done[-1] == number, "nobody else has a turn meanwhile"


async def test_it_waits_until_all_are_served() -> None:
    """Each partition that starts holds it back, and whoever comes when none does begins at once."""
    beside, done = Beside(DEADLINE_S), list[int]()
    with beside.starting():
        with beside.starting():
            task = asyncio.create_task(_done_in_turn(beside, done, 1))
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not done
    await task
    await _done_in_turn(beside, done, 2)
    assert done == [1, 2]


async def test_it_does_not_wait_for_ever() -> None:
    """A partition that never gets on keeps the others from it only for a while."""
    beside, done = Beside(0.01), list[int]()
    with beside.starting():
        await _done_in_turn(beside, done, 1)
    assert done == [1]


async def test_one_at_a_time() -> None:
    """Many that come together have their turns one after the other."""
    beside, done = Beside(), list[int]()
    await asyncio.gather(*(_done_in_turn(beside, done, number) for number in range(8)))
    assert sorted(done) == list(range(8))


async def test_who_gives_up_holds_nobody_back() -> None:
    """A shard that is closed meanwhile leaves its turn to the next."""
    beside, done = Beside(DEADLINE_S), list[int]()
    entered, leave = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with beside.turn():
            entered.set()
            await leave.wait()

    first = asyncio.create_task(hold())
    await entered.wait()
    second = asyncio.create_task(_done_in_turn(beside, done, 2))
    third = asyncio.create_task(_done_in_turn(beside, done, 3))
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    await until(lambda: done == [3], "the third has its turn")
    await asyncio.gather(first, second, third, return_exceptions=True)

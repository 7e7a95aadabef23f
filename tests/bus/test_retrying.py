"""The one loop for what fails now and may succeed later."""

import asyncio

import pytest

from bus.retrying import RETRY_S, Interrupted, retrying, sleeping_until
from schemas.errors import Code, Transient
from tests.waiting import DEADLINE_S


class Flaky:
    """Fails some times, then gives a number."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.left = failures
        self.error = error or Transient(Code.UNAVAILABLE, "not now")
        self.pauses: list[float] = []

    async def attempt(self) -> int:
        if self.left:
            self.left -= 1
            raise self.error
        return 7

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


async def test_it_is_tried_until_it_succeeds() -> None:
    """With a pause after each failure."""
    flaky = Flaky(3)
    assert await retrying(flaky.attempt, "it_waits", sleep=flaky.sleep) == 7
    assert flaky.pauses == [RETRY_S] * 3


async def test_what_is_no_passing_failure_is_raised() -> None:
    """A bug is not tried again, unless whoever tries says so."""
    flaky = Flaky(1, ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        await retrying(flaky.attempt, "it_waits", sleep=flaky.sleep)
    assert flaky.pauses == []
    again = Flaky(1, ValueError("a bug"))
    assert await retrying(again.attempt, "it_waits", on=(Exception,), sleep=again.sleep) == 7


async def test_stopping_interrupts_the_pause() -> None:
    """However long it is; and nothing is tried after that."""
    stop = asyncio.Event()
    sleep = sleeping_until(stop)
    sleeping = asyncio.create_task(sleep(3600))
    await asyncio.sleep(0)
    stop.set()
    with pytest.raises(Interrupted):
        await asyncio.wait_for(sleeping, DEADLINE_S)
    flaky = Flaky(2)
    with pytest.raises(Interrupted):
        await retrying(flaky.attempt, "it_waits", sleep=sleep)
    assert flaky.left == 1


async def test_an_undisturbed_pause_ends_by_itself() -> None:
    """After its seconds."""
    await sleeping_until(asyncio.Event())(0.001)

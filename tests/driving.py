"""Running the generators of the model without a loop, by the driver that the actors use."""

from collections.abc import Callable, Generator
from typing import TypeVar

from actors.driving import drive

Need = TypeVar("Need")
Met = TypeVar("Met")
Result = TypeVar("Result")


def run(generator: Generator[Need, Met, Result], meet: Callable[[Need], Met]) -> Result:
    """Run a generator to its end, whose needs can all be met at once."""

    async def met(need: Need) -> Met:
        return meet(need)

    coroutine = drive(generator, met)
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    raise AssertionError("nothing here waits")

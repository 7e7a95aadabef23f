"""Running the generators of the model: they yield what they need from outside, and are sent it."""

from collections.abc import Awaitable, Callable, Generator
from typing import TypeVar

Need = TypeVar("Need")
Met = TypeVar("Met")
Result = TypeVar("Result")


async def drive(generator: Generator[Need, Met, Result], meet: Callable[[Need], Awaitable[Met]]) -> Result:
    """Run a generator to its end, and give its result.

    What `meet` raises goes to the caller, never into the generator: a model knows nothing of disks that are full.
    """
    try:
        need = next(generator)
        while True:
            need = generator.send(await meet(need))
    except StopIteration as done:
        result: Result = done.value
        return result
    finally:
        generator.close()

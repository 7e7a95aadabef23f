"""Waiting for what comes about in its own time. No test waits a fixed time, nor looks at how long something took."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import pytest

DEADLINE_S: Final = 180.0
"""Seconds that anything may take on a machine that is busy with other things: only what never comes takes so long."""

PAUSE_S: Final = 0.01
"""Seconds between two looks."""

Found = TypeVar("Found")


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait until the condition holds, or fail saying what did not come."""

    async def look() -> object:
        return condition()

    await eventually(look, what)


async def eventually(look: Callable[[], Awaitable[Found]], what: str = "what the test waits for") -> Found:
    """Look until there is something to see, and give it, or fail saying what did not come."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE_S
    while not (found := await look()):
        if loop.time() > deadline:
            pytest.fail(f"did not come about within {DEADLINE_S:g} s: {what}")
        await asyncio.sleep(PAUSE_S)
    return found

"""Waiting for a condition, with a deadline."""

import asyncio
from collections.abc import Callable

DEADLINE_S = 20.0


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until the condition holds, or fail saying what did not come."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE_S
    while not condition():
        assert loop.time() < deadline, f"waited {DEADLINE_S:g} s in vain: {what}"
        await asyncio.sleep(0.005)

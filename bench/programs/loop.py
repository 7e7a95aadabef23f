"""What the programs have in common."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec

Returned = TypeVar("Returned")


def run(main: Coroutine[Any, Any, Returned]) -> Returned:
    """Run on the event loop that llum's own processes use."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


def report(**members: Any) -> None:
    """Print the program's one line."""
    print(msgspec.json.encode(members).decode(), flush=True)


async def until_terminated() -> None:
    """Return when the process is asked to end."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()

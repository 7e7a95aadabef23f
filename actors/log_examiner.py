"""Looking for losses of the log after shards were made anew: they have what the log still has, and no more.

A shard that is read from its own place has what the log has lost since; one that is made anew has not. So whenever a
partition was read from the beginning, its stream is read once more, a while after that, and what is lost is said.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, NoReturn

from bus.connection import Bus
from bus.logger import get_logger
from bus.losses import find_losses, in_words
from bus.retrying import retrying

log = get_logger(__name__)

AFTER_S: Final = 30.0
"""Seconds after which a stream is read again: those who wait for an answer come first."""


class LogExaminer:
    """The streams of the log that are to be examined."""

    def __init__(self) -> None:
        self._wanted: list[str] = []
        self._more = asyncio.Event()

    def examine(self, stream: str) -> None:
        """Have a stream looked at, once for all of its partitions that are made anew now."""
        if stream not in self._wanted:
            self._wanted.append(stream)
            self._more.set()

    async def run(self, bus: Bus, after_s: float = AFTER_S, on_examined: Callable[[], None] = lambda: None) -> NoReturn:
        """Examine one stream after the other, for ever. `on_examined` is called after each."""
        while True:
            await self._more.wait()
            await asyncio.sleep(after_s)
            stream = self._wanted[0]
            found = await retrying(partial(find_losses, bus, stream), "log_not_examined", stream=stream)
            self._wanted.pop(0)
            if not self._wanted:
                self._more.clear()
            if not found.is_whole:
                log.error("log_has_losses", stream=stream, losses=in_words(found), advice="run `llum doctor`")
            on_examined()

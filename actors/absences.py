"""Whether a worker was away: stopped, or not heard by others, for so long that they counted it as gone.

Meanwhile somebody may have been forgotten. What was asked of this worker in that time is in its sockets, and comes
before anything else does. So after an absence each partition asks which erasure it must contain before it answers.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from bus.workers import SILENT_S

BEAT_EVERY_S: Final = 0.5
"""Seconds between beats: several go into the time after which a worker counts as gone."""


class Absences:
    """Counts the absences of this worker, by a heart that beats as long as it runs and others hear of it."""

    def __init__(self, is_connected: Callable[[], bool], clock: Callable[[], float] = time.perf_counter) -> None:
        self.count = 0
        self.late_at = clock() + SILENT_S
        """From then on, unless it beats before, this worker has been away."""
        self.believed_for_s: Callable[[], float] = lambda: SILENT_S
        """Gives for how many seconds from now others go on to believe that it is there, whatever happens."""
        self._is_connected = is_connected
        self._clock = clock
        self._timer = asyncio.get_running_loop().call_later(BEAT_EVERY_S, self._beat)

    def look(self, now: float) -> None:
        """Note an absence if the heart has not beaten for too long. `now` is by the clock of this machine."""
        if now > self.late_at:
            self.count += 1
            self.late_at = now + SILENT_S

    def close(self) -> None:
        """End the heart."""
        self._timer.cancel()

    def _beat(self) -> None:
        now = self._clock()
        self.look(now)
        if self._is_connected():
            self.late_at = now + self.believed_for_s()
        self._timer = asyncio.get_running_loop().call_later(BEAT_EVERY_S, self._beat)


class Doubt:
    """Whether one partition may have missed an erasure while this worker was away."""

    def __init__(self, absences: Absences, clear: Callable[[], Awaitable[None]]) -> None:
        self._absences = absences
        self._cleared = absences.count
        """The absences after which it is known that nothing was missed."""
        self._clear = clear
        self._lock = asyncio.Lock()

    def is_there(self, now: float) -> bool:
        """Tell whether what is held may lack an erasure; `now` is by `time.perf_counter`."""
        if now > self._absences.late_at:
            self._absences.look(now)
        return self._absences.count != self._cleared

    async def over(self) -> None:
        """Go on at once where there is none, else wait as `end`. Raises the same.

        For whoever writes down what they have in memory, right before each time they do.
        """
        if self.is_there(time.perf_counter()):
            await self.end()

    async def end(self) -> None:
        """Wait until all erasures are in what is held. Raises `Transient` if one has been missed, or nobody knows."""
        async with self._lock:
            while self._cleared != (count := self._absences.count):
                await self._clear()
                self._cleared = count

"""The workers that answer for a partition, and which erasures each of them has applied.

Who forgets a person waits for all of them before anything is erased from the log. A worker that says nothing any more
is not waited for: before it answers again, it looks whether an erasure has passed it by.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from bus.connection import Bus
from bus.micro import LISTED_WITHIN_S, WORKER_SERVICE, list_services
from bus.workers import SILENT_S, WorkerWord, from_bits, read_places
from schemas.errors import Code, Transient

ERASED: Final = "erased"
"""The name under which a worker says there which erasures it has applied."""

WITHIN_S: Final = 60.0
"""Seconds that all may take: a shard's file is written anew, and they do so side by side."""


def as_text(erased: Mapping[int, int]) -> str:
    """Write the sequence of the last erasure of each partition: `3:17 8:2`. What had none is left out."""
    return " ".join(f"{number}:{seq}" for number, seq in sorted(erased.items()) if seq)


def from_text(text: str) -> dict[int, int]:
    """Read the same."""
    pairs = (one.split(":") for one in text.split())
    return {int(number): int(seq) for number, seq in pairs}


async def until_erased(
    bus: Bus, partition: int, seq: int, on_wait: Callable[[str], None] = lambda _: None, within_s: float = WITHIN_S
) -> None:
    """Wait until all workers that answer for a partition have applied an erasure.

    `on_wait` takes a line that says for whom it waits. Raises `Transient` when one that is there has not in time: then
    nothing is lost by asking for the same again.
    """
    holders = _Holders(bus, partition)
    deadline, listed_s = time.monotonic() + within_s, LISTED_WITHIN_S
    while await holders.are_several():
        behind = await holders.behind(seq, listed_s)
        if not behind:
            return
        hosts = ", ".join(sorted({word.host for word in behind}))
        if time.monotonic() > deadline:
            message = f"a worker on {hosts} has not forgotten yet what others have"
            raise Transient(Code.UNAVAILABLE, message, "nothing is lost; do the same again in a while")
        on_wait(f"waiting until all workers have forgotten it, too: {hosts}")
        # On a busy machine an answer may take longer than the first look waits for it.
        listed_s = min(2 * listed_s, SILENT_S)


class _Holders:
    """Those that answer for one partition, as far as they still speak."""

    def __init__(self, bus: Bus, partition: int) -> None:
        self._bus = bus
        self._partition = partition
        self._words: dict[str, WorkerWord] = {}
        self._heard: dict[str, tuple[int, float]] = {}
        """The place of each worker's last word in the bucket, and when it was seen first."""

    async def are_several(self) -> bool:
        """Look who is there; one alone is the one that has given the outcome."""
        said = await read_places(self._bus)
        now, self._words = time.monotonic(), {}
        for word, place in said.items():
            if self._heard.get(word.id, (0, 0.0))[0] != place:
                self._heard[word.id] = (place, now)
            if self._partition in from_bits(word.ready) and now - self._heard[word.id][1] < SILENT_S:
                self._words[word.id] = word
        return len(self._words) > 1

    async def behind(self, seq: int, within_s: float) -> list[WorkerWord]:
        """Give those that have not applied an erasure, or do not say so in time."""
        services = await list_services(self._bus, WORKER_SERVICE, within_s, self._words)
        said = {one.id: one.metadata for one in services}
        return [word for name, word in self._words.items() if name not in said or self._lacks(said[name], seq)]

    def _lacks(self, metadata: Mapping[str, str], seq: int) -> bool:
        """Tell whether a worker lacks it. One of an earlier version does not say, and is not waited for."""
        return ERASED in metadata and from_text(metadata[ERASED]).get(self._partition, 0) < seq

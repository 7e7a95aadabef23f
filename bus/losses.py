"""Commands that the log has lost: sequences that are neither delivered nor were deleted.

nats-server finds damage of its files when it reads them, passes over what it cannot read, and says nothing. What was
tried on nats-server 2.15:

* Damaged bytes of one message: it is not delivered, and not listed as deleted.
* Damaged framing: all that follows in the block is lost. From then on nats-server lists it as deleted, and under `lost`
  too. So the list of deleted sequences is fetched before anything is read.
* The same found at a start (after a crash, or without its index): it is listed as deleted, and `lost` has only a number
  of bytes. What is lost at the end of the log is not missed by anybody but the shards.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from bus import log_cuts
from bus.connection import Bus
from bus.jetstream import JetStream
from bus.log import LogMessage, LogReader
from bus.streams import FIRST_SEQUENCE
from bus.subjects import MAX_PARTITIONS
from schemas.errors import Code, Transient

MAX_LISTED: Final = 200_000
"""Deleted sequences that are fetched: more would be an answer of megabytes, and there is no asking for a part of it."""

AT_ONCE: Final = 2000
"""Messages that are read ahead."""

LOOK_EVERY_S: Final = 0.05

SILENCE_S: Final = 60.0
"""Seconds without a message, nor a word that there is none, after which nats-server counts as away."""

Range = tuple[int, int]
"""The first and the last sequence."""


class Losses(msgspec.Struct, kw_only=True):
    """What one stream of the log has lost."""

    stream: str
    first_seq: int
    last_seq: int
    read: int
    """Messages that were read."""
    deleted: int
    """Messages that nats-server says were deleted: of forgotten persons, mostly."""
    lost: list[Range] = []
    """Ranges of sequences that are lost, as far as they are known."""
    lost_count: int = 0
    """So many are lost at least."""
    suspected: list[Range] = []
    """Ranges that were deleted, or are among the bytes that nats-server cut off."""
    cut_bytes: int = 0
    """Bytes that nats-server cut off its files since its start, because it could not read them."""

    @property
    def is_whole(self) -> bool:
        return not self.lost_count and not self.cut_bytes


async def find_losses(bus: Bus, stream: str, on_progress: Callable[[str], None] = lambda _: None) -> Losses:
    """Read a whole stream of the log. Raises `ApiError`, `Transient`.

    `on_progress` takes a line that says how far it has got.
    """
    before = await _state(bus, stream)
    gaps, read = await _gaps(bus, stream, before, on_progress)
    gaps = _within(gaps, before.first, before.last)
    after = await _state(bus, stream)
    losses = Losses(
        stream=stream,
        first_seq=before.first,
        last_seq=before.last,
        read=read,
        deleted=before.deleted_count,
        cut_bytes=after.lost_bytes,
    )
    if before.deleted is None or after.deleted is None:
        losses.lost_count = max(0, _count(gaps) - after.deleted_count)
        return losses
    # What nats-server names as lost is deleted only in its books.
    named = set(before.lost) | set(after.lost)
    deleted = (before.deleted | after.deleted) - named
    losses.lost = _ranges(seq for first, last in gaps for seq in range(first, last + 1) if seq not in deleted)
    losses.lost_count = _count(losses.lost)
    if before.lost_bytes and not before.lost:
        cut = (await log_cuts.read(bus)).get(stream)
        losses.suspected = _suspected(before, FIRST_SEQUENCE if cut is None else cut.seq)
    return losses


def in_words(losses: Losses) -> str:
    """Say in a line what a stream has lost; nothing if it has lost nothing."""
    parts = []
    if losses.lost_count:
        where = f": {written(losses.lost)}" if losses.lost else ", which ones is not known"
        parts.append(f"{losses.lost_count} commands{where}")
    if losses.cut_bytes:
        where = f", among the sequences {written(losses.suspected)}" if losses.suspected else ""
        parts.append(f"nats-server cut off {losses.cut_bytes} bytes that it could not read{where}")
    return f"{losses.stream}: {'; '.join(parts)}" if parts else ""


def written(ranges: list[Range], most: int = 20) -> str:
    """Write ranges as `4, 7-9`; of many only the first."""
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:most]]
    return ", ".join(shown) + (f" and {len(ranges) - most} more ranges" if len(ranges) > most else "")


class _State(msgspec.Struct):
    first: int
    last: int
    deleted_count: int
    deleted: set[int] | None
    """None: there are too many to list."""
    lost: list[int]
    lost_bytes: int

    @property
    def newest(self) -> int:
        """The last sequence that is there, as far as that is known; below the first one if none is."""
        deleted: AbstractSet[int] = self.deleted or frozenset()
        return next((seq for seq in range(self.last, self.first - 1, -1) if seq not in deleted), 0)


async def _state(bus: Bus, stream: str) -> _State:
    jetstream = JetStream(bus)
    state = (await jetstream.call(f"STREAM.INFO.{stream}"))["state"]
    count = int(state.get("num_deleted", 0))
    listed: list[int] | None = []
    if count > MAX_LISTED:
        listed = None
    elif count:
        state = (await jetstream.call(f"STREAM.INFO.{stream}", {"deleted_details": True}))["state"]
        count, listed = int(state.get("num_deleted", 0)), state.get("deleted") or []
    lost: dict[str, Any] = state.get("lost") or {}
    deleted = None if listed is None or len(listed) < count else set(listed)
    first, last = int(state["first_seq"]), int(state["last_seq"])
    return _State(first, last, count, deleted, lost.get("msgs") or [], int(lost.get("bytes", 0)))


async def _gaps(bus: Bus, stream: str, state: _State, on_progress: Callable[[str], None]) -> tuple[list[Range], int]:
    """Read what is there. Give what was not delivered, and how much was. Raises `Transient` if nothing comes."""
    gaps: list[Range] = []
    reached, count, last, newest = 0, 0, state.last, state.newest

    def take(messages: list[LogMessage]) -> None:
        nonlocal reached, count
        for message in messages:
            if reached < message.seq <= last:
                if message.seq > reached + 1:
                    gaps.append((reached + 1, message.seq - 1))
                reached, count = message.seq, count + 1

    reader = LogReader(bus, dict.fromkeys(range(MAX_PARTITIONS), 1), take, lambda: AT_ONCE, stream)
    reading = asyncio.create_task(reader.run())
    moved_at, position = time.monotonic(), reader.position
    try:
        # Behind the newest that is there nothing comes, and nats-server takes two seconds to say so.
        while reached < newest and reader.position < last and not reading.done():
            on_progress(f"reading {stream}: {reached:,} of {last:,}")
            await asyncio.wait([reading], timeout=LOOK_EVERY_S)
            reader.wake()
            if reader.position > position:
                moved_at, position = time.monotonic(), reader.position
            elif time.monotonic() - moved_at > SILENCE_S:
                raise Transient(Code.UNAVAILABLE, f"nats-server gave nothing of {stream} for {SILENCE_S:g} s")
        if reading.done():
            reading.result()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    if reached < last:
        gaps.append((reached + 1, last))
    return gaps, count


def _within(ranges: list[Range], first: int, last: int) -> list[Range]:
    bounded = [(max(first, start), min(last, end)) for start, end in ranges]
    return [(start, end) for start, end in bounded if start <= end]


def _suspected(state: _State, begin: int) -> list[Range]:
    """What lies before the first message may have been lost, too; not what was before the log was made to begin."""
    ahead = range(begin, state.first)
    return _ranges([*ahead, *sorted(state.deleted or ())])


def _ranges(seqs: Iterable[int]) -> list[Range]:
    found: list[Range] = []
    for seq in seqs:
        if found and found[-1][1] == seq - 1:
            found[-1] = (found[-1][0], seq)
        else:
            found.append((seq, seq))
    return found


def _count(ranges: list[Range]) -> int:
    return sum(last - first + 1 for first, last in ranges)

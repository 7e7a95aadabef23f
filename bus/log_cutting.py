"""Cutting the beginning off a stream of the log, so that none of its bytes is left in nats-server's files.

A purge removes whole block files, but of the block in which the cut lies it keeps all bytes, and nobody finds them
there to erase them: a person who is forgotten later would stay in the file. So the messages before the cut are erased
one by one, as when somebody is forgotten, as many as fill a block. What is before those lies in other blocks, which a
purge deletes. Tried on nats-server 2.15; it costs the erasing of 8 MB, however much is cut.

It may be interrupted and done again.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from bus import failpoints
from bus.connection import Bus
from bus.erasing import AT_ONCE, BLOCK_BYTES, ENVELOPE_BYTES, pages
from bus.inbox import header
from bus.jetstream import JetStream
from bus.subjects import api_subject
from schemas.errors import Code, Transient

MARGIN_BYTES: Final = 1024 * 1024 + ENVELOPE_BYTES
"""Bytes that are erased beyond a block: as many as the largest message has."""

DAY_S: Final = 24 * 3600.0
"""Seconds of a day of the log."""

PURGED_WITHIN_S: Final = 60.0
"""Seconds for a purge: nats-server deletes many files, and writes its index."""


class LogState(NamedTuple):
    """A stream of the log as nats-server counts it."""

    first_seq: int
    last_seq: int
    messages: int
    bytes: int


async def log_state(bus: Bus, stream: str) -> LogState:
    """Say how long a stream is. Raises `ApiError`, `Transient`."""
    state: dict[str, Any] = (await JetStream(bus).call(f"STREAM.INFO.{stream}"))["state"]
    return LogState(*(int(state[name]) for name in ("first_seq", "last_seq", "messages", "bytes")))


async def first_since(bus: Bus, stream: str, since: float) -> int | None:
    """Give the first message that was stored at a time (seconds since 1970) or later; None: none was.

    Raises `Transient`.
    """
    written = datetime.fromtimestamp(since, UTC).isoformat().replace("+00:00", "Z")
    body = msgspec.json.encode({"start_time": written, "next_by_subj": ">", "batch": 1})
    answer = await bus.inbox.request(api_subject(f"DIRECT.GET.{stream}"), body, 5.0)
    if answer.headers.startswith(b"NATS/1.0 404"):
        return None
    found = header(answer.headers, b"Nats-Sequence")
    if found is None:
        raise Transient(Code.UNAVAILABLE, f"nats-server does not say where {stream} begins")
    return int(found)


async def cut(bus: Bus, stream: str, seq: int, on_erased: Callable[[int], None] = lambda _: None) -> None:
    """Remove every message before a sequence, and every byte of it. Raises `ApiError`, `Transient`.

    `on_erased` is told of messages that were erased one by one, a few at a time.
    """
    jetstream = JetStream(bus)
    begin = await _block_before(bus, stream, seq)
    async for page in pages(jetstream, stream, ">", seq - 1, first=begin):
        for start in range(0, len(page), AT_ONCE):
            some = page[start : start + AT_ONCE]
            await asyncio.gather(*(jetstream.erase(stream, message.seq) for message in some))
            failpoints.reached("cut_erasing")
            on_erased(len(some))
    failpoints.reached("cut_erased")
    await jetstream.call(f"STREAM.PURGE.{stream}", {"seq": seq}, PURGED_WITHIN_S)


async def _block_before(bus: Bus, stream: str, seq: int) -> int:
    """Give a sequence that is more than a block before another one, or the first of the stream."""
    state = await log_state(bus, stream)
    wanted = BLOCK_BYTES + MARGIN_BYTES
    span = 1 + wanted * max(1, state.messages) // max(1, state.bytes)
    while True:
        begin = max(state.first_seq, seq - span)
        if begin == state.first_seq or await _bytes_between(bus, stream, begin, seq) >= wanted:
            return begin
        span *= 2


async def _bytes_between(bus: Bus, stream: str, begin: int, end: int) -> int:
    """Count at most the bytes that nats-server has written of the messages from one sequence to before another."""
    size = 0
    async for page in pages(JetStream(bus), stream, ">", end - 1, first=begin):
        size += sum(len(message.subject) + len(message.data) for message in page)
    return size

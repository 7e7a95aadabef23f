"""Erasing messages so that none of their bytes is left in nats-server's files.

What was tried on nats-server 2.15, with `sync_interval: always`:

* A purge, and whatever else nats-server drops by itself (age, a newer value of a key, a TTL), leaves subject, headers
  and payload in the block file until the block holds nothing else, or is compacted, which the last one never is.
* A secure delete of a single message (`STREAM.MSG.DELETE`, no `no_erase`) overwrites all of it with random bytes. For
  that nats-server writes the whole block file anew: 90 a second on a small machine if the block is full (8 MB), more if
  it is not. There is no request that erases several at once. Of what is gone already it can erase nothing.
* The stream's index (`index.db`) lists subjects. It is written every few minutes, and at once by a purge of all before
  the first message, which removes nothing. That purge is taken only if the first sequence is above 1, which is why
  llum's streams begin with 2.
* The schedules that nats-server obeys (`sched.db`) keep a subject whose message was deleted; a plain message on it,
  before that, ends the schedule. A schedule that has fired is dropped, and one that is replaced.
* A stream whose living messages are published again behind a whole block of filling lets go of every older block, and
  so of all that was dropped in them.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any, Final

from bus import subjects
from bus.connection import Bus
from bus.inbox import header
from bus.jetstream import WRONG_LAST_SEQUENCE, ApiError, JetStream, Stored
from bus.streams import FIRST_SEQUENCE
from schemas.errors import Code, Transient

BLOCK_BYTES: Final = 8 * 1024 * 1024
"""Bytes of the largest block file that nats-server makes."""

PAGE: Final = 64
"""Messages read at a time: they may have a megabyte each."""

AT_ONCE: Final = 16
"""Messages that are erased or published at the same time."""

ENVELOPE_BYTES: Final = 1024
"""Bytes of a largest message that are left for its subject and headers."""

BEHIND_S: Final = 10.0
"""Seconds for which a replica may be behind that is read."""

BEHIND_PAUSE_S: Final = 0.05

INDEX_ATTEMPTS: Final = 5
"""Attempts to write an index while messages expire at the front of its stream."""

RENEWED: Final = (
    subjects.REJECTED_STREAM,
    subjects.DEAD_LETTERS_STREAM,
    subjects.bucket_stream(subjects.TOKEN_BUCKET),
    subjects.bucket_stream(subjects.FAMILY_BUCKET),
    subjects.bucket_stream(subjects.APP_PASSWORD_BUCKET),
    subjects.bucket_stream(subjects.ACCOUNT_BUCKET),
    subjects.bucket_stream(subjects.SESSION_BUCKET),
    subjects.bucket_stream(subjects.TEMPORARY_BUCKET),
    subjects.bucket_stream(subjects.PREFERENCE_BUCKET),
    subjects.REGISTRATIONS_STREAM,
    subjects.SCHEDULES_STREAM,
)
"""The streams from which nats-server drops by itself what belongs to persons; beside that of who asked, which is large
(`bus.asked.renew`)."""

_OF_SCHEDULES: Final = ("Nats-Schedule", "Nats-Schedule-Target", "Nats-Schedule-TTL", "Nats-Schedule-Time-Zone")
"""What makes a message a schedule. What has fired has others, which end the schedule: those it must not get again."""

Choice = Callable[[Stored], bool]
"""Tells whether a message is meant."""

StopCheck = Callable[[], Awaitable[None]]
"""Raises if one must not go on."""

GoOn = Callable[[int], bool]
"""Takes a number of messages that have been erased; tells whether to go on."""


async def erase(
    bus: Bus,
    stream: str,
    subject: str,
    up_to: int | None = None,
    which: Choice | None = None,
    go_on: GoOn = lambda _: True,
) -> int:
    """Erase the messages of a subject, which may hold wildcards, and give their number. Raises `ApiError`, `Transient`.

    Only those up to the sequence `up_to`, and only those that `which` chooses. What comes meanwhile stays, so this ends
    however fast it comes. `go_on` is told of those that have gone, a few at a time, and may end it.
    """
    jetstream, count = JetStream(bus), 0
    if up_to is None:
        up_to = await _last_sequence(jetstream, stream)
    async for page in pages(jetstream, stream, subject, up_to, is_whole=True):
        chosen = [message.seq for message in page if which is None or which(message)]
        for start in range(0, len(chosen), AT_ONCE):
            erased = await asyncio.gather(*(jetstream.erase(stream, seq) for seq in chosen[start : start + AT_ONCE]))
            count += sum(erased)
            if not go_on(sum(erased)):
                return count
    return count


async def _needless() -> None:
    """Nobody else is there."""


async def renew(bus: Bus, stream: str, without: Choice | None = None, check: StopCheck = _needless) -> None:
    """Write a stream's messages anew, and with them only what is alive. Raises `ApiError`, `Transient`.

    They get new sequences and new times; those that `without` chooses are dropped. It may be interrupted and done
    again; a page of messages may be there twice then. Two must not do it at the same time (`bus.leases`): each would
    take what the other has written for what is to be written anew. `check` raises if another one may have begun: what
    was read before may have been erased since.

    What has been written anew is purged page by page: nats-server lets go of the files that held it. To erase it
    message by message would write a file of up to 8 MB for each.
    """
    if await let_go(bus, stream):
        return
    jetstream, filler = JetStream(bus), subjects.filler_subject(stream)
    fillers = await fill(bus, stream)
    async for page in pages_before(jetstream, stream, ">", fillers[-1]):
        for message in page:
            if message.subject == filler:
                continue
            await check()
            if without is None or not without(message):
                await _renew_message(jetstream, stream, message)
            elif message.seq > fillers[0]:
                # It has come since, and may be in the block that begins after the filling.
                await jetstream.erase(stream, message.seq)
        await jetstream.call(f"STREAM.PURGE.{stream}", {"seq": page[-1].seq + 1})
    await jetstream.call(f"STREAM.PURGE.{stream}", {"seq": fillers[-1] + 1})
    await write_index(bus, stream)


async def let_go(bus: Bus, stream: str) -> bool:
    """Have nats-server let go of all files of a stream that holds nothing, and tell whether it did.

    It purges all: that takes every file, with what was dropped in it, and writes next to nothing. What comes at that
    very moment stays, and then the files do. Raises `ApiError`, `Transient`.
    """
    jetstream = JetStream(bus)
    before = await _state(jetstream, stream)
    if before["messages"]:
        return False
    await jetstream.call(f"STREAM.PURGE.{stream}", {"seq": before["last_seq"] + 1})
    await write_index(bus, stream)
    return bool((await _state(jetstream, stream))["last_seq"] == before["last_seq"])


async def write_index(bus: Bus, stream: str) -> None:
    """Have nats-server write the stream's index as it is now. Raises `ApiError`, `Transient`."""
    jetstream = JetStream(bus)
    for _ in range(INDEX_ATTEMPTS):
        first = await _first_sequence(jetstream, stream)
        if first >= FIRST_SEQUENCE:
            await jetstream.call(f"STREAM.PURGE.{stream}", {"seq": first})
        if await _first_sequence(jetstream, stream) == first:
            return


async def erase_schedules(bus: Bus, subject: str) -> int:
    """Erase schedules and end them. The subject may hold wildcards. Raises `ApiError`, `Transient`."""
    jetstream, stream = JetStream(bus), subjects.SCHEDULES_STREAM
    ended = sorted(await jetstream.subjects(stream, subject))
    for one in ended:
        await jetstream.publish(one, b"")
    return await erase(bus, stream, subject) - len(ended)


async def pages(
    jetstream: JetStream,
    stream: str,
    subject: str,
    up_to: int | None = None,
    page_size: int = PAGE,
    first: int = 1,
    *,
    is_whole: bool = False,
) -> AsyncIterator[list[Stored]]:
    """Read the messages of a subject, which may hold wildcards, page by page, from the sequence `first` on.

    A replica that is behind may hide the newest for a moment. `is_whole`: read on until all have come that the stream's
    leader had when this began. Then it raises `Transient` if they do not, and where there is no leader.
    """
    seq, began = first, time.monotonic()
    is_checked = is_whole and jetstream.in_cluster
    last = up_to
    if is_checked and last is None:
        last = await _last_sequence(jetstream, stream)
    while up_to is None or seq <= up_to:
        page, more = await jetstream.page(stream, subject, seq, page_size)
        if page:
            seq, began = page[-1].seq + 1, time.monotonic()
            if wanted := [message for message in page if up_to is None or message.seq <= up_to]:
                yield wanted
            if more:
                continue
        if not is_checked or await _is_end(jetstream, stream, subject, seq, last):
            return
        if time.monotonic() - began > BEHIND_S:
            raise _is_behind(stream)
        await asyncio.sleep(BEHIND_PAUSE_S)


async def _is_end(jetstream: JetStream, stream: str, subject: str, seq: int, last: int | None) -> bool:
    """Tell whether the leader has no message from `seq` on, up to `last`."""
    assert last is not None, "it was looked at first"
    there = await jetstream.next_seq(stream, subject, seq) if seq <= last else None
    return there is None or there > last


def _is_behind(stream: str) -> Transient:
    return Transient(Code.UNAVAILABLE, f"{stream} does not give all that it has: a replica is behind")


async def pages_before(
    jetstream: JetStream, stream: str, subject: str, end: int, page_size: int = PAGE
) -> AsyncIterator[list[Stored]]:
    """Read all messages of a subject before the one with the sequence `end`, which is of that subject, page by page.

    A replica that is behind may give fewer than there are, as if that were all. So it is all only when the one at the
    end is read, too, or a later one. Raises `Transient` if that does not come.
    """
    seq, began = 1, time.monotonic()
    while True:
        page, _ = await jetstream.page(stream, subject, seq, page_size)
        if wanted := [message for message in page if message.seq < end]:
            yield wanted
            seq, began = wanted[-1].seq + 1, time.monotonic()
        if len(wanted) < len(page):
            return
        if not page:
            if time.monotonic() - began > BEHIND_S:
                raise _is_behind(stream)
            await asyncio.sleep(BEHIND_PAUSE_S)


async def fill(bus: Bus, stream: str) -> list[int]:
    """Fill the stream's last block, so that what comes next begins another one. Gives the sequences of the filling."""
    jetstream, filler = JetStream(bus), subjects.filler_subject(stream)
    size = min(BLOCK_BYTES, bus.max_payload) - ENVELOPE_BYTES
    return [await jetstream.publish(filler, bytes(size)) for _ in range(BLOCK_BYTES // size + 1)]


async def _renew_message(jetstream: JetStream, stream: str, message: Stored) -> None:
    """Publish a message again unless its time is over. A newer one of a key stays.

    So does the next plan of a rule, and a plan that has come due meanwhile is not made anew. The old plan is erased:
    nats-server keeps in mind what a purge takes.
    """
    headers = _carried_headers(stream, message)
    if headers is not None:
        try:
            await jetstream.publish(message.subject, message.data, headers)
        except ApiError as error:
            if error.err_code != WRONG_LAST_SEQUENCE:
                raise
    if stream == subjects.SCHEDULES_STREAM:
        await jetstream.erase(stream, message.seq)


def _carried_headers(stream: str, message: Stored) -> dict[str, str] | None:
    """Give the headers of the new message: the rest of its lifetime, what it replaces. None: it is not wanted."""
    if header(message.headers, b"KV-Operation") is not None:
        return None
    headers: dict[str, str] = {}
    lifetime = header(message.headers, b"Nats-TTL")
    if lifetime is not None:
        stored = datetime.fromisoformat(header(message.headers, b"Nats-Time-Stamp") or "")
        left_s = int(lifetime.removesuffix("s")) - (datetime.now(stored.tzinfo) - stored).total_seconds()
        if left_s < 1:
            return None
        headers["Nats-TTL"] = f"{int(left_s)}s"
    if subjects.is_bucket_stream(stream) or subjects.is_schedule(message.subject):
        headers["Nats-Expected-Last-Subject-Sequence"] = str(message.seq)
    for name in _OF_SCHEDULES if subjects.is_schedule(message.subject) else ():
        if (value := header(message.headers, name.encode())) is not None:
            headers[name] = value
    return headers


async def _last_sequence(jetstream: JetStream, stream: str) -> int:
    return int((await _state(jetstream, stream))["last_seq"])


async def _first_sequence(jetstream: JetStream, stream: str) -> int:
    return int((await _state(jetstream, stream))["first_seq"])


async def _state(jetstream: JetStream, stream: str) -> dict[str, Any]:
    info: dict[str, Any] = await jetstream.call(f"STREAM.INFO.{stream}")
    state: dict[str, Any] = info["state"]
    return state

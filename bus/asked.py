"""Who asked what: one message for each person and window, in a stream that no app can reach.

What one minute has brought about many people is published as one atomic batch. nats-server writes such a batch to the
disk at once: that costs a third of what the messages cost one by one, and a batch that is cut off leaves nothing.

    for row in await asked.read(bus, "alice", since=piece.creation_time): ...
"""

import time
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from bus.as_app import new_id
from bus.connection import Bus
from bus.erasing import StopCheck, fill, let_go, pages, pages_before, write_index
from bus.jetstream import JetStream, Stored
from bus.leases import ASKED, lease
from bus.subjects import AUDIT_STREAM, audit_subject, filler_subject
from schemas.asked import AskedRow, AskedWindow

AT_ONCE: Final = 256
"""Messages of one batch: nats-server takes a thousand, and holds each of them in memory until the last has come."""

PAGE: Final = 500
"""Messages read at a time, each of a few hundred bytes."""

_DAY_NS: Final = 24 * 3600 * 1_000_000_000

_decoder: Final = msgspec.json.Decoder(AskedWindow)
_encode: Final = msgspec.json.Encoder().encode


class PersonsWindow(NamedTuple):
    """A window, and whom it is about."""

    user: str
    window: AskedWindow


async def publish(bus: Bus, windows: Sequence[PersonsWindow]) -> None:
    """Store windows. After a `Transient` some may be stored: send the same again."""
    for start in range(0, len(windows), AT_ONCE):
        some = windows[start : start + AT_ONCE]
        await _publish_batch(bus, [(audit_subject(one.user), _encode(one.window)) for one in some])


async def read(bus: Bus, user: str, since: float | None = None, besides: Collection[str] = ()) -> list[AskedRow]:
    """Give who asked about a person: all that is kept, or what was asked at or after a time (seconds since 1970).

    One row for each window, so the same app and place come again and again; `model.asked` adds them up. What workers
    have answered within the last minute, or 15 minutes where the same is asked all the time, is not yet there: the
    query `asked` adds what the worker that answers it has in memory. Windows that are named in `besides`, by id, are
    left out. Raises `Transient`.
    """
    rows: list[AskedRow] = []
    known = set(besides)
    seq, more = 1, True
    while more:
        page, more = await JetStream(bus).page(AUDIT_STREAM, audit_subject(user), seq, PAGE)
        for window in map(_window, page):
            if window.id not in known:
                known.add(window.id)
                rows += [row for row in window.rows if since is None or row.last >= since]
        more = more and bool(page)
        seq = page[-1].seq + 1 if page else seq
    return rows


async def leave_out(bus: Bus, user: str, path: Sequence[str]) -> int:
    """Erase what is kept about a component, and give the number of rows. The other rows of a window are kept.

    Raises `ApiError`, `Transient`. Interrupted, it may be done again; a window that is there twice then counts once.
    """
    # What is just being written anew would be there again.
    async with lease(bus, ASKED) as held:
        return await _leave_out(JetStream(bus), user, path, held.check)


async def _leave_out(jetstream: JetStream, user: str, path: Sequence[str], check: StopCheck) -> int:
    left_out = 0
    async for page in pages(jetstream, AUDIT_STREAM, audit_subject(user), await _last_seq(jetstream), is_whole=True):
        for stored in page:
            window = _window(stored)
            rows = [row for row in window.rows if row.path != list(path)]
            if len(rows) < len(window.rows):
                left_out += len(window.rows) - len(rows)
                if rows:
                    kept = AskedWindow(id=window.id, rows=rows)
                    await check()
                    await jetstream.publish(audit_subject(user), _encode(kept))
                await jetstream.erase(AUDIT_STREAM, stored.seq)
    return left_out


async def _last_seq(jetstream: JetStream) -> int:
    return int((await jetstream.call(f"STREAM.INFO.{AUDIT_STREAM}"))["state"]["last_seq"])


async def set_bounds(bus: Bus, days: int, messages: int) -> None:
    """Keep what is stored for so many days, and so many messages of each person. Raises `ApiError`, `Transient`."""
    jetstream = JetStream(bus)
    wanted = {"max_age": days * _DAY_NS, "max_msgs_per_subject": messages}
    config: dict[str, Any] = (await jetstream.call(f"STREAM.INFO.{AUDIT_STREAM}"))["config"]
    if config | wanted != config:
        await jetstream.call(f"STREAM.UPDATE.{AUDIT_STREAM}", config | wanted)


async def renew(bus: Bus) -> None:
    """Write the stream anew, and with it only what is alive and in its time. Raises `ApiError`, `Transient`.

    Messages become younger by that: they stay for so long again, unless this is done again. It may be interrupted and
    done again; a window that is there twice then is written once. One at a time does it (`bus.leases`).
    What is older than the filling is purged: nats-server lets go of the files that held it, which costs little for
    however many messages.
    """
    async with lease(bus, ASKED) as held:
        if not await let_go(bus, AUDIT_STREAM):
            await _renew(bus, held.check)


async def _renew(bus: Bus, check: StopCheck) -> None:
    jetstream = JetStream(bus)
    config: dict[str, Any] = (await jetstream.call(f"STREAM.INFO.{AUDIT_STREAM}"))["config"]
    fillers = await fill(bus, AUDIT_STREAM)
    known_since = time.time() - config["max_age"] / 1e9
    alive: list[tuple[str, bytes]] = []
    written: set[int] = set()
    async for page in pages_before(jetstream, AUDIT_STREAM, audit_subject("*"), fillers[-1]):
        alive += [(stored.subject, stored.data) for stored in page if _is_wanted(stored, known_since, written)]
        if len(alive) >= AT_ONCE:
            await check()
            await _publish_batch(bus, alive)
            alive = []
    await check()
    await _publish_batch(bus, alive)
    await jetstream.call(f"STREAM.PURGE.{AUDIT_STREAM}", {"seq": fillers[-1] + 1})
    await write_index(bus, AUDIT_STREAM)


def _is_wanted(stored: Stored, known_since: float, written: set[int]) -> bool:
    """Tell whether a message is to be written anew, and note that it is. `written` has hashes: there may be many."""
    if stored.subject == filler_subject(AUDIT_STREAM):
        return False
    window = _window(stored)
    known = hash((stored.subject, window.id, stored.data))
    if known in written or not any(row.last >= known_since for row in window.rows):
        return False
    written.add(known)
    return True


async def _publish_batch(bus: Bus, messages: Sequence[tuple[str, bytes]]) -> None:
    """Publish messages, all or none. Only the last is acknowledged, and with it all."""
    if not messages:
        return
    batch = new_id()
    for number, (subject, data) in enumerate(messages[:-1], 1):
        await bus.publish(subject, data, headers=_headers(batch, number))
    headers = _headers(batch, len(messages)) | {"Nats-Batch-Commit": "1"}
    await JetStream(bus).publish(*messages[-1], headers)


def _headers(batch: str, number: int) -> dict[str, str]:
    return {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}


def _window(stored: Stored) -> AskedWindow:
    return _decoder.decode(stored.data)

"""The stream of who asked: windows of many people in one batch, read back once each, within bounds."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bus import asked, leases
from bus.asked import AT_ONCE, PersonsWindow, set_bounds
from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.erasing import erase, pages, pages_before
from bus.jetstream import JetStream, Stored
from bus.kv import Bucket
from bus.subjects import AUDIT_STREAM, ERASURE_BUCKET, audit_subject
from schemas.asked import AskedRow, AskedWindow
from schemas.codec import encode
from schemas.errors import Transient
from tests.nats_server import installed_server, kill_and_restart


def window(user: str, number: int, at: float = 100.0) -> PersonsWindow:
    row = AskedRow(app="coach", verb="ask", path=["c", "a"], count=number, first=at, last=at)
    return PersonsWindow(user, AskedWindow(id=f"{user}-{number}", rows=[row]))


async def counts(bus: Bus, user: str, since: float | None = None) -> list[int]:
    return [row.count for row in await asked.read(bus, user, since)]


async def test_windows_of_many_people_are_stored_and_read_by_person(bus: Bus) -> None:
    """In order, however many batches they take."""
    people = [f"u{number}" for number in range(AT_ONCE + 10)]
    await asked.publish(bus, [window(user, 1) for user in people])
    await asked.publish(bus, [window("u7", 2, at=200.0)])
    assert await counts(bus, "u7") == [1, 2]
    assert await counts(bus, "u7", since=150.0) == [2]
    assert await counts(bus, people[-1]) == [1]
    assert await counts(bus, "nobody") == []


async def test_a_window_that_is_sent_again_counts_once(bus: Bus) -> None:
    """Whoever does not know whether it was stored sends it again."""
    for _ in range(3):
        await asked.publish(bus, [window("alice", 1), window("bob", 1)])
    assert await counts(bus, "alice") == [1]


async def test_a_batch_that_is_cut_off_leaves_nothing(bus: Bus) -> None:
    """So it is known whether to send it again: all of it or none."""
    headers = {"Nats-Batch-Id": "cut-off", "Nats-Batch-Sequence": "1"}
    await bus.publish(audit_subject("alice"), encode(window("alice", 1).window), headers=headers)
    await bus.flush()
    assert await counts(bus, "alice") == []
    await asked.publish(bus, [window("alice", 2)])
    assert await counts(bus, "alice") == [2]


async def test_more_than_its_bound_of_a_person_is_not_kept(bus: Bus) -> None:
    """The oldest go, and nobody else loses anything."""
    await set_bounds(bus, days=1, messages=3)
    await asked.publish(bus, [window("bob", 1), *(window("alice", number) for number in range(5))])
    assert await counts(bus, "alice") == [2, 3, 4]
    assert await counts(bus, "bob") == [1]
    config = (await JetStream(bus).call(f"STREAM.INFO.{AUDIT_STREAM}"))["config"]
    assert config["max_age"] == 24 * 3600 * 1_000_000_000


async def test_a_bound_can_be_set_again(bus: Bus) -> None:
    """Each start sets what the settings say then."""
    for messages in (3, 5, 5):
        await set_bounds(bus, days=2, messages=messages)
    config = (await JetStream(bus).call(f"STREAM.INFO.{AUDIT_STREAM}"))["config"]
    assert config["max_msgs_per_subject"] == 5


@pytest.fixture
async def synced(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """A server that has on the disk what it has acknowledged."""
    async with installed_server(tmp_path, 4, 2, EmbeddedServer(tmp_path, 0, 4)) as server:
        yield server


async def test_what_nats_server_has_dropped_is_erased_by_renewing(tmp_path: Path, synced: EmbeddedServer) -> None:
    """Of one who is forgotten no byte is in any file, also after kill -9; of others all is there, however often."""
    bus = await Bus.connect(synced.url_as("operator"), name="test")
    try:
        await set_bounds(bus, days=1, messages=3)
        now = time.time()
        for number in range(8):
            await asked.publish(bus, [window("alice-4f1c", number, now), window("bob", number, now)])
        await asked.publish(bus, [window("old", 1, now - 2 * 24 * 3600)])
        await erase(bus, AUDIT_STREAM, audit_subject("alice-4f1c"))
        assert files_with(tmp_path, b"alice-4f1c")
        for _ in range(2):
            await asked.renew(bus)
            assert files_with(tmp_path, b"alice-4f1c") == []
            assert await counts(bus, "bob") == [5, 6, 7]
            assert await counts(bus, "old") == []
    finally:
        await bus.close()
    await kill_and_restart(synced)
    assert files_with(tmp_path, b"alice-4f1c") == []
    again = await Bus.connect(synced.url_as("operator"), name="again")
    assert await counts(again, "bob") == [5, 6, 7]
    await again.close()


async def test_what_is_recorded_while_it_is_written_anew_is_there(bus: Bus) -> None:
    """Whenever it comes: before, between and after the filling."""
    number, goes_on = 0, True

    async def go_on() -> None:
        nonlocal number
        while goes_on:
            await asked.publish(bus, [window("bob", number, time.time())])
            number += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(go_on())
        for _ in range(5):
            await asked.renew(bus)
        goes_on = False
    assert number > 0
    assert sorted(await counts(bus, "bob")) == list(range(number))


async def test_what_is_there_twice_is_written_anew_once(bus: Bus) -> None:
    """A renewal was interrupted before it had purged what it had written anew, again and again."""
    await set_bounds(bus, days=1, messages=50)
    windows = [window("bob", number, time.time()) for number in range(5)]
    for _ in range(3):
        await asked.publish(bus, windows)
    await asked.renew(bus)
    assert await counts(bus, "bob") == [0, 1, 2, 3, 4]
    assert await JetStream(bus).count(AUDIT_STREAM, audit_subject("*")) == 5


def files_with(folder: Path, word: bytes) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and word in path.read_bytes()]


async def test_whoever_is_held_up_while_they_renew_brings_nobody_back(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one has begun meanwhile, and has erased somebody: what was read before is not written anew."""
    monkeypatch.setattr(leases, "SURE_S", 0.0)
    await asked.publish(bus, [window("alice", 1), window("bob", 1)])

    async def held_up(*where: Any) -> AsyncIterator[list[Stored]]:
        async for page in pages_before(*where):
            yield page
            await Bucket(bus, ERASURE_BUCKET).put("lease.asked", b"of another", 60)
            await erase(bus, AUDIT_STREAM, audit_subject("alice"))

    monkeypatch.setattr(asked, "pages_before", held_up)
    with pytest.raises(Transient, match="another one"):
        await asked.renew(bus)
    assert await counts(bus, "alice") == []
    assert await counts(bus, "bob") == [1]


async def test_whoever_is_held_up_while_they_leave_out_a_component_brings_nobody_back(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above, with the rest of a window."""
    monkeypatch.setattr(leases, "SURE_S", 0.0)
    rows = [AskedRow(app="coach", verb="ask", path=["c", name], count=1, first=1.0, last=1.0) for name in "ab"]
    await asked.publish(bus, [PersonsWindow("alice", AskedWindow(id="both", rows=rows))])

    async def held_up(*where: Any, **how: Any) -> AsyncIterator[list[Stored]]:
        async for page in pages(*where, **how):
            await Bucket(bus, ERASURE_BUCKET).put("lease.asked", b"of another", 60)
            await erase(bus, AUDIT_STREAM, audit_subject("alice"))
            yield page

    monkeypatch.setattr(asked, "pages", held_up)
    with pytest.raises(Transient, match="another one"):
        await asked.leave_out(bus, "alice", ["c", "a"])
    assert await counts(bus, "alice") == []

"""A worker that was away notices it, by a heart that has not beaten."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from actors.absences import Absences, Doubt
from actors.effects.relaying import Relay
from actors.store.shard import OutboxEntry
from bus.workers import SILENT_S
from schemas.errors import Code, Transient
from tests.waiting import until


class World:
    """A clock that is put, and a connection that is there or not."""

    def __init__(self) -> None:
        self.now = 100.0
        self.connected = True

    @asynccontextmanager
    async def absences(self) -> AsyncIterator[Absences]:
        absences = Absences(lambda: self.connected, lambda: self.now)
        try:
            yield absences
        finally:
            absences.close()


async def test_who_runs_and_is_connected_is_not_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it runs. Who is not connected for a while is."""
    monkeypatch.setattr("actors.absences.BEAT_EVERY_S", 0.001)
    world = World()
    async with world.absences() as absences:
        for _ in range(3):
            world.now += SILENT_S
            await until(lambda: absences.late_at == world.now + SILENT_S, "it beats")
        assert absences.count == 0
        world.connected = False
        world.now += SILENT_S + 1
        await until(lambda: absences.count == 1, "it has been away")


async def test_who_is_connected_but_not_heard_by_others_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is dead, and nobody has noticed."""
    monkeypatch.setattr("actors.absences.BEAT_EVERY_S", 0.001)
    world = World()
    async with world.absences() as absences:
        believed_until = world.now + SILENT_S
        absences.believed_for_s = lambda: believed_until - world.now
        world.now += SILENT_S - 1
        doubt = Doubt(absences, unneeded)
        await until(lambda: absences.late_at == believed_until, "it beats")
        assert not doubt.is_there(believed_until)
        assert doubt.is_there(believed_until + 0.1)


async def test_what_is_relayed_waits_until_it_is_known_that_nobody_was_forgotten() -> None:
    """After an absence it may be about them. It is not asked for each entry."""
    absences, asked, handled = Absences(lambda: True), 0, list[int]()
    anything = cast(Any, SimpleNamespace(number=1))

    async def clear() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise Transient(Code.UNAVAILABLE, "somebody was forgotten")

    async def handle(entry: OutboxEntry) -> None:
        handled.append(entry.seq)

    def entry(seq: int) -> OutboxEntry:
        return OutboxEntry(seq, 0, "rejection", "{}")

    relay = Relay(anything, anything, anything, anything, anything, anything, anything, Doubt(absences, clear))
    handler = relay._without_doubt(handle)
    await handler(entry(1))
    absences.count += 1
    with pytest.raises(Transient, match="forgotten"):
        await handler(entry(2))
    for seq in (3, 4):
        await handler(entry(seq))
    absences.close()
    assert (handled, asked) == ([1, 3, 4], 2)


async def unneeded() -> None:
    raise AssertionError("nobody asks")


async def test_after_an_absence_there_is_doubt_until_it_is_ended() -> None:
    """Once for each absence, and at once: the heart need not have beaten before somebody asks."""
    world, cleared = World(), list[int]()

    async def clear() -> None:
        cleared.append(1)

    async with world.absences() as absences:
        doubt = Doubt(absences, clear)
        assert not doubt.is_there(world.now)
        assert doubt.is_there(world.now + SILENT_S + 1)
        await asyncio.gather(doubt.end(), doubt.end())
        assert not doubt.is_there(world.now + SILENT_S + 1)
    assert cleared == [1]


async def test_doubt_stays_while_nobody_knows() -> None:
    """Whoever asks is told so, and the next one tries again."""
    world = World()

    async def clear() -> None:
        raise Transient(Code.UNAVAILABLE, "nobody knows")

    async with world.absences() as absences:
        doubt = Doubt(absences, clear)
        later = world.now + SILENT_S + 1
        assert doubt.is_there(later)
        with pytest.raises(Transient):
            await doubt.end()
        assert doubt.is_there(later)

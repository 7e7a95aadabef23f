"""Partitions that are told to leave while something is in their hands."""

import asyncio
import sqlite3
from typing import Any

import pytest

from actors.mailbox import Mailroom
from actors.partition import Partition
from actors.uncommitted import Bound
from bus.log import LogMessage
from tests.actors.hosting import ALICE, HERS, HIS, Host
from tests.waiting import DEADLINE_S


async def test_leaving_does_not_wait_for_the_next_attempt(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: the batch is tried again and again, but not once the worker drains. It is in the log."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await host.llum.make_person(ALICE, "a")
    tried = asyncio.Event()

    async def disk_is_full(*_: Any) -> Any:
        tried.set()
        raise sqlite3.OperationalError("database or disk is full")

    # What is applied in the moment in which it arrives needs nothing of the disk.
    monkeypatch.setattr(Partition, "apply_at_once", lambda *_: None)
    monkeypatch.setattr(Partition, "apply", disk_is_full)
    monkeypatch.setattr("bus.retrying.RETRY_S", 3600.0)
    await host.store_tells(1)
    await asyncio.wait_for(tried.wait(), DEADLINE_S)
    await asyncio.wait_for(worker.drain(), DEADLINE_S)
    monkeypatch.undo()
    await (await host.worker("one")).add(HERS)
    assert await host.llum.values("a") == [0]


async def test_leaving_while_too_much_waits_for_its_commit(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition is told to leave while nothing more may be applied: it ends, and what has come is in the log."""
    delivered, deliver = asyncio.Queue[int](), Mailroom.deliver

    def deliver_and_say(mailroom: Mailroom, messages: list[LogMessage]) -> None:
        deliver(mailroom, messages)
        for message in messages:
            delivered.put_nowait(message.partition)

    monkeypatch.setattr(Mailroom, "deliver", deliver_and_say)
    worker = await host.worker("one")
    await asyncio.gather(worker.add(HERS), worker.add(HIS))
    await host.llum.make_person(ALICE, "a")
    assert await asyncio.wait_for(delivered.get(), DEADLINE_S) == HERS
    with monkeypatch.context() as patched:
        patched.setattr(Bound, "has_room", False)
        await host.store_tells(1)
        assert await asyncio.wait_for(delivered.get(), DEADLINE_S) == HERS
        await asyncio.wait_for(worker.drain(), DEADLINE_S)
    assert (await host.held_by("one")).components[0].value is None
    await (await host.worker("one")).add(HERS)
    assert await host.llum.values("a") == [0]

"""Partitions that are told to leave while something is in their hands."""

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from actors.mailbox import Mailroom
from actors.partition import Partition
from bus.log import LogMessage
from tests.actors.hosting import ALICE, BOB, HERS, HIS, Host
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

    monkeypatch.setattr(Partition, "apply", disk_is_full)
    monkeypatch.setattr("bus.retrying.RETRY_S", 3600.0)
    await host.store_tells(1)
    await asyncio.wait_for(tried.wait(), DEADLINE_S)
    await asyncio.wait_for(worker.drain(), DEADLINE_S)
    monkeypatch.undo()
    await (await host.worker("one")).add(HERS)
    assert await host.llum.values("a") == [0]


async def test_leaving_while_a_batch_waits_for_its_turn(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition is told to leave while others write: the batch that it then takes is its last one, and it ends."""
    delivered, deliver, apply = asyncio.Queue[int](), Mailroom.deliver, Partition.apply
    writing, may_write = asyncio.Event(), asyncio.Event()

    async def apply_when_allowed(partition: Partition, messages: Sequence[LogMessage]) -> Any:
        writing.set()
        await may_write.wait()
        return await apply(partition, messages)

    def deliver_and_say(mailroom: Mailroom, messages: list[LogMessage]) -> None:
        deliver(mailroom, messages)
        for message in messages:
            delivered.put_nowait(message.partition)

    monkeypatch.setattr("actors.serving.MAX_WRITING", 1)
    monkeypatch.setattr(Mailroom, "deliver", deliver_and_say)
    worker = await host.worker("one")
    monkeypatch.setattr(Partition, "apply", apply_when_allowed)
    await asyncio.gather(worker.add(HERS), worker.add(HIS))
    await host.store_tells(1, BOB)
    await asyncio.wait_for(writing.wait(), DEADLINE_S)
    await host.store_tells(1, ALICE)
    assert [await asyncio.wait_for(delivered.get(), DEADLINE_S) for _ in range(2)] == [HIS, HERS]
    leaving = asyncio.create_task(worker.drain())
    for _ in range(10):
        await asyncio.sleep(0)
    may_write.set()
    await asyncio.wait_for(leaving, DEADLINE_S)

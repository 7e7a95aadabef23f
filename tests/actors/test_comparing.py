"""Copies of a partition that differ: the wrong one is found, answers nothing, and is made anew from the log."""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from actors import comparing, marks
from actors.store.batch import Batch
from actors.worker import Worker
from bus.aside import list_aside, remove_shard
from bus.erasing import erase
from bus.pings import ping
from bus.scrubs import scrub
from bus.subjects import DEFAULT_LOG_STREAMS, log_stream_of, log_subjects_of_user
from schemas.commands import Forget
from tests.actors.hosting import ALICE, HERS, Host
from tests.waiting import DEADLINE_S, eventually, until


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare often."""
    monkeypatch.setattr(comparing, "TELL_EVERY_S", 0.2)
    monkeypatch.setattr(comparing, "JUDGED_AFTER_S", 0.1)
    monkeypatch.setattr(marks, "MARK_EVERY", 5)


async def two_copies(host: Host) -> tuple[Worker, Worker]:
    """Have two workers hold her partition; the first is the primary."""
    one, two = await host.worker("one"), await host.worker("two")
    await one.add(HERS)
    await two.add(HERS, primary=False)
    await host.llum.make_person(ALICE, "a")
    return one, two


def aside(host: Host, name: str) -> list[str]:
    return [one.reason for one in list_aside(host.folder / name)]


def serving(worker: Worker) -> Any:
    return worker._held[HERS].life.serving


def sums(worker: Worker) -> tuple[int, int, int] | None:
    """Give how far it is, and its sums; None: it is not open."""
    partition = serving(worker)._partition
    if partition is None or not serving(worker).answers.is_set():
        return None
    waiting = partition.waiting
    return waiting.applied_seq, waiting.log_sum, waiting.state_sum


async def until_same(one: Worker, two: Worker) -> None:
    await until(lambda: one.partitions == two.partitions, "both hold it")
    await until(lambda: sums(one) == sums(two) is not None, "both are the same")


def otherwise_in(worker: Worker, monkeypatch: pytest.MonkeyPatch, times: int | None = 1) -> None:
    """Have one worker write another value than it was told: so many times, or always (None)."""
    plain: Callable[..., Any] = Batch.add_changes
    left = [times]

    def add_changes(self: Batch, user_key: int, user: str, changes: Any, seq: int, time_us: int) -> int:
        share: int = plain(self, user_key, user, changes, seq, time_us)
        is_ours = serving(worker)._partition is not None and self is serving(worker)._partition.waiting.gathering.batch
        if is_ours and self.evidence and left[0] != 0:
            row = self.evidence[-1]
            if '"value":3' in row[-1]:
                self.evidence[-1] = (*row[:-1], row[-1].replace('"value":3', '"value":4'))
                left[0] = None if left[0] is None else left[0] - 1
                return share + 1
        return share

    monkeypatch.setattr(Batch, "add_changes", add_changes)


async def test_copies_that_are_the_same_are_left_alone(host: Host) -> None:
    """However often they are compared, and whoever is forgotten, restarted or made anew meanwhile."""
    one, two = await two_copies(host)
    await host.store_tells(12)
    await two.remove(HERS)
    await host.store_tells(7)
    await two.add(HERS, primary=False)
    await host.llum.do(Forget(id="forget"))
    await host.llum.make_person(ALICE, "a")
    await host.store_tells(11)
    await until_same(one, two)
    kept = serving(one)._partition.waiting.marks.kept
    upkeep = serving(two)._upkeep
    assert upkeep is not None
    compared = upkeep._comparing
    await until(lambda: set(compared._heard) and len(kept) > 1, "they have heard of each other")
    assert aside(host, "one") == aside(host, "two") == []


async def test_a_command_applied_otherwise_is_found(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy that is not the primary's is set aside; made anew from the log it answers the same again."""
    one, two = await two_copies(host)
    otherwise_in(two, monkeypatch)
    await host.store_tells(6)
    await until(lambda: aside(host, "two") == ["differs"], "the copy is set aside")
    await until_same(one, two)
    assert aside(host, "one") == []
    await one.remove(HERS)
    assert await host.llum.values("a") == list(range(6))


async def test_the_primary_is_the_wrong_one_if_a_copy_comes_to_the_same_twice(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is made anew, differs again, and so the primary is made anew as well."""
    one, two = await two_copies(host)
    otherwise_in(one, monkeypatch)
    await host.store_tells(6)
    await until(lambda: aside(host, "one") == ["differs"], "the primary is set aside")
    await until_same(one, two)
    assert aside(host, "two") == ["differs"]


async def test_a_copy_that_differs_again_stops(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers nothing any more, and the others say so; nothing is made anew again and again."""
    _, two = await two_copies(host)
    otherwise_in(two, monkeypatch, None)
    await host.store_tells(6)

    async def is_told() -> bool:
        reply = await ping(host.llum.bus, HERS, DEADLINE_S)
        return reply is not None and "has stopped" in (reply.differs or "")

    await eventually(is_told, "it is said that a copy has stopped")
    assert not serving(two).answers.is_set()
    assert aside(host, "two") == ["differs"]
    assert await host.llum.values("a") == list(range(6))


async def test_what_rots_on_the_disk_is_found_by_a_scrub(host: Host) -> None:
    """The shard is set aside and made anew from the log, with the value that was told."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await host.llum.make_person(ALICE, "a")
    await host.store_tells(4)
    await host.llum.until("a", [0, 1, 2, 3])
    await serving(worker).flush()
    assert await worker.scrub_one(HERS) is None
    with closing(sqlite3.connect(host.folder / "one" / f"{HERS}.db")) as file:
        changed = file.execute("UPDATE evidence SET creation_us = creation_us + 1 WHERE n = 0 AND rowid = 2")
        assert changed.rowcount == 1
        file.commit()
    scrubbing = asyncio.create_task(worker.scrub(0.1))
    try:
        await until(lambda: aside(host, "one") == ["damaged"], "the shard is set aside")
    finally:
        scrubbing.cancel()
    await until(lambda: sums(worker) is not None, "it is served again")
    assert await host.llum.values("a") == [0, 1, 2, 3]
    assert await worker.scrub_one(HERS) is None


async def test_all_who_hold_a_partition_read_their_shard_for_an_operator(host: Host) -> None:
    """Each says what it has found."""
    one, two = await two_copies(host)
    await host.store_tells(4)
    await until_same(one, two)
    for worker in (one, two):
        await serving(worker).flush()
    with closing(sqlite3.connect(host.folder / "two" / f"{HERS}.db")) as file:
        file.execute("UPDATE user SET time_us = time_us + 1")
        file.commit()
    said = await scrub(host.llum.bus, HERS, DEADLINE_S)
    found = {each.holder: each.found for each in said if each.done}
    assert found[one._ground.holder] is None
    assert "a person" in (found.get(two._ground.holder) or "")


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_that_may_happen_to_a_copy_is_taken_for_a_difference(host: Host, seed: int) -> None:
    """Commands at random, while the second copy restarts, or is made anew from a log that people were erased from."""
    chance = random.Random(seed)
    one, two = await two_copies(host)
    for _ in range(12):
        what = chance.choice(["tell", "tell", "forget", "restart", "anew"])
        if what == "tell":
            await host.store_tells(chance.randrange(1, 12))
        elif what == "forget":
            await host.llum.do(Forget(id=host.llum.next_id()))
            await erase(host.llum.bus, log_stream_of(HERS, DEFAULT_LOG_STREAMS), log_subjects_of_user(ALICE))
            await host.llum.make_person(ALICE, "a")
        else:
            await two.remove(HERS)
            await host.store_tells(chance.randrange(4))
            if what == "anew":
                remove_shard(host.folder / "two" / f"{HERS}.db")
            await two.add(HERS, primary=False)
    seq = await host.store_tells(11)

    def have_compared() -> bool:
        upkeeps = [serving(worker)._upkeep for worker in (one, two)]
        compared = [upkeep._comparing for upkeep in upkeeps if upkeep]
        last = [max((at for heard in each._heard.values() for at in heard), default=0) for each in compared]
        return len(last) == 2 and min(last) > seq - 11 and not any(each._judging for each in compared)

    await until(have_compared, "they have compared what was told last")
    await until_same(one, two)
    assert aside(host, "one") == aside(host, "two") == [], seed

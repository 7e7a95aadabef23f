"""Copies of a partition after a forget: no snapshot, shard or file beside it has a byte of the person, or is used.

Method: workers in this process, which pack snapshots without compressing them, so that a word can be looked for in the
files of nats-server; and worker processes that die half-way.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from bus import erasures
from bus.aside import FOLDER
from bus.connection import Bus
from bus.erasing import erase
from bus.erasures import Erasure
from bus.jetstream import JetStream
from bus.pings import ping
from bus.shard_snapshots import is_of, list_snapshots, request_snapshot, store_of
from bus.subjects import log_stream_of, log_subject, log_subjects_of_user, partition_of
from llum.processes.worker import FAILPOINT
from schemas.commands import Forget
from schemas.errors import Transient
from schemas.parts import ForgetPart, MeasurePartReply
from schemas.queries import MeasurePart, Ping
from schemas.replies import PingReply
from tests.actors.hosting import ALICE, HERS, Host
from tests.actors.serving import PARTITIONS, Llum, speaking
from tests.actors.snapping import chunks, events, holds, lines, seqs, snapshot
from tests.actors.worker_process import WorkerProcess
from tests.nats_server import kill_and_restart
from tests.waiting import DEADLINE_S, eventually, until

MARK, KEPT = b"ZZMARK", b"YYKEPT"
BEN = next(name for name in ("ben", "carol", "dora", "eve", "zoe") if partition_of(name, PARTITIONS) == HERS)
"""Another person of the same partition."""

STREAM = log_stream_of(HERS, PARTITIONS)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bus.snapshot_files._LEVEL", 0)


async def two_lives(llum: Llum) -> None:
    """Two people, each with a word of their own."""
    for user, word in ((ALICE, MARK), (BEN, KEPT)):
        await llum.make_person(user, "a", "secret")
        for number in range(3):
            await llum.tell("secret", f"{word.decode()}-{number}", user)
        await llum.tell("a", 1, user)


async def forget(host: Host, user: str = ALICE) -> None:
    """Forget as `llum admin person forget` does: the command, then the log."""
    await host.llum.do(Forget(id=host.llum.next_id()), user)
    await erase(host.llum.bus, STREAM, log_subjects_of_user(user))


def nats_files(host: Host) -> Path:
    return host.folder / "nats"


async def new_snapshot(bus: Bus, after: int) -> int:
    """Wait for a snapshot of what was applied after a sequence, and give its last command."""

    async def is_made() -> int:
        return next((seq for seq in await seqs(bus) if seq >= after), 0)

    return await eventually(is_made, "a new snapshot is made")


async def test_no_snapshot_holds_a_forgotten_person(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the outcome is said the old ones are gone. A new one is made after that, and a worker begins with it."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await two_lives(host.llum)
    await snapshot(host.llum.bus)
    await host.llum.tell("a", 2, BEN)
    await snapshot(host.llum.bus)
    assert holds(nats_files(host), MARK)
    monkeypatch.setattr("actors.snapshotting.FIRST_LOOK_S", 0.01)
    monkeypatch.setattr("actors.snapshotting.LOOK_EVERY_S", 0.01)
    monkeypatch.setattr("actors.snapshotting.AFTER_ERASURE_S", 0.01)
    await worker.set_primary(HERS, False)
    await worker.set_primary(HERS, True)
    await forget(host)
    assert holds(nats_files(host), MARK) == []
    erased = await erasures.read(host.llum.bus, HERS)
    assert erased.number == 1
    assert await new_snapshot(host.llum.bus, erased.seq) == erased.seq
    assert holds(nats_files(host), KEPT)
    assert holds(host.folder, MARK) == []
    await worker.remove(HERS)
    two = await host.worker("two")
    with lines() as logs:
        await two.add(HERS)
    assert events(logs) == ["snapshot_restored"]
    assert await host.llum.values("a", BEN) == [1, 2]
    assert holds(host.folder, MARK) == []


async def test_no_snapshot_holds_a_forgotten_part(host: Host) -> None:
    """Of the rest of the person nothing is lost."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await two_lives(host.llum)
    await snapshot(host.llum.bus)
    await host.llum.do(ForgetPart(id="part", context=["c"], component="secret"))

    async def is_rewritten() -> bool:
        reply = await host.llum.requests.ask(ALICE, "llum", MeasurePart(), DEADLINE_S)
        return isinstance(reply, MeasurePartReply) and not reply.waits

    await eventually(is_rewritten, "the log is written anew")
    assert await chunks(host.llum.bus) == []
    assert holds(host.folder, MARK) == []
    await snapshot(host.llum.bus)
    await worker.remove(HERS)
    two = await host.worker("two")
    await two.add(HERS)
    assert await host.llum.values("a") == [1]
    assert holds(host.folder, MARK) == []
    assert holds(host.folder / "two", KEPT)


async def test_a_worker_that_was_away_starts_from_nothing(host: Host) -> None:
    """Its shard, and what it had set aside, are deleted before anything is answered from them."""
    one, two = await host.worker("one"), await host.worker("two")
    await one.add(HERS)
    await two.add(HERS, primary=False)
    await two_lives(host.llum)
    await two.remove(HERS)
    aside = host.folder / "two" / FOLDER / f"{HERS}.2026-01-01T00-00-00Z.damaged.db"
    aside.parent.mkdir()
    shutil.copy(host.folder / "two" / f"{HERS}.db", aside)
    await forget(host)
    made = await snapshot(host.llum.bus)
    await one.remove(HERS)
    assert holds(host.folder / "two", MARK)
    with lines() as logs:
        await two.add(HERS)
    assert events(logs) == ["shard_outdated", "snapshot_restored"]
    assert made.committed_seq == (await erasures.read(host.llum.bus, HERS)).seq
    assert holds(host.folder, MARK) == []
    assert await host.llum.values("a", BEN) == [1]


async def test_a_worker_that_a_forget_has_passed_by_starts_from_nothing(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was stopped for a while: when it reads on, the forget is not in the log any more."""
    monkeypatch.setattr("actors.erasing.CHECK_EVERY_S", 0.01)
    worker = await host.worker("one")
    await worker.add(HERS)
    await two_lives(host.llum)
    jetstream = JetStream(host.llum.bus)
    with lines() as logs:
        passed = await jetstream.publish(log_subject(HERS, "nobody", "llum", "tell"), b"{}")
        await jetstream.erase(STREAM, passed)
        await erasures.record(host.llum.bus, HERS, passed)
        await until(lambda: "shard_outdated" in events(logs), "it is seen")

        async def is_served() -> bool:
            return await host.llum.values("a", BEN) == [1]

        await eventually(is_served, "the partition is served again")
    assert events(logs) == ["shard_outdated"]


async def test_a_worker_that_was_away_looks_before_it_answers(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked while it was stopped is not answered by what it held, if somebody was forgotten meanwhile."""
    monkeypatch.setattr("actors.erasing.CHECK_EVERY_S", 1e9)
    worker = await host.worker("one")
    await worker.add(HERS)
    await two_lives(host.llum)
    worker._ground.absences.late_at = 0.0
    assert await host.llum.values("a", BEN) == [1], "nothing was missed"
    jetstream = JetStream(host.llum.bus)
    passed = await jetstream.publish(log_subject(HERS, "nobody", "llum", "tell"), b"{}")
    await jetstream.erase(STREAM, passed)
    await erasures.record(host.llum.bus, HERS, passed)
    with lines() as logs:
        worker._ground.absences.late_at = 0.0
        with suppress(Transient):
            await host.llum.values("a", BEN)
        await until(lambda: "shard_outdated" in events(logs), "the ask has made it look")


async def test_what_a_forget_took_from_the_log_meanwhile_does_not_make_it_another_log(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last commands that a worker knows were about whoever is forgotten: it notices as it connects again."""
    monkeypatch.setattr("actors.erasing.CHECK_EVERY_S", 1e9)
    worker = await host.worker("one")
    await worker.add(HERS)
    await two_lives(host.llum)
    await host.llum.tell("secret", f"{MARK.decode()}-last")
    jetstream = JetStream(host.llum.bus)
    passed = await jetstream.publish(log_subject(HERS, "nobody", "llum", "tell"), b"{}")
    await eventually(lambda: has_applied(host, passed), "it has read that")
    await jetstream.erase(STREAM, passed)
    await erase(host.llum.bus, STREAM, log_subjects_of_user(ALICE))
    await erasures.record(host.llum.bus, HERS, passed)
    with lines() as logs:
        await kill_and_restart(host.server)
        await until(lambda: "shard_outdated" in events(logs), "it is seen")
        await eventually(lambda: hers_are_gone(host), "the partition is served again")
    assert not [line for line in logs if line["event"] == "partition_refused"]
    assert holds(host.folder / "one", MARK) == []


async def has_applied(host: Host, seq: int) -> bool:
    reply = await ping(host.llum.bus, HERS, DEADLINE_S)
    return reply is not None and reply.applied_seq >= seq


async def hers_are_gone(host: Host) -> bool:
    with suppress(Transient):
        return await host.llum.values("a", BEN) == [1]
    return False


async def test_a_restored_copy_of_an_old_snapshot_is_not_used(host: Host) -> None:
    """Somebody has put it back into the object store. The primary deletes it with the next look."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await two_lives(host.llum)
    await snapshot(host.llum.bus)
    (old,) = await list_snapshots(host.llum.bus)
    store = store_of(host.llum.bus)
    data = [chunk async for chunk in store.read(old.object)]
    await forget(host)

    async def again() -> AsyncIterator[bytes]:
        for chunk in data:
            yield chunk

    await store.write(old.object.name, again(), lambda: old.object.metadata)
    await worker.remove(HERS)
    two = await host.worker("two")
    with lines() as logs:
        await two.add(HERS)
    assert events(logs) == ["snapshot_passed_over"]
    assert await host.llum.values("a", BEN) == [1]
    assert holds(host.folder / "two", MARK) == []
    await snapshot(host.llum.bus)
    assert holds(host.folder, MARK) == []


async def test_a_forget_that_is_refused_deletes_nothing(host: Host) -> None:
    """Else any app could have snapshots deleted all the time."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await two_lives(host.llum)
    await host.llum.grant(ALICE, "probe")
    await snapshot(host.llum.bus)
    await host.llum.refused(ForgetPart(id="part", context=["c"]), ALICE, "probe")
    await host.llum.refused(Forget(id="all"), ALICE, "probe")
    assert await erasures.read(host.llum.bus, HERS) == Erasure()
    assert len(await seqs(host.llum.bus)) == 1


async def test_a_snapshot_that_is_being_made_does_not_hold_up_a_forget(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was copied before the forget is deleted as soon as it is stored."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await two_lives(host.llum)
    is_copied, may_go_on = asyncio.Event(), asyncio.Event()

    async def slow(packing: object) -> AsyncIterator[bytes]:
        is_copied.set()
        await may_go_on.wait()
        while chunk := packing.next():  # type: ignore[attr-defined]
            yield chunk

    monkeypatch.setattr("actors.snapshotting._chunks", slow)
    asking = asyncio.create_task(request_snapshot(host.llum.bus, HERS, DEADLINE_S))
    await is_copied.wait()
    await forget(host)
    may_go_on.set()
    made = await asking
    assert made is not None
    assert "forgotten meanwhile" in (made.failure or "")
    assert await seqs(host.llum.bus) == []
    assert holds(host.folder, MARK) == []


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[tuple[Llum, WorkerProcess]]:
    async with speaking(tmp_path) as (server, llum):
        worker = WorkerProcess(server, tmp_path)
        yield llum, worker
        await worker.end()


async def serves(llum: Llum) -> None:
    async def answers() -> bool:
        reply = await llum.requests.ask(ALICE, "llum", Ping(), DEADLINE_S)
        return isinstance(reply, PingReply)

    await eventually(answers, "the worker serves")


async def test_what_an_interrupted_upload_leaves_is_deleted(tmp_path: Path, world: tuple[Llum, WorkerProcess]) -> None:
    """It is never read, and goes when the next worker has begun; so does the copy that was to be uploaded."""
    llum, worker = world
    await worker.start(**{FAILPOINT: "chunk_uploaded"})
    await serves(llum)
    await two_lives(llum)
    asking = asyncio.create_task(request_snapshot(llum.bus, HERS, DEADLINE_S))
    await worker.died()
    asking.cancel()
    assert len(await chunks(llum.bus)) == 1
    assert await seqs(llum.bus) == []
    assert (tmp_path / "shards" / f"{HERS}.copy").exists()
    await worker.start()
    await serves(llum)

    async def is_swept() -> bool:
        return not await chunks(llum.bus)

    await eventually(is_swept, "what was left is deleted")
    assert not (tmp_path / "shards" / f"{HERS}.copy").exists()
    await snapshot(llum.bus)
    assert await store_of(llum.bus).sweep(is_of(HERS)) == []


async def test_a_worker_that_dies_at_a_forget_leaves_no_snapshot(
    tmp_path: Path, world: tuple[Llum, WorkerProcess]
) -> None:
    """It has recorded the erasure. Nobody uses what is older, and the next worker deletes it."""
    llum, worker = world
    await worker.start(**{FAILPOINT: "erasure_recorded"})
    await serves(llum)
    await two_lives(llum)
    await snapshot(llum.bus)
    await llum.requests.store(ALICE, "llum", Forget(id="forget"))
    await worker.died()
    assert len(await seqs(llum.bus)) == 1
    await worker.start()
    await serves(llum)

    async def is_gone() -> bool:
        return not await chunks(llum.bus)

    await eventually(is_gone, "the old snapshot is deleted")
    assert await llum.values("a", BEN) == [1]
    await erase(llum.bus, STREAM, log_subjects_of_user(ALICE))
    assert holds(tmp_path / "shards", MARK) == []

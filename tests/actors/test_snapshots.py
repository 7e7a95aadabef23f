"""Snapshots: a worker without a partition's file begins with the newest that is good, and comes to the same.

Method: workers in this process on a real nats-server, each with a folder of its own.
"""

import shutil
from pathlib import Path

import pytest

from actors.snapshotting import SnapshotPolicy
from actors.worker import Worker
from bus.installation import check
from bus.jetstream import JetStream
from bus.shard_snapshots import list_snapshots, request_snapshot
from tests.actors.hosting import ALICE, BOB, HERS, HIS, Host
from tests.actors.serving import PARTITIONS
from tests.actors.snapping import (
    STREAM,
    chunks,
    damage_newest,
    events,
    lines,
    rows,
    seqs,
    snapshot,
)
from tests.actors.test_other_log import copy, restore, until_values, while_stopped
from tests.waiting import DEADLINE_S, eventually


async def told(host: Host, *values: object) -> Worker:
    """Have a worker that has applied these values of Alice."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await host.llum.make_person(ALICE, "a")
    for value in values:
        await host.llum.tell("a", value)
    return worker


async def test_a_worker_without_a_file_begins_with_a_snapshot(host: Host) -> None:
    """And reads from the log what has come since. Then every row is as in the shard that was there all the time."""
    worker = await told(host, 1, 2)
    made = await snapshot(host.llum.bus)
    assert made.commands == 3
    await host.llum.tell("a", 3)
    await worker.remove(HERS)
    with lines() as logs:
        two = await host.worker("two")
        await two.add(HERS)
        assert await host.llum.values("a") == [1, 2, 3]
        await host.llum.tell("a", 4)
        await two.remove(HERS)
    assert events(logs) == ["snapshot_restored"]
    await worker.add(HERS)
    await until_values(host, [1, 2, 3, 4])
    await worker.remove(HERS)
    assert rows(host.folder / "one" / f"{HERS}.db") == rows(host.folder / "two" / f"{HERS}.db")
    assert sorted(path.name for path in (host.folder / "two").iterdir()) == [f"{HERS}.db"]


async def test_a_snapshot_holds_what_is_committed_and_says_what_it_is(host: Host) -> None:
    """Sums, sequence and time of the last command are those of the shard."""
    worker = await told(host, 1)
    made = await snapshot(host.llum.bus)
    await worker.remove(HERS)
    meta = dict(rows(host.folder / "one" / f"{HERS}.db")["meta"])
    assert (made.partition, made.committed_seq, made.schema) == (HERS, meta["applied_seq"], meta["schema_version"])
    assert (made.last_time_us, made.last_digest) == (meta["last_time_us"], meta["last_digest"].hex())
    assert int(made.log_sum, 16) == int.from_bytes(meta["log_sum"], "little")
    assert int(made.state_sum, 16)
    assert (made.digest_key, made.commands) == (meta["digest_key"], meta["commands"])


async def test_nothing_is_made_where_nothing_is_new(host: Host) -> None:
    """Neither of an empty partition nor a second time; the newest two are kept."""
    worker = await told(host, 1)
    await worker.add(HIS)
    empty = await request_snapshot(host.llum.bus, HIS, DEADLINE_S)
    assert empty is not None
    assert (empty.new, empty.manifest, empty.failure) == (False, None, None)
    first = await snapshot(host.llum.bus)
    again = await request_snapshot(host.llum.bus, HERS, DEADLINE_S)
    assert again is not None
    assert (again.new, again.manifest) == (False, first)
    await host.llum.tell("a", 2)
    second = await snapshot(host.llum.bus)
    await host.llum.tell("a", 3)
    third = await snapshot(host.llum.bus)
    assert await seqs(host.llum.bus) == [third.committed_seq, second.committed_seq]
    assert len(await chunks(host.llum.bus)) == 2


@pytest.mark.parametrize("policy", [SnapshotPolicy(commands=3), SnapshotPolicy(hours=1e-6)])
async def test_they_are_made_at_so_many_commands_and_after_so_long(
    host: Host, policy: SnapshotPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the primary alone."""
    monkeypatch.setattr("actors.snapshotting.FIRST_LOOK_S", 0.01)
    monkeypatch.setattr("actors.snapshotting.LOOK_EVERY_S", 0.01)
    one, two = await host.worker("one", snapshots=policy), await host.worker("two", snapshots=policy)
    await one.add(HERS)
    await two.add(HERS, primary=False)
    await host.llum.make_person(ALICE, "a")
    for value in range(3):
        await host.llum.tell("a", value)

    async def is_made() -> bool:
        return bool(await seqs(host.llum.bus))

    with lines() as logs:
        await eventually(is_made, "a snapshot is made")
        await one.set_primary(HERS, False)
    assert set(events(logs)) <= {"snapshot_made", "snapshot_not_made"}
    assert await request_snapshot(host.llum.bus, HERS, DEADLINE_S) is None
    before = await seqs(host.llum.bus)
    for value in range(5):
        await host.llum.tell("a", value)
    await two.set_primary(HERS, True)

    async def is_made_again() -> bool:
        return (await seqs(host.llum.bus))[:1] > before[:1]

    await eventually(is_made_again, "the new primary makes one")


async def test_a_file_that_is_here_is_used(host: Host) -> None:
    """However old it is."""
    worker = await told(host, 1)
    await worker.remove(HERS)
    two = await host.worker("two")
    await two.add(HERS)
    await host.llum.tell("a", 2)
    await snapshot(host.llum.bus)
    await two.remove(HERS)
    with lines() as logs:
        await worker.add(HERS)
    assert events(logs) == []
    assert await host.llum.values("a") == [1, 2]


async def test_a_damaged_snapshot_is_passed_over(host: Host) -> None:
    """The one before is taken, and where that is damaged too, the log."""
    worker = await told(host, 1)
    await snapshot(host.llum.bus)
    await host.llum.tell("a", 2)
    await snapshot(host.llum.bus)
    await damage_newest(host.llum.bus)
    await worker.remove(HERS)
    two = await host.worker("two")
    with lines() as logs:
        await two.add(HERS)
    assert events(logs) == ["snapshot_passed_over", "snapshot_restored"]
    assert await host.llum.values("a") == [1, 2]
    await two.remove(HERS)
    for seq, _ in await chunks(host.llum.bus):
        await JetStream(host.llum.bus).erase(STREAM, seq)
    three = await host.worker("three")
    with lines() as logs:
        await three.add(HERS)
    assert events(logs) == ["snapshot_passed_over"] * 2
    assert await host.llum.values("a") == [1, 2]
    await three.remove(HERS)
    assert [path.name for path in (host.folder / "three").iterdir()] == [f"{HERS}.db"]


@pytest.mark.parametrize("name", ["SCHEMA_VERSION", "UNICODE_VERSION", "LOG_FORMAT"])
async def test_a_snapshot_of_another_version_is_passed_over(
    host: Host, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This llum could not read it, or would read it in another way."""
    worker = await told(host, 1)
    with monkeypatch.context() as later:
        later.setattr(f"actors.snapshotting.{name}", 99)
        await snapshot(host.llum.bus)
    await worker.remove(HERS)
    two = await host.worker("two")
    with lines() as logs:
        await two.add(HERS)
    assert events(logs) == ["snapshot_passed_over"]
    assert await host.llum.values("a") == [1]


async def test_a_snapshot_of_another_log_is_passed_over(host: Host) -> None:
    """It was made of what is not in the log that was restored. The one before is of both."""
    worker = await told(host, 1)
    common = await snapshot(host.llum.bus)
    await while_stopped(host, lambda: copy(host))
    await until_values(host, [1])
    await host.store_once(2)
    await until_values(host, [1, 2])
    await snapshot(host.llum.bus)
    await worker.remove(HERS)
    await while_stopped(host, lambda: restore_log_alone(host))
    await host.store_once(3)
    two = await host.worker("two")
    with lines() as logs:
        await two.add(HERS)
    assert events(logs) == ["snapshot_passed_over", "snapshot_restored"]
    assert next(line for line in logs if line["event"] == "snapshot_restored")["seq"] == common.committed_seq
    assert await host.llum.values("a") == [1, 3]


def restore_log_alone(host: Host) -> None:
    """Restore the copy, but keep the snapshots that were made since."""
    (store,) = (host.folder / "nats" / "jetstream").rglob(STREAM)
    kept = host.folder / "kept"
    shutil.copytree(store, kept)
    restore(host)
    (old,) = (host.folder / "nats" / "jetstream").rglob(STREAM)
    shutil.rmtree(old)
    shutil.copytree(kept, old)


async def test_a_damaged_shard_is_made_from_the_log_and_not_from_its_copies(host: Host) -> None:
    """They may hold the same damage."""
    worker = await told(host, 1)
    await snapshot(host.llum.bus)
    await worker.remove(HERS)
    path = host.folder / "one" / f"{HERS}.db"
    path.write_bytes(b"no database at all" * 1000)
    with lines() as logs:
        await worker.add(HERS)
    assert events(logs) == ["shard_set_aside"]
    assert await host.llum.values("a") == [1]


async def test_an_installation_without_a_store_gets_one(host: Host) -> None:
    """At the first start of this llum on what an earlier one has installed."""
    for stream in (STREAM, "KV_LLUM_ERASURES"):
        await JetStream(host.llum.bus).call(f"STREAM.DELETE.{stream}")
    await check(host.llum.bus, PARTITIONS)
    await told(host, 1)
    await snapshot(host.llum.bus)
    assert len(await list_snapshots(host.llum.bus)) == 1
    assert await seqs(host.llum.bus, HIS) == []
    assert BOB != ALICE


def test_unfinished_files_are_told_from_shards(tmp_path: Path) -> None:
    """What counts shards in a folder by their names counts none of these."""
    from actors.erasing import remove_unfinished
    from actors.snapshotting import copy_of

    unfinished = [copy_of(tmp_path, 7), tmp_path / "7.restored"]
    for path in unfinished:
        path.touch()
    (tmp_path / "7.db").touch()
    assert [path.name for path in tmp_path.glob("*.db")] == ["7.db"]
    remove_unfinished(tmp_path / "7.db")
    assert [path.name for path in tmp_path.iterdir()] == ["7.db"]

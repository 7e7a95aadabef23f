"""Cutting the log: what is gone of it is in snapshots, no byte of it is left, and nothing is made from the rest alone.

Method: workers in this process on a real nats-server, and worker processes that die half-way. Snapshots are packed
without compressing them, so that a word can be looked for in the files of nats-server.
"""

import time
from pathlib import Path

import pytest

from actors.cutting import CutPlan, Planner, carry_out, finish
from actors.erasing import erase_snapshots
from actors.store.digests import Digests
from actors.worker import Worker
from bus import erasures, log_cuts
from bus.aside import list_aside
from bus.connection import Bus
from bus.erasing import erase, pages
from bus.installation import find as find_installation
from bus.jetstream import JetStream
from bus.losses import find_losses
from bus.secret import DIGEST_KEY, secret
from bus.shard_snapshots import list_snapshots, store_of
from bus.subjects import log_stream_of, log_subjects_of_user, partition_of
from bus.users import list_users
from schemas.commands import Forget
from schemas.queries import Ask
from schemas.replies import AskReply
from tests.actors.hosting import ALICE, HERS, HIS, Host
from tests.actors.serving import PARTITIONS
from tests.actors.snapping import damage_newest, events, holds, lines, seqs, snapshot
from tests.actors.test_other_log import accept, until_refused, until_values
from tests.waiting import DEADLINE_S, eventually

MARK = b"ZZMARK"
BEN = next(name for name in ("ben", "carol", "dora", "eve", "zoe") if partition_of(name, PARTITIONS) == HERS)
"""Another person of the same partition."""

STREAM = log_stream_of(HERS, PARTITIONS)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bus.snapshot_files._LEVEL", 0)


async def planner(bus: Bus) -> Planner:
    installation = await find_installation(bus)
    assert installation is not None
    return Planner(bus, installation, Digests(await secret(bus, DIGEST_KEY)).fingerprint)


async def planned(host: Host, before: float | None = None) -> CutPlan:
    return await (await planner(host.llum.bus)).plan(STREAM, before or time.time() + 60)


async def cut(host: Host, *workers: Worker) -> CutPlan:
    """Cut all that may be. These workers notice; others are not told."""
    plan = await planned(host)
    assert plan.cuts, plan.why_not

    async def noticed(_seconds: float) -> None:
        for worker in workers:
            await worker._ground.cuts.look()

    assert await carry_out(host.llum.bus, await planner(host.llum.bus), [plan], noticed) == [plan]
    return plan


async def log_messages(bus: Bus) -> list[int]:
    return [one.seq async for page in pages(JetStream(bus), STREAM, ">") for one in page]


async def lived(host: Host, name: str = "one") -> Worker:
    """Have a worker with two people, and two snapshots of them; something has come since."""
    worker = await host.worker(name)
    await worker.add(HERS)
    for user in (ALICE, BEN):
        await host.llum.make_person(user, "a", "secret")
    await host.llum.tell("secret", MARK.decode())
    for value in (1, 2, 3):
        for user in (ALICE, BEN):
            await host.llum.tell("a", value, user)
        if value < 3:
            await snapshot(host.llum.bus)
    return worker


async def test_what_is_cut_is_in_two_snapshots_and_the_rest_is_read_from_the_log(host: Host) -> None:
    """A worker without files begins with a snapshot, and answers the same, about the past and about people too."""
    worker = await lived(host)
    as_of = (await host.llum.told("a", 4)).seq
    plan = await cut(host, worker)
    older = (await seqs(host.llum.bus))[1]
    assert (plan.seq, plan.needs) == (older + 1, {HERS: older})
    left = await log_messages(host.llum.bus)
    assert left[0] == older + 1
    await host.llum.tell("a", 5)
    assert await host.llum.values("a") == [1, 2, 3, 4, 5]
    assert (await find_losses(host.llum.bus, STREAM)).is_whole
    await worker.remove(HERS)
    with lines() as logs:
        await worker.add(HERS)
    assert events(logs) == [], "what was here goes on"
    await worker.remove(HERS)
    with lines() as logs:
        two = await host.worker("two")
        await two.add(HERS)
    assert events(logs) == ["snapshot_restored"]
    assert await host.llum.values("a") == [1, 2, 3, 4, 5]
    assert await host.llum.values("a", BEN) == [1, 2, 3]
    query = Ask(context=["c"], view=["a"], as_of_seq=as_of, include_evidence=True)
    then = await host.llum.requests.ask(ALICE, "llum", query, DEADLINE_S)
    assert isinstance(then, AskReply)
    assert [one.value for one in then.components[0].evidence or []] == [1, 2, 3, 4]
    await two.add(HIS)
    assert await list_users(host.llum.bus) == sorted([ALICE, BEN])


async def test_no_byte_of_what_is_cut_is_left_in_the_log(host: Host) -> None:
    """Neither where whole block files go nor in the block in which the cut lies; and nothing of the rest is harmed."""
    worker = await lived(host)
    for number in range(60):
        await host.llum.tell("secret", f"{number}-{MARK.decode()}{'x' * 200_000}", BEN)
    await host.llum.tell("a", 4, BEN)
    await snapshot(host.llum.bus)
    await host.llum.tell("a", 5, BEN)
    await snapshot(host.llum.bus)
    folder = log_folder(host)
    assert len(list(folder.rglob("*.blk"))) > 1
    assert holds(folder, MARK)
    plan = await cut(host, worker)
    assert holds(folder, MARK) == []
    assert await log_messages(host.llum.bus) == [plan.state.last_seq]
    assert await host.llum.values("a", BEN) == [1, 2, 3, 4, 5]


def log_folder(host: Host) -> Path:
    (found,) = (host.folder / "nats").rglob(STREAM)
    return found


async def test_a_person_who_is_forgotten_after_a_cut_is_nowhere(host: Host) -> None:
    """There is never no snapshot: a new one is made before the outcome is said. Nobody else loses anything."""
    worker = await lived(host)
    await cut(host, worker)
    assert holds(host.folder, MARK)
    forgotten = await host.llum.requests.send(ALICE, "llum", Forget(id="forget"), DEADLINE_S)
    (newest,) = await seqs(host.llum.bus)
    assert newest == forgotten.seq
    await erase(host.llum.bus, STREAM, log_subjects_of_user(ALICE))
    assert holds(host.folder, MARK) == []
    await host.llum.tell("a", 4, BEN)
    await worker.remove(HERS)
    with lines() as logs:
        two = await host.worker("two")
        await two.add(HERS)
    assert events(logs) == ["snapshot_restored"]
    assert await host.llum.values("a", BEN) == [1, 2, 3, 4]
    await two.add(HIS)
    assert await list_users(host.llum.bus) == [BEN]
    assert holds(host.folder, MARK) == []


async def test_a_forget_that_is_met_while_catching_up_is_erased_once_that_is_done(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No snapshot can be made before."""
    monkeypatch.setattr("actors.erasing.CHECK_EVERY_S", 0.01)
    worker = await lived(host)
    await cut(host, worker)
    await worker.remove(HERS)
    forget = await host.llum.requests.store(ALICE, "llum", Forget(id="forget"))
    await worker.add(HERS)

    async def is_erased() -> bool:
        return (await erasures.read(host.llum.bus, HERS)).seq == forget and await seqs(host.llum.bus) == [forget]

    await eventually(is_erased, "older snapshots are gone, and there is a new one")
    assert await host.llum.values("a", BEN) == [1, 2, 3]


async def test_the_other_workers_wait_for_the_snapshot_of_the_primary(host: Host) -> None:
    """Whichever says the outcome first, there is a snapshot then, and no older one."""
    worker, two = await lived(host), await host.worker("two")
    await two.add(HERS, primary=False)
    await cut(host, worker, two)
    for number in range(3):
        forgotten = await host.llum.requests.send(ALICE, "llum", Forget(id=f"forget-{number}"), DEADLINE_S)
        assert await seqs(host.llum.bus) == [forgotten.seq]


async def test_a_worker_that_was_away_begins_with_a_snapshot_and_never_goes_on_with_a_gap(host: Host) -> None:
    """Its own file is set aside."""
    worker, two = await lived(host), await host.worker("two")
    await two.add(HERS, primary=False)
    await two.remove(HERS)
    for value in (4, 5):
        await host.llum.tell("a", value)
        await snapshot(host.llum.bus)
    await cut(host, worker)
    await worker.remove(HERS)
    with lines() as logs:
        await two.add(HERS)
    assert events(logs) == ["shard_set_aside", "snapshot_restored"]
    assert await host.llum.values("a") == [1, 2, 3, 4, 5]
    assert [one.reason for one in list_aside(host.folder / "two")] == ["behind"]


async def test_a_worker_that_has_not_read_what_is_cut_while_it_runs_notices(host: Host) -> None:
    """It may have been stopped for days: nats-server sends it what comes next, and says nothing of what is gone."""
    worker, two = await lived(host), await host.worker("two")
    await two.add(HERS, primary=False)
    (held,) = two._held.values()
    two._ground.readers.leave(HERS)
    for value in (4, 5):
        await host.llum.tell("a", value)
        await snapshot(host.llum.bus)
    await cut(host, worker)
    two._ground.cuts._looked_at = float("-inf")
    last = await host.store_once(6)
    with lines() as logs:
        with two._ground.readers.gathering():
            two._ground.readers.join(HERS, last, last)
        life = held.life

        async def has_all() -> bool:
            return life.answers.is_set() and life.serving.applied_seq >= last

        await eventually(has_all, "it is made anew")
    assert events(logs) == ["shard_behind_cut", "shard_set_aside", "snapshot_restored"]
    await worker.remove(HERS)
    assert await host.llum.values("a") == [1, 2, 3, 4, 5, 6]


async def test_without_a_snapshot_nothing_is_made_from_the_rest_of_the_log(host: Host) -> None:
    """Whoever asks is told so, until the operator says that the rest counts."""
    worker = await lived(host)
    await cut(host, worker)
    await worker.remove(HERS)
    for one in await list_snapshots(host.llum.bus, HERS):
        await store_of(host.llum.bus).delete(one.object.name)
    two = await host.worker("two")
    await two.add(HERS)
    assert "in no snapshot that can be used" in await until_refused(host)
    assert (await accept(host)).aside == ""
    await host.llum.make_person(ALICE, "a")
    await host.llum.tell("a", "new")
    await until_values(host, ["new"])


async def test_a_damaged_shard_begins_with_the_older_snapshot(host: Host) -> None:
    """The newest may hold the same damage."""
    worker = await lived(host)
    await cut(host, worker)
    older = (await seqs(host.llum.bus))[1]
    await worker.remove(HERS)
    (host.folder / "one" / f"{HERS}.db").write_bytes(b"no database at all" * 1000)
    with lines() as logs:
        await worker.add(HERS)
    assert events(logs) == ["shard_set_aside", "snapshot_restored"]
    assert next(line for line in logs if line["event"] == "snapshot_restored")["seq"] == older
    assert await host.llum.values("a") == [1, 2, 3]


async def test_a_shard_of_an_earlier_unicode_is_used_where_the_log_was_cut(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to make it anew from; so are snapshots."""
    worker = await lived(host)
    await cut(host, worker)
    await worker.remove(HERS)
    for module in ("actors.store.connection", "actors.store.sql", "bus.snapshot_files"):
        monkeypatch.setattr(f"{module}.UNICODE_VERSION", 99)
    with lines() as logs:
        await worker.add(HERS)
        assert await host.llum.values("a") == [1, 2, 3]
        await worker.remove(HERS)
        two = await host.worker("two")
        await two.add(HERS)
    assert events(logs) == ["snapshot_restored"]
    assert await host.llum.values("a") == [1, 2, 3]


async def test_nothing_is_cut_that_is_not_in_two_snapshots(host: Host) -> None:
    """One is enough for a partition of which nothing is new; what came later stays in the log."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await host.llum.make_person(ALICE, "a")
    await host.llum.tell("a", 1)
    assert (await planned(host)).why_not == f"partition {HERS}: it has no snapshot yet"
    first = await snapshot(host.llum.bus)
    whole = await planned(host)
    assert (whole.seq, whole.needs) == (first.committed_seq, {HERS: first.committed_seq - 1})
    await host.llum.tell("a", 2)
    assert (await planned(host)).why_not == f"partition {HERS}: it has no second snapshot yet"
    await snapshot(host.llum.bus)
    await host.llum.tell("a", 3)
    later = await planned(host)
    assert (later.seq, later.needs) == (first.committed_seq + 1, {HERS: first.committed_seq})
    assert not (await planned(host, before=time.time() - 3600)).cuts
    await damage_newest(host.llum.bus)
    damaged = await planned(host)
    assert not damaged.cuts
    assert "cannot be read" in str(damaged.why_not)


async def test_a_cut_whose_snapshots_go_meanwhile_is_not_made(host: Host) -> None:
    """Somebody was forgotten: what is left of the others is in the log alone until the next snapshot."""
    await lived(host)
    plan, before = await planned(host), await log_messages(host.llum.bus)

    async def forget(_seconds: float) -> None:
        await erase_snapshots(host.llum.bus, HERS, plan.state.last_seq)

    assert await carry_out(host.llum.bus, await planner(host.llum.bus), [plan], forget) == []
    assert await log_messages(host.llum.bus) == before
    assert await log_cuts.read(host.llum.bus) == {}


@pytest.mark.parametrize("step", ["cut_recorded", "cut_erasing", "cut_erased"])
async def test_an_interrupted_cut_is_finished(host: Host, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the next look of whoever cuts. Meanwhile whoever begins with nothing begins with a snapshot."""
    await lived(host)
    plan = await planned(host)

    def die(reached: str) -> None:
        if reached == step:
            raise ConnectionError(step)

    with monkeypatch.context() as context:
        context.setattr("bus.failpoints.reached", die)
        with pytest.raises(ConnectionError):
            await carry_out(host.llum.bus, await planner(host.llum.bus), [plan], no_wait)
    two = await host.worker("two")
    with lines() as logs:
        await two.add(HERS, primary=False)
    assert events(logs) == ["snapshot_restored"]
    monkeypatch.setattr("actors.cutting.NOTICED_WITHIN_S", 0.0)
    await finish(host.llum.bus, await planner(host.llum.bus), STREAM)
    assert (await log_messages(host.llum.bus))[0] == plan.seq
    assert holds(log_folder(host), MARK) == []


async def no_wait(_seconds: float) -> None:
    """Nobody need notice."""


async def test_the_primary_cuts_what_is_older_than_it_is_told_to_keep(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the snapshots made that are missing."""
    for name in ("DAY_S", "SLACK_S"):
        monkeypatch.setattr(f"actors.cutting.{name}", 1e-6)
    for name, value in (("FIRST_LOOK_S", 0.01), ("LOOK_EVERY_S", 0.01), ("NOTICED_WITHIN_S", 0.01)):
        monkeypatch.setattr(f"actors.cutting.{name}", value)
    worker = await host.worker("one", log_days=1)
    await worker.add(HERS)
    await host.llum.make_person(BEN, "a")
    await host.llum.tell("a", 1, BEN)

    async def is_cut() -> bool:
        return len(await log_messages(host.llum.bus)) == 1

    await eventually(is_cut, "all but the last message is cut off the log")
    assert await host.llum.values("a", BEN) == [1]

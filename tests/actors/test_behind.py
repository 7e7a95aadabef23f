"""Rows are committed behind what is said: when, what waits for it, and what happens while the disk takes nothing."""

import asyncio
import sqlite3
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from actors import committing, pace, uncommitted
from actors.partition import Partition
from actors.store.batch import Batch
from actors.store.shard import Shard
from actors.worker import Worker
from bus.pings import ping
from model import fold
from schemas.codec import encode
from schemas.commands import Forget, Tell, Withdraw
from schemas.errors import Code
from schemas.evidence import EvidenceFilter, NewEvidence
from schemas.queries import Ask, Export, GetContext
from schemas.replies import AskReply, ContextReply, ExportReply
from tests.actors.hosting import ALICE, BOB, HERS, HIS, Host
from tests.waiting import DEADLINE_S, eventually, until


class Disk:
    """Stands between partitions and their shards: it may be held up, or full."""

    def __init__(self) -> None:
        self.written: list[int] = []
        """The last sequence of each batch that was committed."""
        self.is_full = False
        self.attempts = 0
        self.works = asyncio.Event()
        self.works.set()

    async def write(self, shard: Shard, batch: Batch) -> None:
        self.attempts += 1
        await self.works.wait()
        if self.is_full:
            raise sqlite3.OperationalError("database or disk is full")
        await _write(shard, batch)
        self.written.append(batch.applied_seq)


_write = Shard.write


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk()

    async def write(shard: Shard, batch: Batch) -> None:
        await disk.write(shard, batch)

    monkeypatch.setattr(Shard, "write", write)
    monkeypatch.setattr("bus.retrying.RETRY_S", 0.01)
    yield disk
    disk.is_full = False
    disk.works.set()


@pytest.fixture
def seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits for the sake of time alone do not come in this test."""
    monkeypatch.setattr(committing, "COMMIT_AFTER_S", 3600.0)
    monkeypatch.setattr(committing, "REJECTIONS_AFTER_S", 3600.0)


async def served(host: Host, **options: Any) -> Worker:
    worker = await host.worker("one", **options)
    await asyncio.gather(worker.add(HERS), worker.add(HIS))
    await host.llum.make_person(ALICE, "a", "b")
    await host.llum.make_person(BOB, "a")
    return worker


async def values(host: Host, **query: Any) -> list[Any]:
    reply = await host.llum.requests.ask(
        ALICE, "llum", Ask(context=["c"], view=["a"], include_evidence=True, **query), DEADLINE_S
    )
    assert isinstance(reply, AskReply)
    return [piece.value for piece in reply.components[0].evidence or [] if piece.withdrawn is None]


async def test_what_was_told_is_committed_within_a_while(host: Host, disk: Disk) -> None:
    """Although nothing else comes; many commands then share one transaction."""
    await served(host)
    for number in range(20):
        await host.llum.tell("a", number)
    seq = await host.store_tells(1)
    await until(lambda: seq in disk.written, "the last tell is committed")
    assert len(disk.written) < 20


@pytest.mark.usefixtures("seldom")
async def test_many_commands_are_committed_at_once(host: Host, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a number of them, without waiting for the time."""
    monkeypatch.setattr(committing, "COMMIT_AT", 10)
    await served(host)
    for number in range(9):
        await host.llum.tell("a", number)
    seq = await host.store_tells(20)
    await until(lambda: any(written >= seq - 10 for written in disk.written), "most of it is committed")


@pytest.mark.usefixtures("seldom")
async def test_stopping_commits(host: Host, disk: Disk) -> None:
    """Nothing need be applied again at the next start."""
    worker = await served(host)
    await host.llum.tell("a", 1)
    await worker.drain()
    with sqlite3.connect(host.folder / "one" / f"{HERS}.db") as connection:
        assert connection.execute("SELECT count(*) FROM evidence").fetchall() == [(1,)]


@pytest.mark.usefixtures("seldom")
async def test_effects_leave_after_their_commit(host: Host, disk: Disk) -> None:
    """What a rule tells does not leave while the disk is held up, although the outcome has been said; then at once."""
    await served(host)
    await host.llum.subscribe("a", "'' ~ '' : TELL ./c/b, inferred:<./c/a>")
    disk.works.clear()
    attempts = disk.attempts
    await host.llum.tell("a", 5)
    await until(lambda: disk.attempts > attempts, "the commit is tried at once")
    assert await host.commands_of_rules() == []
    disk.works.set()
    await host.llum.until("b", [5])


async def test_commands_are_applied_while_a_commit_is_under_way(host: Host, disk: Disk) -> None:
    """Asks of every kind see what is committed, what is under way and what has come since; and the same afterwards."""
    await served(host)
    for number in range(3):
        await host.llum.tell("a", number)
    committed = await host.store_tells(1, first=3)
    await until(lambda: committed in disk.written, "the first are committed")
    disk.works.clear()
    attempts = disk.attempts
    under_way = await host.store_tells(3, first=4)
    await until(lambda: disk.attempts > attempts, "a commit is under way")
    withdrawn = await host.store_tells(1, first=7)
    await host.llum.do(Withdraw(id="w1", context=["c"], component="a", seq=under_way))
    await host.llum.do(Withdraw(id="w2", context=["c"], component="a", seq=committed))
    expected = [0, 1, 2, 4, 5, 7]
    answers = [await everything(host, withdrawn) for _ in range(2)]
    assert await values(host) == expected
    assert await values(host, as_of_seq=withdrawn) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert await values(host, evidence_filter=EvidenceFilter(name="last10"), as_of_seq=under_way) == list(range(7))
    disk.works.set()
    seq = await host.store_tells(1, first=8)
    await until(lambda: seq in disk.written, "all is committed")
    await host.llum.do(Withdraw(id="w3", context=["c"], component="a", seq=seq))
    assert await values(host) == expected
    assert answers[0] == answers[1] == await everything(host, withdrawn)


async def everything(host: Host, seq: int) -> list[Any]:
    """Ask what else reads evidence or the past, up to a sequence."""
    queries = [
        GetContext(context=["c"], size=True, as_of_seq=seq),
        Export(as_of_seq=seq),
        Ask(context=["c"], as_of_seq=seq, explain=True, resolver="count"),
    ]
    replies = [await host.llum.requests.ask(ALICE, "llum", query, DEADLINE_S) for query in queries]
    assert [type(reply) for reply in replies] == [ContextReply, ExportReply, AskReply]
    found = [msgspec.json.decode(encode(reply)) for reply in replies]
    for component in found[2]["components"]:
        component["explanation"].pop("evaluated_at")
    return found


async def test_a_repeat_is_found_wherever_its_command_is(host: Host, disk: Disk) -> None:
    """Committed, under way to the disk, or waiting: the first outcome comes again, and nothing is told twice."""
    await served(host)
    tells = [Tell(id=f"t{n}", context=["c"], component="a", evidence=NewEvidence(value=n)) for n in range(3)]

    async def send(number: int) -> int:
        outcome = await host.llum.requests.send(ALICE, "llum", tells[number], DEADLINE_S)
        return outcome.seq

    first = [await send(0)]
    await until(lambda: first[0] in disk.written, "the first is committed")
    disk.works.clear()
    attempts = disk.attempts
    first.append(await send(1))
    await until(lambda: disk.attempts > attempts, "the second is under way")
    first.append(await send(2))
    assert [await send(number) for number in range(3)] == first
    assert await values(host) == [0, 1, 2]
    disk.works.set()
    last = await host.store_tells(1, first=3)
    await until(lambda: last in disk.written, "all is committed")
    assert [await send(number) for number in range(3)] == first
    assert await values(host) == [0, 1, 2, 3]


async def test_a_full_disk_loses_nothing(host: Host, disk: Disk) -> None:
    """Tells are acknowledged and shown meanwhile; they are committed once there is room, or applied again."""
    worker = await served(host)
    await host.llum.tell("a", 0)
    disk.is_full = True
    for number in range(1, 30):
        await host.llum.tell("a", number)
        assert (await values(host))[-1] == number
    attempts = disk.attempts
    await until(lambda: disk.attempts > attempts + 3, "it is tried again and again")
    assert worker.figures.commits_fail
    assert worker.figures.counters.commits_failed >= 3
    disk.is_full = False
    seq = await host.store_tells(1, first=30)
    await until(lambda: seq in disk.written, "all is committed")
    await until(lambda: not worker.figures.commits_fail, "the worker tells so")
    assert await values(host) == list(range(31))
    disk.is_full = True
    for number in range(31, 40):
        await host.llum.tell("a", number)
    await worker.drain()
    disk.is_full = False
    again = await host.worker("one")
    await again.add(HERS)
    assert await values(host) == list(range(40)), "the first ask after the start sees all that was said"


async def test_too_much_that_waits_pauses_applying(host: Host, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker says why, for whoever asks whether it is ready, and goes on by itself once the disk takes rows."""
    monkeypatch.setattr(uncommitted, "MAX_UNCOMMITTED", uncommitted.MAX_BATCH_MESSAGES + 10)
    monkeypatch.setattr(pace, "PAUSE_IS_TOLD_AFTER_S", 0.0)
    worker = await served(host)
    bound = worker._ground.bound
    await until(lambda: bound.messages == 0, "all is committed")
    disk.is_full = True
    stored = 0
    while bound.has_room:
        await host.llum.tell("a", stored)
        stored += 1
    seq = await host.store_tells(50, first=stored)

    async def pauses() -> bool:
        reply = await ping(host.llum.bus, HERS, DEADLINE_S)
        return reply is not None and reply.pauses == "OperationalError: database or disk is full"

    await eventually(pauses, "the worker says why it pauses")
    assert bound.messages <= uncommitted.MAX_UNCOMMITTED
    assert (await values(host)) == list(range(stored)), "asks are answered meanwhile"
    disk.is_full = False
    assert await values(host, min_seq=seq) == list(range(stored + 50))
    reply = await ping(host.llum.bus, HERS, DEADLINE_S)
    assert reply is not None
    assert reply.pauses is None
    await until(lambda: bound.messages == bound.size == 0, "nothing is counted that does not wait")


@pytest.mark.usefixtures("seldom")
async def test_a_fault_of_ours_is_committed_before_it_is_said(
    host: Host, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version may not repeat it. What was told before it is kept, and the model is whole afterwards."""
    await served(host)
    await host.llum.tell("a", 1)
    await host.llum.tell("a", 2)
    with monkeypatch.context() as patched:

        def fails(*_: Any) -> Any:
            raise ZeroDivisionError

        patched.setattr(fold, "evolve", fails)
        tell = Tell(id="bad", context=["c"], component="a", evidence=NewEvidence(value=3))
        refused = await host.llum.refused(tell)
    assert refused.error.code is Code.INTERNAL
    assert disk.written[-1] == refused.seq
    assert await values(host) == [1, 2]
    await host.llum.tell("a", 4)
    assert await values(host) == [1, 2, 4]


@pytest.mark.usefixtures("seldom")
async def test_a_forget_is_committed_before_it_is_said(host: Host, disk: Disk) -> None:
    """By itself, after all that waited; the log is erased only then. Nothing of the person is left in memory."""
    worker = await served(host)
    for number in range(40):
        await host.llum.tell("a", number)
    partition = partition_of(worker)
    keys = list(partition.waiting.gathering.outcomes)
    assert len(keys) >= 40
    disk.works.clear()
    attempts = disk.attempts
    forgetting = asyncio.create_task(host.llum.do(Forget(id="forget")))
    await until(lambda: disk.attempts > attempts, "what waits is written first")
    assert not forgetting.done()
    disk.works.set()
    await forgetting
    assert len(disk.written) >= 2
    assert worker._ground.actives.get(HERS, ALICE) is None
    assert partition.waiting.model(ALICE) is None
    assert partition.waiting.gathering.messages == 0
    assert all(partition.waiting.outcome(key) is None for key in keys)
    await until(lambda: partition.shard.repeats.is_complete, "the filter is built anew")
    assert sum(partition.shard.repeats.maybe(key) for key in keys) < 10, "it knows none of the keys, but by chance"


_partitions: dict[int, Partition] = {}


@pytest.fixture(autouse=True)
def _remember_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Partition.__init__

    def remembered(partition: Partition, number: int, *arguments: Any) -> None:
        made(partition, number, *arguments)
        _partitions[number] = partition

    monkeypatch.setattr(Partition, "__init__", remembered)


def partition_of(worker: Worker) -> Partition:
    """Give alice's partition."""
    assert HERS in worker.partitions
    return _partitions[HERS]

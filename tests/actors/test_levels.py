"""Workers of two versions on one log: what they take is decided by the log, and they come to the same state.

The worker of the later version knows level 2, the other one does not. What is of level 2 here is a verb and a member
that there are: so no verb is made up for tests.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from actors.levels import BeyondLevelError, LevelsHere
from actors.live import ActiveModels
from actors.partition import Partition
from actors.settling import Settled
from actors.share import share_as
from actors.store.shard import Shard
from actors.worker import Worker
from bus.jetstream import JetStream
from bus.level_subjects import raise_command_subject
from bus.log import LogMessage
from bus.pings import ping
from bus.raising import raise_level
from bus.shard_snapshots import request_snapshot
from bus.subjects import partition_of
from bus.workers import WorkerWord, from_bits, read_words
from llum.people.upgrading import check_all_know, look_at_levels, upgrade
from schemas.codec import encode
from schemas.commands import Command, Forget, SetGoals, Tell
from schemas.errors import Code, Refusal
from schemas.evidence import NewEvidence
from schemas.levels import Added, Levels, RaiseLevel
from schemas.replies import Accepted, Refused
from tests.actors import histories
from tests.actors.serving import PARTITIONS, Llum, speaking, worker
from tests.actors.snapping import lines
from tests.actors.test_partition import make, tell
from tests.waiting import DEADLINE_S, eventually

LATER = {2: Added(frozenset({SetGoals}), frozenset({(NewEvidence, "comment")}))}
OLD, NEW = Levels(newest=1, added=LATER), Levels(newest=2, added=LATER)

ALICE = "alice"
HERS = partition_of(ALICE, PARTITIONS)


def goals(id: str) -> SetGoals:
    return SetGoals(id=id, context=["a"], component="x", goals=[["a", "y"]])


def commented(id: str) -> Tell:
    return Tell(id=id, context=["a"], component="x", evidence=NewEvidence(value=1, comment="seen"))


class Replica:
    """A partition of one version, to which the same log is given as to others."""

    def __init__(self, path: Path, levels: Levels) -> None:
        self.path = path
        self.levels = levels
        self.partition: Partition

    async def open(self) -> "Replica":
        self.partition = Partition(3, await Shard.open(self.path), ActiveModels(10), levels=LevelsHere(self.levels))
        return self

    async def open_again(self) -> None:
        await self.partition.shard.close()
        await self.open()

    async def apply(self, *commands: Command | int, first: int = 1) -> list[Settled]:
        """Apply commands as they stand in the log, from a sequence on; a number raises the level to it."""
        settled = await self.partition.apply([_stored(first + at, one) for at, one in enumerate(commands)])
        await self.partition.commit_all()
        return settled


def _stored(seq: int, command: Command | int) -> LogMessage:
    time_us = histories.START_US + seq * 1_000_000
    if isinstance(command, int):
        data = encode(RaiseLevel(id=f"raise-{seq}", level=command))
        return LogMessage(seq, time_us, 3, raise_command_subject(3), data, None)
    return histories.message(seq, time_us, ALICE, "llum", command)


@pytest.fixture
async def replicas(tmp_path: Path) -> AsyncIterator[list[Replica]]:
    """One of the earlier version, one of the later."""
    made = [
        await Replica(tmp_path / f"{name}.db", levels).open() for name, levels in (("earlier", OLD), ("later", NEW))
    ]
    yield made
    for one in made:
        await one.partition.shard.close()


def codes(settled: list[Settled]) -> list[Code | None]:
    return [one.outcome.error.code if isinstance(one.outcome, Refused) else None for one in settled]


async def test_both_refuse_what_is_of_a_higher_level_and_come_to_the_same(replicas: list[Replica]) -> None:
    """Given a verb and a member of level 2 at level 1, both versions keep the same refusals: their sums are equal."""
    found = [await one.apply(make(), goals("g"), commented("c"), tell("t")) for one in replicas]

    assert codes(found[0]) == [None, Code.UNKNOWN_VERB, Code.BAD_FIELD, None]
    assert [one.outcome for one in found[0]] == [one.outcome for one in found[1]]
    first, second = (one.partition.shard for one in replicas)
    assert (first.state_sum, first.log_sum) == (second.state_sum, second.log_sum)
    assert await first.count_state() == await second.count_state()


async def test_the_level_is_raised_between_two_commands(replicas: list[Replica]) -> None:
    """Given one batch with the raise in the middle, what stands behind it is taken, and what stands before is not."""
    _, later = replicas
    found = await later.apply(make(), goals("g"), 2, goals("h"), commented("c"))
    assert codes(found) == [None, Code.UNKNOWN_VERB, None, None, None]
    assert found[2].outcome == Accepted(id="raise-3", seq=3, result=2)
    assert later.partition.level.level == 2


async def test_who_does_not_know_the_level_stops_before_it(replicas: list[Replica]) -> None:
    """All up to the raise is applied and can be committed; nothing behind it is."""
    earlier, _ = replicas
    met: list[BeyondLevelError] = []
    earlier.partition.on_beyond = met.append
    assert codes(await earlier.apply(make(), tell("t"), 2, tell("u"))) == [None, None]
    assert [one.level for one in met] == [2]
    assert earlier.partition.committed_seq == 2
    assert await earlier.apply(2, tell("u"), first=3) == []


async def test_the_level_is_kept_and_read_again(replicas: list[Replica]) -> None:
    """A shard that is opened again has its level; an llum that does not know it does not serve the shard."""
    _, later = replicas
    await later.apply(make(), 2)
    await later.open_again()
    assert later.partition.level.level == 2
    assert codes(await later.apply(goals("g"), first=3)) == [None]

    later.levels = OLD
    with pytest.raises(BeyondLevelError) as beyond:
        await later.open_again()
    assert beyond.value.level == 2


async def test_the_level_is_in_the_sum_of_the_state(replicas: list[Replica]) -> None:
    """The sum can be counted from what is stored, and a level that rots is found."""
    _, later = replicas
    await later.apply(make(), tell("t"))
    before = later.partition.shard.state_sum
    await later.apply(2, first=3)
    shard = later.partition.shard
    assert shard.state_sum != before
    assert (await shard.count_state()).rows == shard.state_sum

    async def at_once() -> None:
        """Wait for nobody."""

    assert await shard.scrub(at_once) is None
    with closing(sqlite3.connect(later.path)) as connection:
        connection.execute("UPDATE meta SET value = 1 WHERE name = 'level'")
        connection.commit()
    assert "level" in (await shard.scrub(at_once) or "")


async def test_who_is_forgotten_takes_no_level_away(replicas: list[Replica]) -> None:
    _, later = replicas
    await later.apply(make(), 2, Forget(id="f"))
    await later.open_again()
    assert later.partition.level.level == 2
    shard = later.partition.shard
    assert (await shard.count_state()).rows == shard.state_sum


async def test_a_level_is_never_lowered(replicas: list[Replica]) -> None:
    """A raise to a level that the partition has, or is above, is accepted and changes nothing: it may come again."""
    _, later = replicas
    found = await later.apply(make(), 2, 1, 2)
    assert [one.outcome.result for one in found[1:] if isinstance(one.outcome, Accepted)] == [2, 2, 2]
    assert later.partition.level.level == 2


async def test_an_installation_may_begin_with_a_level(tmp_path: Path) -> None:
    """What an installation has begun with is known at its first command, and no llum of before serves it."""
    later = await Replica(tmp_path / "3.db", Levels(2, 2, LATER)).open()
    assert codes(await later.apply(make(), goals("g"), 1)) == [None, None, None]
    assert later.partition.level.level == 2
    await later.partition.shard.close()
    with pytest.raises(BeyondLevelError):
        await Replica(tmp_path / "4.db", Levels(2, 1, LATER)).open()


async def test_careful_applying_keeps_the_level(tmp_path: Path) -> None:
    """Where each command is committed by itself, the raise is, too, and what follows is read by it."""
    shard = await Shard.open(tmp_path / "3.db")
    partition = Partition(3, shard, ActiveModels(10), careful_until=9, levels=LevelsHere(NEW))
    found = await partition.apply([_stored(at + 1, one) for at, one in enumerate((make(), 2, goals("g")))])
    assert codes(found) == [None, None, None]
    assert (shard.committed_seq, shard.level) == (3, 2)
    await shard.close()


class Versions:
    """A nats-server with workers of both versions, each of which is to hold every partition."""

    def __init__(self, url: str, llum: Llum, folder: Path) -> None:
        self.url = url
        self.llum = llum
        self.folder = folder
        self.workers: dict[str, Worker] = {}
        self._exits = {name: AsyncExitStack() for name in ("earlier", "later", "late")}

    async def start(self, name: str, levels: Levels) -> None:
        def opened(worker: Worker) -> None:
            self.workers[name] = worker

        running = worker(self.url, self.folder / name, levels=levels, share=share_as(name, replicas=2), on_open=opened)
        await self._exits[name].enter_async_context(running)

    async def stop(self, name: str) -> None:
        await self._exits[name].aclose()

    async def word_of(self, name: str) -> WorkerWord | None:
        return next((word for word in await read_words(self.llum.bus) if word.id == name), None)

    async def until_word(self, name: str, holds: Callable[[WorkerWord], bool], what: str) -> None:
        async def reached() -> bool:
            word = await self.word_of(name)
            return word is not None and holds(word)

        await eventually(reached, what)

    def sums(self, name: str) -> tuple[int, int, int]:
        """How far a worker has got in Alice's partition, and the sums that it has come to."""
        partition = self.workers[name]._held[HERS].life.serving._partition
        assert partition is not None
        return partition.applied_seq, partition.waiting.state_sum, partition.waiting.log_sum

    async def until_alike(self) -> None:
        async def alike() -> bool:
            return self.sums("earlier") == self.sums("later")

        await eventually(alike, "both versions have applied the same, and come to the same sums")


@pytest.fixture
async def versions(tmp_path: Path) -> AsyncIterator[Versions]:
    async with speaking(tmp_path) as (server, llum), AsyncExitStack() as exits:
        versions = Versions(server.url_as("operator"), llum, tmp_path)
        for name in ("earlier", "later", "late"):
            exits.push_async_callback(versions.stop, name)
        yield versions


def set_goals(llum: Llum) -> SetGoals:
    return SetGoals(id=llum.next_id(), context=["c"], component="a", goals=[["c", "b"]])


def comment(llum: Llum, value: int) -> Tell:
    evidence = NewEvidence(value=value, comment="seen")
    return Tell(id=llum.next_id(), context=["c"], component="a", evidence=evidence)


async def test_an_upgrade_while_workers_of_two_versions_serve(versions: Versions) -> None:
    """Given an earlier and a later worker on the same partitions: before the level is raised both refuse what is of
    level 2, and come to the same sums. Then the later one takes it and answers; the earlier one stops before the raise,
    says so, and hands over. What starts anew, from its file or a snapshot, has the level.
    """
    llum = versions.llum
    await versions.start("earlier", OLD)
    await versions.start("later", NEW)
    await llum.make_person(ALICE, "a", "b")
    await llum.tell("a", 1)
    assert (await llum.refused(set_goals(llum))).error.code is Code.UNKNOWN_VERB
    assert (await llum.refused(comment(llum, 2))).error.code is Code.BAD_FIELD
    await versions.until_alike()

    now = await look_at_levels(llum.bus)
    assert now.counts == {1: PARTITIONS}
    with pytest.raises(Refusal, match="worker earlier on"):
        check_all_know(now, 2, newest=2)
    check_all_know(now, 2, newest=2, force=True)
    with lines() as logs:
        # As if it had been interrupted.
        await raise_level(llum.bus, HERS, 2, DEADLINE_S)
        done = await upgrade(llum.bus, await look_at_levels(llum.bus), 2, DEADLINE_S)
        assert (done.waiting, done.failures) == ([], [])
        assert 1 - HERS in done.raised
        await llum.do(set_goals(llum))
        await llum.do(comment(llum, 2))
        assert await llum.values("a") == [1, 2]
        await versions.until_word(
            "earlier", lambda word: (word.ready, word.met_level) == ("0", 2), "the earlier one serves nothing"
        )
    stopped = [line for line in logs if line["event"] == "partition_stopped"]
    # The other one it may have handed over before.
    assert HERS in {line["partition"] for line in stopped}
    assert "levels up to 1" in stopped[0]["why"]
    await versions.until_word("later", lambda word: len(from_bits(word.ready)) == PARTITIONS, "the later one has all")
    assert await llum.values("a") == [1, 2]

    await versions.stop("later")
    await versions.start("later", NEW)
    await llum.do(comment(llum, 3))
    assert await request_snapshot(llum.bus, HERS, DEADLINE_S) is not None
    with lines() as logs:
        await versions.start("late", NEW)
        assert await llum.values("a") == [1, 2, 3]
    assert HERS in [line["partition"] for line in logs if line["event"] == "snapshot_restored"]
    assert versions.workers["late"].levels.met == 2
    assert versions.sums("late") == versions.sums("later")


async def test_who_comes_too_early_serves_nothing_and_says_so(versions: Versions) -> None:
    """Given a level above its own, an earlier worker keeps its files, answers nothing, and is given nothing."""
    llum = versions.llum
    await versions.start("later", NEW)
    await llum.make_person(ALICE, "a")
    for partition in range(PARTITIONS):
        await raise_level(llum.bus, partition, 2, DEADLINE_S)
    with lines() as logs:
        await versions.start("earlier", OLD)
        word = await versions.word_of("earlier")
        assert word is not None
        assert (word.ready, word.newest_level) == ("0", 1)
    assert "level_not_known" in [line["event"] for line in logs]
    assert await llum.values("a") == []


async def test_who_stops_keeps_its_file_as_long_as_nobody_else_answers(versions: Versions) -> None:
    """Given an earlier worker alone, a raise stops the partition. A later llum goes on in its folder."""
    llum = versions.llum
    await versions.start("earlier", OLD)
    await llum.make_person(ALICE, "a")
    await llum.tell("a", 1)
    command = encode(RaiseLevel(id="1", level=2))
    await JetStream(llum.bus).publish(raise_command_subject(HERS), command, timeout_s=DEADLINE_S)
    await versions.until_word("earlier", lambda word: from_bits(word.stopped) == {HERS}, "it has stopped one partition")
    assert await ping(llum.bus, HERS, DEADLINE_S) is None
    other = await ping(llum.bus, 1 - HERS, DEADLINE_S)
    assert other is not None
    assert other.level == 1
    assert (versions.folder / "earlier" / f"{HERS}.db").exists()

    await versions.stop("earlier")
    await versions.start("earlier", NEW)
    await llum.do(comment(llum, 2))
    assert await llum.values("a") == [1, 2]
    found = await ping(llum.bus, HERS, DEADLINE_S)
    assert found is not None
    assert found.level == 2

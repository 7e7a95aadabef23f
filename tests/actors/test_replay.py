"""Replay equals live.

Goal: whatever the history, the batches, the commits, the crashes and the passivations, the state is the one that a
fresh shard gets by applying the log from its beginning, and what was said stays true. Method: a hypothesis machine
drives one live partition: commands are applied, in batches or as they arrive, and committed now and then, and the disk
may be full. Then it replays the log into an empty shard, commits all of it, and compares the answers to all that can be
asked, with what waits for its commit on the live side. A command that is applied again after a crash must get the
outcome that was spoken.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.answers import Answers
from actors.incoming import decode_incoming
from actors.live import ActiveModels
from actors.partition import Partition
from actors.settling import Settled
from actors.store.digests import MODULUS
from actors.store.shard import Shard
from bus.log import LogMessage
from bus.subjects import Address
from model.commands import causes
from model.commands.rules import CRON_APP
from schemas.apps import RULES_APP
from schemas.causes import Cause
from schemas.codec import encode
from schemas.commands import Command, Correct, Derive, MakeModel, RegisterApp, SetPermission, Tell, Withdraw
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.queries import (
    Access,
    Ask,
    Export,
    Query,
)
from schemas.replies import AskReply, ExportReply, Failed, Refused, Reply
from schemas.verbs import verb_of
from tests.actors import histories
from tests.actors.replayed_asks import asks, small_queries
from tests.effort import EFFORT, LENGTH


class Crash(BaseException):
    """The process dies here."""


class Live:
    """A partition on a file, which can be crashed and opened again."""

    def __init__(self, path: Path, max_active: int) -> None:
        self.path = path
        self.max_active = max_active
        self.partition: Partition
        self.heard: dict[int, bytes] = {}
        """What was said of each message."""

    async def open(self) -> None:
        self.partition = Partition(3, await Shard.open(self.path), ActiveModels(self.max_active))

    async def close(self) -> None:
        await self.partition.shard.close()

    async def apply(self, messages: list[LogMessage], disk: str = "works") -> None:
        """Apply, and see that nobody is told anything else than before a crash."""
        with suppress(sqlite3.OperationalError):
            await self._on(disk, lambda: self.partition.apply(messages, self._hear))

    async def apply_as_it_arrives(self, messages: list[LogMessage]) -> None:
        """Apply each by itself, at once if nothing must be waited for."""
        for message in messages:
            settled = self.partition.apply_at_once(message)
            if settled is None:
                await self.partition.apply([message], self._hear)
            else:
                await self._hear([settled])

    async def commit(self, disk: str = "works") -> None:
        with suppress(sqlite3.OperationalError):
            await self._on(disk, self.partition.commit)

    async def _hear(self, settled: list[Settled]) -> None:
        for one in settled:
            seq, outcome = one.incoming.message.seq, msgspec.json.encode(one.outcome)
            assert self.heard.setdefault(seq, outcome) == outcome

    async def _on(self, disk: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do something while the disk works, is full, or the process dies before or after a commit."""
        shard = self.partition.shard
        write = shard.write

        async def troubled_write(batch: Any) -> None:
            if disk == "is full":
                raise sqlite3.OperationalError("database or disk is full")
            if disk == "dies after":
                await write(batch)
            raise Crash

        if disk != "works":
            shard.write = troubled_write  # type: ignore[method-assign]
        try:
            await work()
        except Crash:
            await self.close()
            await self.open()
        finally:
            shard.write = write  # type: ignore[method-assign]

    async def ask(self, user: str, app: str, query: Query) -> Reply:
        now = histories.START_US / 1e6 + 100
        answers = Answers(self.partition, lambda: now, lambda: 0)
        verb = verb_of(query)
        answer = answers.answer(Address(3, user, app, verb), msgspec.json.encode(query))
        return answer if isinstance(answer, msgspec.Struct) else await answer()


def _tells_well(message: LogMessage) -> bool:
    command = decode_incoming(message).command
    return isinstance(command, Tell | Correct) and command.id[0] in "tcf" and command.context == ["a"]


DISKS = ["works", "works", "works", "is full", "dies before", "dies after"]


class ReplayEqualsLive(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        # So little at once that there is mostly more to withdraw.
        self.together = mock.patch.object(causes, "MAX_TOGETHER", 2)
        self.together.start()
        self.log: list[LogMessage] = []
        self.sent = 0
        self.live = Live(Path(self.folder.name) / "live.db", max_active=1)
        self.runner.run(self.live.open())
        self._append("alice", "llum", MakeModel(id="make", definition=histories.DEFINITION))
        self._append("alice", "llum", RegisterApp(id="register", app="probe"))
        self._append("alice", "llum", SetPermission(id="permit", app="probe", context=[], ask=True, tell=True))

    def _append(self, user: str, app: str, command: Command | bytes, clock_step_us: int = 1000) -> None:
        time_us = (self.log[-1].time_us if self.log else histories.START_US) + clock_step_us
        self.log.append(histories.message(len(self.log) + 1, time_us, user, app, command))

    @rule(
        user=st.sampled_from(histories.SENDERS),
        app=st.sampled_from(histories.APPS),
        command=histories.commands,
        clock_step_us=st.sampled_from([1, 1000, 30_000_000, -5_000_000]),
    )
    def send(self, user: str, app: str, command: Command, clock_step_us: int) -> None:
        self._append(user, app, command, clock_step_us)

    @rule(command=histories.commands)
    def send_as_owner(self, command: Command) -> None:
        self._append("alice", "llum", command)

    @rule(values=st.lists(st.integers(0, 9), min_size=1, max_size=3), goal=st.booleans(), correct=st.integers(0, 5))
    def tell_well(self, values: list[int], goal: bool, correct: int) -> None:
        """Tell what is most likely accepted, and now and then correct it."""
        for value in values:
            self.sent += 1
            evidence = NewEvidence(value=value, flags=["goal"] if goal else [])
            tell = Tell(id=f"t{self.sent}", context=["a"], component="a", evidence=evidence)
            self._append("alice", "probe", tell)
        if correct == 0:
            self._append("alice", "llum", Correct(id=f"c{self.sent}", context=["a"], component="a", value="so"))

    @precondition(lambda self: self.sent > 0)
    @rule(index=st.integers(0, 1000), app=st.sampled_from(["llum", "probe", "stranger"]))
    def withdraw_something(self, index: int, app: str) -> None:
        """Name evidence that is most likely there."""
        told = [one for one in self.log if one.subject.startswith("llum.log.3.alice.") and _tells_well(one)]
        earlier = told[index % len(told)]
        self._append("alice", app, Withdraw(id=f"w{len(self.log)}", context=["a"], component="a", seq=earlier.seq))

    @precondition(lambda self: self.sent > 0)
    @rule(index=st.integers(0, 1000), context=st.sampled_from(["a", "a", "b"]), count=st.integers(1, 3))
    def follow_something(self, index: int, context: str, count: int) -> None:
        """Tell as a rule does, because of what is most likely there, and may follow from something itself."""
        told = [one for one in self.log if one.subject.startswith("llum.log.3.alice.") and _tells_well(one)]
        cause = told[index % len(told)].seq
        for _ in range(count):
            self.sent += 1
            fired = Cause(rule="5", root=f"alice.{cause}", depth=1, seq=cause, path=["a", "a"])
            evidence = NewEvidence(value=self.sent)
            tell = Derive(id=f"f{self.sent}", context=[context], component="a", evidence=evidence, cause=fired)
            self._append("alice", "llum", tell)

    @rule(command=histories.withdrawals_of_llum)
    def go_on(self, command: Command) -> None:
        self._append("alice", RULES_APP, command)

    @rule(user=st.sampled_from(histories.SENDERS), command=histories.fires)
    def fire(self, user: str, command: Command) -> None:
        self._append(user, CRON_APP, command)

    @rule(user=st.sampled_from(histories.SENDERS), command=histories.forgets, really=st.integers(0, 7))
    def forget(self, user: str, command: Command, really: int) -> None:
        """Now and then: a forgotten model has no history to compare."""
        if really == 0:
            self._append(user, "llum", command)

    @rule(user=st.sampled_from(histories.SENDERS), data=histories.rubbish)
    def send_rubbish(self, user: str, data: bytes) -> None:
        self._append(user, "probe", data)

    @rule(index=st.integers(0, 1000))
    def send_again(self, index: int) -> None:
        earlier = self.log[index % len(self.log)]
        self.log.append(msgspec.structs.replace(earlier, seq=len(self.log) + 1, time_us=self.log[-1].time_us + 7))

    @rule(size=st.integers(1, 20), disk=st.sampled_from(DISKS))
    def apply(self, size: int, disk: str) -> None:
        pending = self.log[self.live.partition.applied_seq :]
        self.runner.run(self.live.apply(pending[:size], disk))

    @rule(size=st.integers(1, 20))
    def apply_as_it_arrives(self, size: int) -> None:
        pending = self.log[self.live.partition.applied_seq :]
        self.runner.run(self.live.apply_as_it_arrives(pending[:size]))

    @rule(disk=st.sampled_from(DISKS))
    def commit(self, disk: str) -> None:
        self.runner.run(self.live.commit(disk))

    @rule()
    def crash(self) -> None:
        self.runner.run(self.live.close())
        self.runner.run(self.live.open())

    @rule()
    def redeliver_everything(self) -> None:
        done = self.log[: self.live.partition.applied_seq]
        self.runner.run(self.live.apply(done))

    @rule(user=st.sampled_from(histories.USERS), context=st.sampled_from(histories.ALL_CONTEXTS))
    def ask(self, user: str, context: tuple[str, ...]) -> None:
        query = Ask(context=list(context), include_evidence=True)
        self.runner.run(self.live.ask(user, "llum", query))

    @invariant()
    def nothing_is_skipped(self) -> None:
        partition = self.live.partition
        assert partition.committed_seq <= partition.applied_seq <= len(self.log)

    def teardown(self) -> None:
        try:
            self.runner.run(self._compare())
        finally:
            self.together.stop()
        self.runner.close()
        self.folder.cleanup()

    async def _compare(self) -> None:
        await self.live.apply(self.log)
        replayed = Live(Path(self.folder.name) / "replayed.db", max_active=100)
        await replayed.open()
        replayed.heard = self.live.heard
        await replayed.apply(self.log)
        await replayed.partition.commit_all()
        try:
            assert await _everything(self.live, self.log) == await _everything(replayed, self.log)
            await self.live.partition.commit_all()
            assert await _left(self.live) == await _left(replayed)
            assert self.live.partition.shard.log_sum == replayed.partition.shard.log_sum == _sum_of(replayed)
            assert self.live.partition.shard.last == replayed.partition.shard.last
            counted = await self.live.partition.shard.count_state()
            assert counted == await replayed.partition.shard.count_state()
            for each in (self.live.partition, replayed.partition):
                assert counted.rows == each.waiting.state_sum == each.shard.state_sum == _shares(each.shard)
            await _repeats_change_nothing(replayed, self.log)
        finally:
            await replayed.close()
            await self.live.close()


async def _left(live: Live) -> tuple[object, object]:
    """What has left the partitions, which nothing has taken out of their outboxes, and what waits for its time."""
    scheduled = await live.partition.shard.schedules()
    return await live.partition.shard.outbox(10**6), sorted(scheduled, key=lambda one: (one.user, one.path, one.token))


def _shares(shard: Shard) -> int:
    """Add up what the shard's file says of the state of people."""
    with closing(sqlite3.connect(shard.path)) as file:
        return sum(share for (share,) in file.execute("SELECT state_sum FROM user"))


def _sum_of(live: Live) -> int:
    """Add up what the shard's file says of commands, and see that it says the same of people."""
    with closing(sqlite3.connect(live.path)) as file:
        digests = file.execute("SELECT digest FROM command WHERE digest IS NOT NULL").fetchall()
        people = file.execute("SELECT log_sum FROM user").fetchall()
    of_commands, of_people = (
        sum(int.from_bytes(one, "little") for (one,) in rows) % MODULUS for rows in (digests, people)
    )
    assert of_commands == of_people
    return of_commands


async def _everything(live: Live, log: list[LogMessage]) -> list[object]:
    """All that can be asked: every context for every app, with every filter, explained, now and in the past."""
    seen: list[object] = []
    for user in histories.USERS:
        for app in histories.APPS:
            seen.append(await live.ask(user, app, Access()))
            for context in histories.ALL_CONTEXTS:
                seen += [_normal(await live.ask(user, app, query)) for query in asks(list(context), log)]
                seen += [_normal(await live.ask(user, app, query)) for query in small_queries(list(context), log)]
            seen += [_normal(page) for page in await _pages(live, user, app)]
    return seen


async def _pages(live: Live, user: str, app: str) -> list[Reply]:
    pages = [await live.ask(user, app, Export())]
    while isinstance(pages[-1], ExportReply) and pages[-1].next is not None:
        pages.append(await live.ask(user, app, Export(after=pages[-1].next)))
    return pages


def _normal(reply: Reply) -> object:
    """The sequence that a reply reflects is the user's last accepted command: the same in both."""
    return msgspec.json.decode(encode(reply))


async def _repeats_change_nothing(live: Live, log: list[LogMessage]) -> None:
    """Outcomes are kept with a model, so this is about commands that found one."""
    before = await _everything(live, log)
    kept = [one for one in log if (await _found_a_model(live, one))]
    again = [msgspec.structs.replace(one, seq=len(log) + 1 + index) for index, one in enumerate(kept)]
    settled = await live.partition.apply(again)
    assert all(one.outcome.repeated or _reuses_an_id(one) for one in settled if one.incoming.id is not None)
    assert await _everything(live, log) == before


def _reuses_an_id(one: Settled) -> bool:
    return isinstance(one.outcome, Refused) and one.outcome.error.code is Code.ID_REUSED


async def _found_a_model(live: Live, message: LogMessage) -> bool:
    user = message.subject.split(".")[3]
    reply = await live.ask(user, "llum", Ask(as_of_seq=message.seq))
    return not (isinstance(reply, Failed) and reply.error.code is Code.NO_SUCH_MODEL)


TestReplayEqualsLive = ReplayEqualsLive.TestCase
TestReplayEqualsLive.settings = settings(
    max_examples=15 * EFFORT, stateful_step_count=40 * LENGTH, suppress_health_check=list(HealthCheck), print_blob=True
)


def test_an_ask_reply_is_what_the_comparison_sees() -> None:
    """The comparison compares replies with values, so an empty world cannot pass for equality."""

    async def scenario() -> Reply:
        with tempfile.TemporaryDirectory() as folder:
            live = Live(Path(folder) / "one.db", 10)
            await live.open()
            log = [
                histories.message(
                    1, histories.START_US, "alice", "llum", MakeModel(id="1", definition=histories.DEFINITION)
                )
            ]
            await live.apply(log)
            reply = await live.ask("alice", "llum", Ask(context=["a"]))
            await live.close()
            return reply

    reply = asyncio.run(scenario())
    assert isinstance(reply, AskReply)
    assert [one.path for one in reply.components] == [["a", "a"], ["a", "b"]]

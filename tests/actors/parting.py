"""A partition on a file with its log, of which a part of a person is forgotten; for tests."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from actors.answers import Answers
from actors.live import ActiveModels
from actors.partition import Partition
from actors.rewriting import Saying
from actors.settling import Settled
from actors.store.shard import Shard
from bus.log import LogMessage
from bus.subjects import Address
from model.resolvers.summaries import SHIPPED
from schemas.apps import RESTATING_APP
from schemas.commands import (
    Command,
    Correct,
    MakeComponent,
    MakeModel,
    MakeRule,
    MakeView,
    RegisterApp,
    SetGoals,
    SetPermission,
    Tell,
    Withdraw,
)
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.evidence import NewEvidence
from schemas.grants import Consent
from schemas.queries import Query
from schemas.replies import Accepted
from schemas.slices import Slice
from schemas.verbs import verb_of
from tests.actors import histories

MARKER = "Xylophone-7"

SMALL = 300
"""Bytes of a chunk in these tests: so that there are many."""


class World:
    """A partition on a file, and its log, of which messages may be erased."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log: list[LogMessage] = []
        self.shards = 0
        self.partition: Partition

    async def open(self) -> None:
        self.path = self.folder / f"{self.shards}.db"
        self.partition = Partition(3, await Shard.open(self.path), ActiveModels(10))

    async def close(self) -> None:
        await self.partition.shard.close()

    async def make_anew(self) -> None:
        """Make the shard from what is left of the log."""
        await self.close()
        self.shards += 1
        await self.open()
        await self.partition.apply(self.log)
        await self.partition.commit_all()

    async def crash(self) -> None:
        await self.close()
        await self.open()

    async def send(self, command: Command, user: str = "alice", app: str = "llum") -> Settled:
        seq = self.log[-1].seq + 1 if self.log else 1
        self.log.append(histories.message(seq, histories.START_US + seq * 1000, user, app, command))
        (settled,) = await self.partition.apply(self.log[-1:])
        return settled

    async def accept(self, command: Command, user: str = "alice", app: str = "llum") -> int:
        settled = await self.send(command, user, app)
        assert type(settled.outcome) is Accepted, settled.outcome
        return settled.outcome.seq

    async def say_anew(self, user: str = "alice", between: Iterable[Command] = ()) -> int:
        """Say all that is left of a person, with commands between the chunks; give the sequence of the last one."""
        attempt, waiting = Saying(user, SMALL), list(between)
        while True:
            await self.partition.commit_all()
            chunk = await attempt.chunk(self.partition.shard)
            if chunk.last is not None and waiting:
                await self.send(waiting.pop(0))
                continue
            seq = await self.accept(chunk, user, RESTATING_APP)
            attempt.said()
            if chunk.last is not None:
                return seq
            if waiting:
                await self.send(waiting.pop(0))

    async def erase(self, user: str = "alice", keep: Iterable[int] = ()) -> int:
        """Erase from the log what was said anew, but for some of it; give how many messages went."""
        (one,) = [one for one in await self.partition.shard.rewritings.all() if one.user == user]
        assert one.kept is not None
        kept = one.kept.union(keep)
        before = len(self.log)
        self.log = [
            message
            for message in self.log
            if message.seq > one.seq or message.seq in kept or f".{user}." not in message.subject
        ]
        return before - len(self.log)

    async def ask(self, query: Query, user: str = "alice") -> Any:
        """Ask as the owner, long after everything in the log."""
        answers = Answers(self.partition, lambda: histories.START_US / 1e6 + 100, lambda: 0, SHIPPED)
        answer = answers.answer(Address(3, user, "llum", verb_of(query)), msgspec.json.encode(query))
        return answer if isinstance(answer, msgspec.Struct) else await answer()

    def rows(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(statement, values).fetchall()

    def holds(self, text: str) -> bool:
        """Look into every byte of the shard's files, and of the log."""
        files = self.path.parent.glob(f"{self.path.name}*")
        return any(text.encode() in file.read_bytes() for file in files)

    def log_holds(self, text: str) -> bool:
        return any(text.encode() in message.data for message in self.log)

    async def state(self) -> Any:
        """All that a shard knows, but for what each copy chooses for itself: keys of people, eras."""
        await self.partition.commit_all()
        shard = self.partition.shard
        counted = await shard.count_state()
        assert counted.rows == shard.state_sum == self.partition.waiting.state_sum
        return (
            counted,
            shard.log_sum,
            shard.clock_us,
            self.rows("SELECT name, seq, time_us, log_sum, state_sum FROM user ORDER BY name"),
            self.rows("SELECT name, root, cause.seq, count FROM cause JOIN user ON key = user_key ORDER BY 1, 2"),
            self.rows(
                "SELECT command.seq, command.time_us, hash, name, app, id, outcome, digest, body"
                " FROM command LEFT JOIN user ON key = user_key ORDER BY 1"
            ),
            self.rows("SELECT * FROM held ORDER BY 1, 2, 3, 4"),
            self.rows("SELECT * FROM rewriting"),
            self.rows("SELECT count(*) FROM restated"),
        )


def told(value: Any, component: str = "a", command_id: str = "", **more: Any) -> Tell:
    evidence = NewEvidence(value=value, **more)
    return Tell(id=command_id or f"{component}-{value}", context=["a"], component=component, evidence=evidence)


async def live(world: World) -> None:
    """A person with two components; of one of them everything holds the marker."""
    await world.accept(MakeModel(id="make", definition=histories.DEFINITION), "alice", "_admin")
    await world.accept(MakeModel(id="make", definition=histories.DEFINITION), "bob", "_admin")
    await world.accept(RegisterApp(id="register", app="probe"))
    await world.accept(SetPermission(id="permit", app="probe", context=[], ask=True, tell=True))
    for number in range(3):
        await world.accept(told(number), app="probe")
        await world.accept(told(number), "bob")
    definition = ComponentDefinition(name=MARKER, description=MARKER, value_type="JSON")
    await world.accept(MakeComponent(id=f"{MARKER}-made", context=["a"], component=definition))
    await world.accept(SetPermission(id=f"{MARKER}-p", app="probe", context=["a"], component=MARKER, ask=True))
    both = Slice(components=["a/b", f"a/{MARKER}"], actions=["ask"])
    await world.accept(Consent(id="consent-1", app="other", decision="allowed", granted=[both]))
    only = Slice(components=[f"a/{MARKER}"], actions=["tell"])
    await world.accept(Consent(id="consent-2", app="other", decision="refused", refused=[only]))
    await world.accept(MakeView(id="v", context=["a"], view=ViewDefinition(name="v", components=["a", MARKER])))
    await world.accept(SetGoals(id="goals", context=["a"], component="b", goals=[["a", MARKER], ["b", "a"]]))
    rule = f"<./a/{MARKER}> ~ '.*' : TELL 'a/b', explicit:'1'"
    await world.accept(MakeRule(id=f"{MARKER}-rule", context=["a"], component=MARKER, statement=rule))
    for number in range(20):
        await world.accept(told(f"{MARKER}-{number}", MARKER, f"{MARKER}-{number}", comment=MARKER))
    await world.accept(Correct(id=f"{MARKER}-c", context=["a"], component=MARKER, value=MARKER))
    await world.send(told("x", f"{MARKER}x", f"{MARKER}-refused"))
    seq = await world.accept(told(MARKER, MARKER, f"{MARKER}-w"))
    withdraw = Withdraw(id=f"{MARKER}-ww", context=["a"], component=MARKER, seq=seq, comment=MARKER)
    await world.accept(withdraw)
    await world.accept(told(7), app="probe")
    await world.partition.commit_all()

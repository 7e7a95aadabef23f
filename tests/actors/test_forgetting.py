"""Forgetting a person: what is left of them in the shard's files is nothing."""

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.live import ActiveModels
from actors.partition import Partition
from actors.settling import Settled
from actors.store.shard import Shard
from schemas.commands import (
    Command,
    Correct,
    DeleteComponent,
    Forget,
    MakeComponent,
    MakeModel,
    MakeRule,
    Tell,
    Withdraw,
)
from schemas.definitions import ComponentDefinition
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.replies import Accepted, Refused
from tests.actors import histories

MARKER = "Xylophone-7"
"""In everything that is told of the person who is forgotten."""


class World:
    """A partition on a file, and its log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seq = 0
        self.partition: Partition

    async def open(self) -> None:
        self.partition = Partition(3, await Shard.open(self.path), ActiveModels(10))

    async def close(self) -> None:
        await self.partition.shard.close()

    async def apply(self, *commands: tuple[str, Command]) -> list[Settled]:
        """Apply commands of users, sent by `llum`, as one batch."""
        messages = []
        for user, command in commands:
            self.seq += 1
            messages.append(histories.message(self.seq, histories.START_US + self.seq, user, "llum", command))
        settled = await self.partition.apply(messages)
        await self.partition.commit_all()
        return settled

    def rows(self, statement: str) -> list[Any]:
        with sqlite3.connect(self.path) as connection:
            return connection.execute(statement).fetchall()

    def holds(self, text: str) -> bool:
        """Look into every byte of the shard's files."""
        return any(text.encode() in file.read_bytes() for file in self.path.parent.glob(f"{self.path.name}*"))


def lived(user: str, marker: str) -> list[tuple[str, Command]]:
    """Some of every kind of row, for a user whose every text holds the marker."""
    tell = NewEvidence(value=marker, comment=marker, extra={marker: marker})
    component = ComponentDefinition(name=marker, description=marker)
    commands: list[Command] = [
        MakeModel(id=f"{marker}-make", definition=histories.DEFINITION),
        MakeComponent(id=f"{marker}-component", context=["a"], component=component),
        *(Tell(id=f"{marker}-{n}", context=["a"], component=marker, evidence=tell) for n in range(50)),
        Correct(id=f"{marker}-correct", context=["a"], component=marker, value=marker),
        MakeRule(id=f"{marker}-s", context=["a"], component=marker, statement=f"'{marker}' ~ 'x' : NOTIFY 'y'"),
        Tell(id=f"{marker}-fires", context=["a"], component=marker, evidence=tell),
        Tell(id=f"{marker}-refused", context=["a"], component="a" + marker, evidence=tell),
        DeleteComponent(id=f"{marker}-delete", context=["a"], component=marker),
        MakeComponent(id=f"{marker}-again", context=["a"], component=component),
        Tell(id=f"{marker}-t", context=["a"], component=marker, evidence=tell),
    ]
    return [(user, command) for command in commands]


async def test_nothing_is_left_of_a_forgotten_person(tmp_path: Path) -> None:
    """Of past and present components, ids, rejections and firings: not one byte; others keep all of theirs."""
    world = World(tmp_path / "3.db")
    await world.open()
    await world.apply(*lived("bob", "Marimba-3"))
    await world.apply(*lived("alice", MARKER))
    withdraw = Withdraw(id="w", context=["a"], component=MARKER, seq=world.seq, comment=MARKER)
    await world.apply(("alice", withdraw))
    assert world.rows("SELECT count(*) FROM withdrawal") == [(1,)]
    assert world.holds(MARKER)
    (settled,) = await world.apply(("alice", Forget(id="forget")))
    assert type(settled.outcome) is Accepted
    assert not world.holds(MARKER)
    assert world.holds("Marimba-3")
    assert world.rows("SELECT name FROM user") == [("bob",)]
    assert world.rows("SELECT count(*) FROM withdrawal") == [(0,)]
    await world.partition.shard.drop_outbox(world.seq)
    assert not world.holds("alice")
    await world.close()
    assert not world.holds(MARKER)
    assert not world.holds("alice")


async def test_a_forget_that_is_sent_again_gets_its_outcome(tmp_path: Path) -> None:
    """It is known by a hash, which names nobody."""
    world = World(tmp_path / "3.db")
    await world.open()
    await world.apply(*lived("alice", MARKER))
    forget = Forget(id="forget")
    first, again = await world.apply(("alice", forget), ("alice", forget))
    assert type(first.outcome) is type(again.outcome) is Accepted
    assert (first.outcome.repeated, again.outcome.repeated) == (False, True)
    assert again.outcome.seq == first.outcome.seq
    await world.close()


async def test_a_model_made_later_starts_anew(tmp_path: Path) -> None:
    """In the same batch too; ids that were used before the forget are free again."""
    world = World(tmp_path / "3.db")
    await world.open()
    tell = Tell(id="t", context=["a"], component="a", evidence=NewEvidence(value=1))
    make = MakeModel(id="make", definition=histories.DEFINITION)
    settled = await world.apply(
        ("alice", make),
        ("alice", tell),
        ("alice", Forget(id="f")),
        ("alice", tell),
        ("alice", make),
        ("alice", tell),
    )
    outcomes = [item.outcome for item in settled]
    assert [type(outcome) for outcome in outcomes] == [Accepted, Accepted, Accepted, Refused, Accepted, Accepted]
    assert isinstance(outcomes[3], Refused)
    assert outcomes[3].error.code is Code.NO_SUCH_MODEL
    assert not any(outcome.repeated for outcome in outcomes)
    assert world.rows("SELECT count(*) FROM evidence WHERE seq <= 3") == [(0,)]
    assert len(world.rows("SELECT * FROM evidence WHERE kind = 0 AND seq = 6")) == 1
    await world.close()


async def test_traces_are_removed_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the process dies between forgetting and rewriting the file."""
    world = World(tmp_path / "3.db")
    await world.open()
    await world.apply(*lived("alice", MARKER))

    async def dies(_shard: Shard) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Shard, "remove_traces", dies)
        with pytest.raises(KeyboardInterrupt):
            await world.apply(("alice", Forget(id="f")))
    await world.close()
    assert world.rows("SELECT value FROM meta WHERE name = 'traces'") == [(world.seq,)]
    await world.open()
    assert not world.holds(MARKER)
    await world.partition.shard.drop_outbox(world.seq)
    assert world.rows("SELECT value FROM meta WHERE name = 'traces'") == [(0,)]
    await world.close()


async def test_outcomes_are_json(tmp_path: Path) -> None:
    """A correction's result names it, a subscription's is its token."""
    world = World(tmp_path / "3.db")
    await world.open()
    settled = await world.apply(*lived("alice", MARKER))
    results = [msgspec.to_builtins(item.outcome).get("result") for item in settled]
    assert {"seq": 53, "n": 0} in results
    assert "54" in results
    await world.close()

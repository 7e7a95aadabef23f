"""What an ask finds is what a plain model holds, wherever the rows are.

Method: random tells, corrections, withdrawals and what rules tell, with commits in between that succeed or fail for a
full disk, and crashes. After each step the evidence, now and in the past, is compared with a plain list.
The disk is a real one: SQLite itself says that it is full.
"""

import asyncio
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.live import ActiveModels
from actors.partition import Partition
from actors.store.shard import Shard
from bus.log import LogMessage
from schemas.causes import Cause
from schemas.commands import Command, Correct, Derive, MakeModel, RegisterApp, Tell, Withdraw
from schemas.evidence import EvidenceFilter, NewEvidence
from schemas.queries import Ask
from tests.actors import histories
from tests.actors.answering import ask
from tests.effort import EFFORT, LENGTH

LARGE = "x" * 4000
"""A comment that fills the disk soon."""


class Piece(NamedTuple):
    seq: int
    value: int
    withdrawn_at: int | None = None


class PlainModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.log: list[LogMessage] = []
        self.pieces: list[Piece] = []
        self.runner.run(self._open())
        self._apply(MakeModel(id="make", definition=histories.DEFINITION))
        self._apply(RegisterApp(id="register", app="probe", role="owner"))

    async def _open(self) -> None:
        self.shard = await Shard.open(Path(self.folder.name) / "3.db")
        self.partition = Partition(3, self.shard, ActiveModels(1))

    def _apply(self, command: Command) -> int:
        seq = len(self.log) + 1
        self.log.append(histories.message(seq, histories.START_US + seq * 1000, "alice", "llum", command))
        self.runner.run(self.partition.apply(self.log[-1:]))
        return seq

    @rule(value=st.integers(0, 9), goal=st.booleans(), large=st.integers(0, 2), by_rule=st.booleans())
    def tell(self, value: int, goal: bool, large: int, by_rule: bool) -> None:
        evidence = NewEvidence(value=value, flags=["goal"] if goal else [], comment=LARGE if large == 0 else None)
        members = {"id": f"t{len(self.log)}", "context": ["a"], "component": "a", "evidence": evidence}
        cause = Cause(rule="5", root=f"alice.{len(self.log)}", depth=1)
        command = Derive(**members, cause=cause) if by_rule else Tell(**members)
        self.pieces.append(Piece(self._apply(command), value))

    @rule(value=st.integers(0, 9))
    def correct(self, value: int) -> None:
        command = Correct(id=f"c{len(self.log)}", context=["a"], component="a", value=value)
        self.pieces.append(Piece(self._apply(command), value))

    @precondition(lambda self: any(piece.withdrawn_at is None for piece in self.pieces))
    @rule(index=st.integers(0, 1000))
    def withdraw(self, index: int) -> None:
        left = [place for place, piece in enumerate(self.pieces) if piece.withdrawn_at is None]
        place = left[index % len(left)]
        piece = self.pieces[place]
        at = self._apply(Withdraw(id=f"w{len(self.log)}", context=["a"], component="a", seq=piece.seq))
        self.pieces[place] = piece._replace(withdrawn_at=at)

    @rule()
    def commit(self) -> None:
        self.runner.run(self.partition.commit_all())
        assert self.partition.committed_seq == len(self.log)

    @rule()
    def meet_a_full_disk(self) -> None:
        """The file may not grow: what has room is committed, the rest waits."""
        self.runner.run(self._commit_without_room())

    async def _commit_without_room(self) -> None:
        connection = self.shard._connection
        await connection.execute_fetchall("PRAGMA max_page_count = 1")
        with suppress(sqlite3.OperationalError):
            await self.partition.commit_all()
        await connection.execute_fetchall("PRAGMA max_page_count = 1000000")

    @rule()
    def crash(self) -> None:
        """What was not committed is applied again from the log."""
        self.runner.run(self.shard.close())
        self.runner.run(self._open())
        self.runner.run(self.partition.apply(self.log))

    @invariant()
    def the_evidence_is_that_of_the_plain_model(self) -> None:
        assert self._found() == self._expected(len(self.log))
        middle = max(1, len(self.log) // 2)
        assert self._found(as_of_seq=middle) == self._expected(middle)
        last = EvidenceFilter(name="recent_count", recent_count=2000)
        assert self._found(evidence_filter=last, explain=True) == self._expected(len(self.log))

    def _found(self, **query: object) -> list[Piece]:
        wanted = Ask(context=["a"], view=["a"], include_evidence=True, **query)  # type: ignore[arg-type]
        reply = self.runner.run(ask(self.partition, wanted))
        pieces = reply.components[0].evidence or []
        return [Piece(piece.seq, piece.value, 1 if piece.withdrawn else None) for piece in pieces]

    def _expected(self, seq: int) -> list[Piece]:
        """Whether a piece was withdrawn by then; when is not told."""
        known = [piece for piece in self.pieces if piece.seq <= seq]
        return [piece._replace(withdrawn_at=1 if (piece.withdrawn_at or seq + 1) <= seq else None) for piece in known]

    def teardown(self) -> None:
        self.commit()
        self.the_evidence_is_that_of_the_plain_model()
        self.runner.run(self.shard.close())
        self.runner.close()
        self.folder.cleanup()


TestPlainModel = PlainModel.TestCase
TestPlainModel.settings = settings(
    max_examples=15 * EFFORT, stateful_step_count=30 * LENGTH, suppress_health_check=list(HealthCheck), print_blob=True
)


async def test_a_full_disk_is_met(tmp_path: Path) -> None:
    """SQLite refuses a batch that has no room, and takes the same one when there is some."""
    shard = await Shard.open(tmp_path / "3.db")
    partition = Partition(3, shard, ActiveModels(10))
    make = MakeModel(id="make", definition=histories.DEFINITION)
    evidence = NewEvidence(value=1, comment=LARGE)
    tells = [Tell(id=f"t{n}", context=["a"], component="b", evidence=evidence) for n in range(20)]
    log = [
        histories.message(seq, histories.START_US + seq, "alice", "llum", command)
        for seq, command in enumerate([make, *tells], 1)
    ]
    await partition.apply(log)
    await shard._connection.execute_fetchall("PRAGMA max_page_count = 1")
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="full"):
            await partition.commit_all()
        assert (partition.committed_seq, partition.applied_seq) == (0, 21)
    await shard._connection.execute_fetchall("PRAGMA max_page_count = 1000000")
    await partition.commit_all()
    assert partition.committed_seq == 21
    await shard.close()

"""Withdrawn causes and crashes.

Goal: whatever dies at whatever step, in the end exactly that counts which follows from evidence that counts: in the
same model, through a chain, and in another person's. Method: as in `test_effects_crashes.py`, whose world this is; here
tells are withdrawn, too, before or after their rules have fired, and a command withdraws one piece at a time, so that
most withdrawals go on through the outbox. At the end all is brought to rest, and compared.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from actors.answers import Answers
from actors.chains import Chains
from actors.effects.outbox import Outbox
from actors.effects.stage import EffectsStage
from actors.effects.withdrawals import Withdrawals
from actors.store.entries import FIRED, WITHDRAW_ELSEWHERE, WITHDRAW_FURTHER
from actors.store.shard import Shard
from bus.subjects import Address
from model.commands import causes
from model.resolvers.summaries import SHIPPED
from schemas.commands import MakeModel, MakeRule, SetPermission, Tell, Withdraw
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.errors import raised_from
from schemas.evidence import NewEvidence
from schemas.queries import Ask, Query
from schemas.replies import Failed, Reply
from schemas.verbs import verb_of
from tests.actors import histories
from tests.actors.answering import ask
from tests.actors.test_effects_crashes import Crash, Process, World
from tests.effort import EFFORT, LENGTH

FOLLOWING = [("alice", "b"), ("alice", "d"), ("bob", "a"), ("bob", "b")]
"""Where the values of alice's `a` are to be found, too: a chain of her own rules, one into bob's model, and his own."""

RULES = [
    ("alice", "a", "'' ~ '' : TELL ./c/b, inferred:<./c/a>"),
    ("alice", "b", "'' ~ '' : TELL ./c/d, inferred:<./c/b>"),
    ("alice", "a", "'' ~ '' : TELL bob/c/a, inferred:<./c/a>"),
    ("bob", "a", "'' ~ '' : TELL ./c/b, inferred:<./c/a>"),
]


class AskedWorld(World):
    """A world in which other people's models can be asked."""

    process: "WithdrawingProcess"

    async def ask(self, user: str, app: str, query: Query, _timeout_s: float) -> Reply:
        await self.pause(user)
        self.operation()
        answers = Answers(self.process.partition, lambda: histories.START_US / 1e6 + 100, lambda: 0)
        answer = answers.answer(Address(3, user, app, verb_of(query)), msgspec.json.encode(query))
        reply = answer if isinstance(answer, msgspec.Struct) else await answer()
        if isinstance(reply, Failed):
            raise raised_from(reply.error)
        return reply


class WithdrawingProcess(Process):
    """A partition whose effects stage withdraws what has followed from evidence."""

    def __init__(self, world: AskedWorld, shard: Shard) -> None:
        super().__init__(world, shard)
        world.process = self
        requests: Any = world
        stage = EffectsStage(mock.Mock(), requests, self.partition, mock.Mock(), SHIPPED, Chains(mock.Mock()))
        withdrawals = Withdrawals(mock.Mock(), requests, 3)
        handlers = {
            FIRED: stage.fire,
            WITHDRAW_ELSEWHERE: withdrawals.elsewhere,
            WITHDRAW_FURTHER: withdrawals.further,
        }
        self.outbox = Outbox(shard, handlers, world.checkpoint)


class CausesSurviveCrashes(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.patch = mock.patch.object(causes, "MAX_TOGETHER", 1)
        self.patch.start()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.world = AskedWorld(Path(self.folder.name))
        self.told: list[int] = []
        self._make()
        self.process = self.runner.run(self._start())

    def _make(self) -> None:
        components = [ComponentDefinition(name=name, value_type="JSON") for name in ("a", "b", "d")]
        definition = ModelDefinition(contexts=[ContextDefinition(path=["c"], components=components)])
        for user in ("alice", "bob"):
            self.world.append(user, "llum", MakeModel(id="make", definition=definition))
        grant = SetPermission(id="grant", app="llum", context=["c"], whose_rules="alice", tell=True)
        self.world.append("bob", "llum", grant)
        for number, (user, name, statement) in enumerate(RULES):
            made = MakeRule(id=f"r{number}", context=["c"], component=name, statement=statement)
            self.world.append(user, "llum", made)

    async def _start(self) -> WithdrawingProcess:
        return WithdrawingProcess(self.world, await Shard.open(self.world.path))

    async def _crashing(self, work: Any, after: int) -> None:
        self.world.operations_left = after
        try:
            await work
        except Crash:
            await self.process.shard.close()
            self.process = await self._start()
        finally:
            self.world.operations_left = None

    @rule(user=st.sampled_from(["alice", "bob"]), pause=st.integers(0, 200))
    def be_slow(self, user: str, pause: int) -> None:
        self.world.pauses[user] = pause

    @rule()
    def tell(self) -> None:
        number = len(self.world.log)
        command = Tell(id=f"t{number}", context=["c"], component="a", evidence=NewEvidence(value=number))
        self.told.append(self.world.append("alice", "llum", command))

    @precondition(lambda self: self.told)
    @rule(index=st.integers(0, 1000))
    def withdraw(self, index: int) -> None:
        seq = self.told[index % len(self.told)]
        command = Withdraw(id=f"w{len(self.world.log)}", context=["c"], component="a", seq=seq)
        self.world.append("alice", "llum", command)

    @rule(count=st.integers(1, 5))
    def apply(self, count: int) -> None:
        self.runner.run(self.process.apply(count))

    @rule(after=st.integers(0, 40))
    def work_and_crash(self, after: int) -> None:
        self.runner.run(self._crashing(self.process.rest(), after))

    @rule()
    def lose_the_shard(self) -> None:
        self.runner.run(self.process.shard.close())
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.world.path}{suffix}").unlink(missing_ok=True)
        self.process = self.runner.run(self._start())

    def teardown(self) -> None:
        try:
            self.runner.run(self._compare())
        finally:
            self.patch.stop()
            self.runner.close()
            self.folder.cleanup()

    async def _compare(self) -> None:
        await self.process.rest()
        counting = await self._counting("alice", "a")
        found = {place: await self._counting(*place) for place in FOLLOWING}
        await self.process.shard.close()
        assert found == dict.fromkeys(FOLLOWING, counting)

    async def _counting(self, user: str, name: str) -> list[int]:
        reply = await ask(self.process.partition, Ask(context=["c"], view=[name], include_evidence=True), user)
        return [piece.value for piece in reply.components[0].evidence or [] if piece.withdrawn is None]


TestCausesSurviveCrashes = CausesSurviveCrashes.TestCase
TestCausesSurviveCrashes.settings = settings(
    max_examples=30 * EFFORT, stateful_step_count=20 * LENGTH, suppress_health_check=list(HealthCheck), print_blob=True
)

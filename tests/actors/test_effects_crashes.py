"""Rules and crashes.

Goal: whatever dies at whatever step, each derived tell is in the model exactly once, with the value of the tell that
fired it, and each notice is in the queue at least once; nothing else is. Method: a hypothesis state machine drives one
partition with two people and its effects stage over a log in memory. It crashes at a chosen operation: every write,
PubAck and checkpoint is one, before and after it has happened. What one person's rules bring about may be slow, so that
the other's overtakes it. It may also lose the shard. At the end all is brought to rest, and the log is compared with
what the rules say about it.
"""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from actors.chains import Chains
from actors.effects.outbox import Outbox
from actors.effects.stage import EffectsStage
from actors.live import ActiveModels
from actors.partition import Partition
from actors.store.entries import FIRED
from actors.store.shard import Shard
from bus import notices
from bus.log import LogMessage
from model.resolvers.summaries import SHIPPED
from schemas.commands import Command, MakeModel, MakeRule, Tell
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.effects import Notice
from schemas.evidence import Evidence, NewEvidence
from schemas.queries import Ask
from tests.actors import histories
from tests.actors.answering import ask
from tests.effort import EFFORT, LENGTH

PEOPLE = ["alice", "bob"]
NAMES = ["a", "b", "c", "d", "e"]
TELLS = {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["e"]}
"""Which component's rules tell which."""

NOTIFIES = ["a", "d"]


class Crash(BaseException):
    """The process dies here."""


class World:
    """What outlives a process: the log, the queue, the checkpoint, the shard's file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "one.db"
        self.log: list[LogMessage] = []
        self.notices: list[str] = []
        self.relayed = 0
        self.operations_left: int | None = None
        self.pauses = dict.fromkeys(PEOPLE, 0)
        """How many turns of the event loop a person's operations take."""

    def append(self, user: str, app: str, command: Command) -> int:
        seq = len(self.log) + 1
        self.log.append(histories.message(seq, histories.START_US + seq * 1000, user, app, command))
        return seq

    async def pause(self, user: str) -> None:
        for _ in range(self.pauses[user]):
            await asyncio.sleep(0)

    def operation(self) -> None:
        """Die here if it is time to; a dead process does nothing more."""
        if self.operations_left is not None:
            self.operations_left -= 1
            if self.operations_left < 0:
                raise Crash

    async def store(self, user: str, app: str, command: Tell, timeout_s: float) -> int:
        """Stand in for `Requests.store`."""
        await self.pause(user)
        self.operation()
        seq = self.append(user, app, command)
        self.operation()
        return seq

    async def enqueue(self, _bus: object, _partition: int, notice: Notice) -> str:
        """Stand in for the work queue."""
        await self.pause(notice.user)
        self.operation()
        self.notices.append(notice.id)
        self.operation()
        return ""

    async def checkpoint(self, seq: int) -> None:
        self.operation()
        self.relayed = seq
        self.operation()


class Process:
    """A partition with its effects stage, from start to crash."""

    def __init__(self, world: World, shard: Shard) -> None:
        self.world = world
        self.shard = shard
        self.partition = Partition(3, shard, ActiveModels(1), world.relayed)
        chains = Chains(mock.Mock())
        stage = EffectsStage(mock.Mock(), world, self.partition, mock.Mock(), SHIPPED, chains)  # type: ignore[arg-type]
        self.outbox = Outbox(shard, {FIRED: stage.fire}, world.checkpoint)
        shard.write = self._dying(shard.write)  # type: ignore[method-assign]
        shard.drop_outbox = self._dying(shard.drop_outbox)  # type: ignore[method-assign]

    def _dying(self, method: Any) -> Any:
        async def call(*arguments: Any) -> Any:
            self.world.operation()
            result = await method(*arguments)
            self.world.operation()
            return result

        return call

    async def apply(self, count: int) -> None:
        await self.partition.apply(self.world.log[self.partition.applied_seq :][:count])

    async def commit(self) -> None:
        await self.partition.commit_all()

    async def rest(self) -> None:
        """Go on until nothing is left to do."""
        while self.partition.committed_seq < len(self.world.log) or await self.shard.outbox(1):
            await self.apply(1000)
            await self.commit()
            await self.outbox.relay_all()


class RulesSurviveCrashes(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name))
        self.patch = mock.patch.object(notices, "enqueue", self.world.enqueue)
        self.patch.start()
        self._make()
        self.process = self.runner.run(self._start())

    def _make(self) -> None:
        components = [ComponentDefinition(name=name, value_type="JSON") for name in NAMES]
        definition = ModelDefinition(contexts=[ContextDefinition(path=["c"], components=components)])
        for user in PEOPLE:
            self.world.append(user, "llum", MakeModel(id="make", definition=definition))
            for name, targets in TELLS.items():
                for target in targets:
                    self._subscribe(user, name, f"'' ~ '' : TELL ./c/{target}, inferred:<./c/{name}>")
            for name in NOTIFIES:
                self._subscribe(user, name, "'' ~ '' : NOTIFY 'http://a.example'")

    def _subscribe(self, user: str, component: str, statement: str) -> None:
        command = MakeRule(id=f"s{len(self.world.log)}", context=["c"], component=component, statement=statement)
        self.world.append(user, "llum", command)

    async def _start(self) -> Process:
        return Process(self.world, await Shard.open(self.world.path))

    async def _crashing(self, work: Any, after: int) -> None:
        self.world.operations_left = after
        try:
            await work
        except Crash:
            await self.process.shard.close()
            self.process = await self._start()
        finally:
            self.world.operations_left = None

    @rule(user=st.sampled_from(PEOPLE), pause=st.integers(0, 200))
    def be_slow(self, user: str, pause: int) -> None:
        self.world.pauses[user] = pause

    @rule(told=st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(NAMES)), min_size=1, max_size=4))
    def tell(self, told: list[tuple[str, str]]) -> None:
        for user, name in told:
            number = len(self.world.log)
            evidence = NewEvidence(value=number)
            self.world.append(user, "llum", Tell(id=f"t{number}", context=["c"], component=name, evidence=evidence))

    @rule(index=st.integers(0, 1000))
    def send_again(self, index: int) -> None:
        earlier = self.world.log[index % len(self.world.log)]
        seq = len(self.world.log) + 1
        self.world.log.append(msgspec.structs.replace(earlier, seq=seq, time_us=histories.START_US + seq * 1000))

    @rule(count=st.integers(1, 5))
    def apply(self, count: int) -> None:
        self.runner.run(self.process.apply(count))

    @rule()
    def commit(self) -> None:
        self.runner.run(self.process.commit())

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
        self.runner.run(self._compare())
        self.patch.stop()
        self.runner.close()
        self.folder.cleanup()

    async def _compare(self) -> None:
        await self.process.rest()
        expected: set[str] = set()
        for user in PEOPLE:
            evidence = {name: await self._evidence(user, name) for name in NAMES}
            tokens = _tokens(self.world.log, user)
            derived: dict[str, Counter[Any]] = {name: Counter() for name in NAMES}
            for source, piece in [(name, piece) for name in NAMES for piece in evidence[name]]:
                for target in TELLS.get(source, []):
                    derived[target][(tokens[source, target], piece.value)] += 1
                if source in NOTIFIES:
                    expected.add(f"{piece.seq}.{tokens[source, 'notify']}")
            for name in NAMES:
                assert Counter((piece.rule, piece.value) for piece in evidence[name] if piece.rule) == derived[name]
        await self.process.shard.close()
        assert set(self.world.notices) == expected

    async def _evidence(self, user: str, name: str) -> list[Evidence]:
        reply = await ask(self.process.partition, Ask(context=["c"], view=[name], include_evidence=True), user)
        return reply.components[0].evidence or []


def _tokens(log: list[LogMessage], user: str) -> dict[tuple[str, str], str]:
    """Give the token of a person's rule that leads from one component to another, or to a notice."""
    tokens: dict[tuple[str, str], str] = {}
    for message in log:
        if message.subject.endswith(".make_rule") and f".{user}." in message.subject:
            command = msgspec.json.decode(message.data, type=MakeRule)
            words = command.statement.split()
            target = words[5].removeprefix("./c/").rstrip(",") if words[4] == "TELL" else "notify"
            tokens.setdefault((command.component, target), str(message.seq))
    return tokens


TestRulesSurviveCrashes = RulesSurviveCrashes.TestCase
TestRulesSurviveCrashes.settings = settings(
    max_examples=40 * EFFORT, stateful_step_count=15 * LENGTH, suppress_health_check=list(HealthCheck), print_blob=True
)

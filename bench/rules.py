"""Rules: two hundred on one component, a chain of fifty, and what they cost where there are none."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count, pairwise
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from actors.live import ActiveModels
from actors.partition import Partition
from actors.store.shard import Shard
from bench import people
from bench.failures import BenchError
from bench.figures import Result, absolute, at_most
from bench.ground import BenchGround, Benchmark
from bus.connection import Bus
from bus.log import LogMessage
from bus.requests import Requests
from bus.subjects import log_subject
from schemas.codec import encode
from schemas.commands import Command, MakeRule, Tell
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.evidence import NewEvidence
from schemas.queries import GetContext
from schemas.replies import Accepted, ContextReply
from schemas.verbs import verb_of

RULES = 200
CHAIN = 50

WITHOUT_RULES_BAR = 1.05

TELLS_AT_ONCE = 8
"""Tells sent together to the component with the many rules, at scale 1 five times."""

IDLE_TELLS = 25
"""Tells of each kind for each round of other benchmarks."""

DONE_WITHIN_S = 300.0
POLL_S = 0.01
BATCH = 1000
FIRST_US = 1_790_000_000_000_000

_ids = count()


class FiredRules(NamedTuple):
    """What came of some tells: how many effects, and in which time."""

    tells: int
    effects: int
    seconds: float


async def effects_of_many_rules(ground: BenchGround) -> Result:
    """Measure told effects of tells to one component with two hundred rules, until the last one is in the model."""
    fired = await _many_rules(ground)
    counted = (
        f"{fired.tells} tells to a component with {RULES} rules that tell each, from the first tell to the last effect"
    )
    return Result(absolute("effects/s", fired.effects / fired.seconds), counted)


async def commands_of_many_rules(ground: BenchGround) -> Result:
    """Measure the same in commands that went through the log: the tells and what the rules have told."""
    fired = await _many_rules(ground)
    counted = f"{fired.tells} tells and the {fired.effects:,} commands of {RULES} rules"
    return Result(absolute("commands/s", (fired.tells + fired.effects) / fired.seconds), counted)


async def effects_of_a_chain(ground: BenchGround) -> Result:
    """Measure a chain of fifty rules, of which each is set off by what the one before it has told."""
    async with _speaking(ground) as speaker:
        names = [f"n{number}" for number in range(CHAIN + 1)]
        user = await speaker.make_person(names)
        for name, following in pairwise(names):
            await speaker.subscribe(user, name, f"'' ~ '' : TELL ./c/{following}, inferred:<./c/{name}>")
        rounds = max(1, ground.sizes.long_rounds)
        began = time.perf_counter()
        for number in range(1, rounds + 1):
            await speaker.tell(user, names[0])
            await speaker.until_evidence(user, number * (CHAIN + 1))
        seconds = time.perf_counter() - began
    figure = absolute("effects/s", rounds * CHAIN / seconds)
    return Result(
        figure, f"{rounds} chains of {CHAIN} rules, one after the other: {seconds / rounds * 1000:.0f} ms each"
    )


async def tell_without_rules(ground: BenchGround) -> Result:
    """Compare applying tells to a component without rules: in a model full of rules, and in one that has none."""
    async with AsyncExitStack() as stack:
        folder = ground.new_folder("rules")
        with_rules = await stack.enter_async_context(_Applying.opened(folder / "with.db", RULES))
        without = await stack.enter_async_context(_Applying.opened(folder / "without.db", 0))
        values: list[float] = []
        limits: list[float] = []
        for _ in range(3 * ground.sizes.rounds):
            limits.append(await without.seconds_per_tell() * 1e6)
            values.append(await with_rules.seconds_per_tell() * 1e6)
    counted = (
        f"CPU time of a tell to a component without rules, batches of {BATCH}, {RULES} rules elsewhere in the model; "
        "limit: no rules in the model"
    )
    return Result(at_most(WITHOUT_RULES_BAR, "µs", values, limits), counted)


async def rule_without_effect(ground: BenchGround) -> Result:
    """Measure how much longer a tell takes whose sender waits for rules, if there is one that does not match."""
    plain, ruled = [], []
    async with _speaking(ground) as speaker:
        user = await speaker.make_person(["plain", "ruled"])
        await speaker.subscribe(user, "ruled", "<./c/ruled> ~ 'never' : TELL ./c/plain, inferred:1")
        for _ in range(IDLE_TELLS * ground.sizes.rounds):
            plain.append(await speaker.settle_s(user, "plain"))
            ruled.append(await speaker.settle_s(user, "ruled"))
    without, with_rule = median(plain) * 1e6, median(ruled) * 1e6
    counted = (
        "tells over the bus one at a time whose sender waits for rules, p50: "
        f"{with_rule:.0f} µs with a rule that does not match, {without:.0f} without"
    )
    return Result(absolute("µs", with_rule - without), counted)


async def _many_rules(ground: BenchGround) -> FiredRules:
    async with _speaking(ground) as speaker:
        targets = [f"t{number % 20}" for number in range(RULES)]
        user = await speaker.make_person(["a", *sorted(set(targets))])
        for target in targets:
            await speaker.subscribe(user, "a", f"<./c/a> ~ '' : TELL ./c/{target}, inferred:<./c/a>")
        tells = 0
        began = time.perf_counter()
        for _ in range(max(1, 2 * ground.sizes.long_rounds - 1)):
            await asyncio.gather(*(speaker.tell(user, "a") for _ in range(TELLS_AT_ONCE)))
            tells += TELLS_AT_ONCE
        await speaker.until_evidence(user, tells * (RULES + 1))
        return FiredRules(tells, tells * RULES, time.perf_counter() - began)


class _Speaker:
    """Speaks to the running llum as the owner app of new people."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def make_person(self, components: Sequence[str]) -> str:
        user = f"rules{next(_ids)}"
        await self._do(user, people.making(_definition(components)))
        return user

    async def subscribe(self, user: str, component: str, statement: str) -> None:
        await self._do(user, MakeRule(id=f"{next(_ids)}", context=["c"], component=component, statement=statement))

    async def tell(self, user: str, component: str) -> None:
        await self._do(user, _tell(component, next(_ids)))

    async def settle_s(self, user: str, component: str) -> float:
        """Tell, and give the seconds until all that it sets off has ended."""
        began = time.perf_counter()
        await self._do(user, _tell(component, next(_ids)), settle=True)
        return time.perf_counter() - began

    async def until_evidence(self, user: str, wanted: int) -> None:
        """Wait until the context holds so many pieces of evidence."""
        deadline = time.perf_counter() + DONE_WITHIN_S
        while (found := await self._evidence(user)) < wanted:
            if time.perf_counter() > deadline:
                raise BenchError(f"{found} of {wanted} effects within {DONE_WITHIN_S:g} s")
            await asyncio.sleep(POLL_S)
        if found > wanted:
            raise BenchError(f"{found} effects, {wanted} expected")

    async def _evidence(self, user: str) -> int:
        reply = await self._requests.ask(user, people.APP, GetContext(context=["c"], size=True), DONE_WITHIN_S)
        assert isinstance(reply, ContextReply)
        assert reply.size is not None, "it was asked for"
        return reply.size.evidence

    async def _do(self, user: str, command: Command, *, settle: bool = False) -> None:
        sender = people.sender_of(command)
        outcome = await self._requests.send(user, sender, command, timeout_s=DONE_WITHIN_S, settle=settle)
        if not isinstance(outcome, Accepted):
            raise BenchError(f"refused: {outcome.error.message}")


@asynccontextmanager
async def _speaking(ground: BenchGround) -> AsyncIterator[_Speaker]:
    stage = await ground.stage()
    bus = await Bus.connect(stage.running.nats, name="bench-rules")
    requests = Requests(bus)
    try:
        await requests.start()
        yield _Speaker(requests)
    finally:
        await requests.close()
        await bus.close()


class _Applying:
    """One partition in this process, with one model."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition
        self._seq = 0

    @classmethod
    @asynccontextmanager
    async def opened(cls, path: Path, rules: int) -> AsyncIterator["_Applying"]:
        shard = await Shard.open(path)
        try:
            applying = cls(Partition(0, shard, ActiveModels(10)))
            await applying._make(rules)
            yield applying
        finally:
            await shard.close()

    async def seconds_per_tell(self) -> float:
        """Apply and commit one batch of tells to the component without rules; give this process's time on the CPU."""
        messages = [self._message(_tell("b", number)) for number in range(BATCH)]
        began = time.process_time()
        await self._partition.apply(messages)
        return (time.process_time() - began) / BATCH

    async def _make(self, rules: int) -> None:
        commands: list[Command] = [people.making(_definition(["a", "b"]))]
        statement = "<./c/a> ~ '' : TELL ./c/b, inferred:<./c/a>"
        commands += [
            MakeRule(id=f"s{number}", context=["c"], component="a", statement=statement) for number in range(rules)
        ]
        await self._partition.apply([self._message(command) for command in commands])

    def _message(self, command: Command) -> LogMessage:
        self._seq += 1
        if isinstance(command, Tell):
            command.id = f"t{self._seq}"
        subject = log_subject(0, "alice", people.sender_of(command), verb_of(command))
        return LogMessage(self._seq, FIRST_US + self._seq, 0, subject, encode(command), None)


def _definition(components: Sequence[str]) -> ModelDefinition:
    made = [ComponentDefinition(name=name, value_type="JSON") for name in components]
    return ModelDefinition(contexts=[ContextDefinition(path=["c"], components=made)])


def _tell(component: str, number: int) -> Tell:
    return Tell(id=f"t{number}", context=["c"], component=component, evidence=NewEvidence(value=number))


BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "rules_effects": effects_of_many_rules,
    "rules_commands": commands_of_many_rules,
    "rules_chain": effects_of_a_chain,
    "rules_absent": tell_without_rules,
    "rules_idle": rule_without_effect,
}

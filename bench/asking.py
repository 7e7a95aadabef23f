"""Asks over the bus: throughput, a single ask's time, and what the amount of evidence does to it."""

from collections.abc import Sequence
from statistics import median

from bench import bus_load, people
from bench.bus_load import Aim
from bench.figures import Result, at_least, at_most
from bench.ground import BenchGround
from bench.sizes import IN_FLIGHT
from bench.stage import Stage

ASKS_BAR = 0.6
P50_BAR = 1.6
EVIDENCE_BAR = 1.2

US = 1e6


async def asks(ground: BenchGround) -> Result:
    """Measure asks with 32 in flight, each about another person, and the echo alike."""
    stage = await ground.stage()
    target, echo = await _with_echo(stage, "asks")
    sizes, values, limits = ground.sizes, [], []
    for _ in range(sizes.rounds):
        limits.append(await bus_load.throughput(stage.connection, echo, IN_FLIGHT, sizes.round_s))
        values.append(await bus_load.throughput(stage.connection, target, IN_FLIGHT, sizes.round_s))
    counted = f"default resolver, {IN_FLIGHT} in flight; limit: nats-py request/reply echo with the same bytes"
    return Result(at_least(ASKS_BAR, "asks/s", values, limits), counted)


async def ask_p50(ground: BenchGround) -> Result:
    """Measure one ask after the other, and the echo alike."""
    stage = await ground.stage()
    target, echo = await _with_echo(stage, "p50")
    value, limit = await _medians_in_turn(stage, target, echo)
    return Result(at_most(P50_BAR, "µs", value, limit), "p50 of an ask, one at a time; limit: p50 of the echo")


async def ask_evidence(ground: BenchGround) -> Result:
    """Measure the same ask of two components of one person that differ only in how much evidence they have."""
    stage, sizes = await ground.stage(), ground.sizes
    user = [people.person(0)]
    value, limit = await _medians_in_turn(stage, stage.asks(user, people.MANY), stage.asks(user, people.FEW))
    counted = f"p50 of an ask at {sizes.much_evidence:,} pieces of evidence; limit: at {sizes.little_evidence}"
    return Result(at_most(EVIDENCE_BAR, "µs", value, limit), counted)


async def _with_echo(stage: Stage, name: str) -> tuple[Aim, Aim]:
    target = stage.asks(stage.busy_people())
    return target, await stage.echo(name, await stage.answer_to(target), target.payload)


async def _medians_in_turn(stage: Stage, target: Aim, other: Aim) -> tuple[Sequence[float], Sequence[float]]:
    """Measure both in turn; give each one's medians of the rounds, in microseconds."""
    values: list[float] = []
    limits: list[float] = []
    for _ in range(stage.sizes.rounds):
        for aim, times in ((other, limits), (target, values)):
            times.append(median(await bus_load.latencies(stage.connection, aim, stage.sizes.round_s)) * US)
    return values, limits

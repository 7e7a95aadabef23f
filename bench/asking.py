"""Asks over the bus: throughput, a single ask's time, and what the amount of evidence does to it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from bench import bus_load, people
from bench.bus_load import Aim
from bench.figures import Result, at_least, at_most, costing
from bench.ground import BenchGround, Benchmark
from bench.in_turn import Side, Work, in_turn
from bench.sizes import IN_FLIGHT
from bench.stage import Stage

ASKS_BAR = 0.75
P50_BAR = 1.25
EVIDENCE_BAR = 1.1


async def asks(ground: BenchGround) -> Result:
    """Measure asks with 32 in flight, each about another person, and the echo alike."""
    stage = await ground.stage()
    sides = await _with_echo(stage, "asks", lambda aim: partial(bus_load.throughput, stage.connection, aim, IN_FLIGHT))
    value, limit = await in_turn(stage.sizes.rounds, stage.sizes.round_s, *sides)
    figure = at_least(ASKS_BAR, "asks/s", value.figures, limit.figures)
    counted = f"default resolver, {IN_FLIGHT} in flight; limit: nats-py request/reply echo with the same bytes"
    return Result(costing(figure, value.cpu_us, limit.cpu_us), counted)


async def ask_p50(ground: BenchGround) -> Result:
    """Measure one ask after the other, and the echo alike."""
    stage = await ground.stage()
    counted = "p50 of an ask, one at a time; limit: p50 of the echo"
    return await _times(stage, await _with_echo(stage, "p50", partial(_one_by_one, stage)), P50_BAR, counted)


async def ask_evidence(ground: BenchGround) -> Result:
    """Measure the same ask of two components of one person that differ only in how much evidence they have."""
    stage, sizes = await ground.stage(), ground.sizes
    aims = [stage.asks([people.person(0)], name) for name in (people.MANY, people.FEW)]
    counted = f"p50 of an ask at {sizes.much_evidence:,} pieces of evidence; limit: at {sizes.little_evidence}"
    return await _times(stage, [Side(_one_by_one(stage, aim), stage.spent) for aim in aims], EVIDENCE_BAR, counted)


async def _with_echo(stage: Stage, name: str, working: Callable[[Aim], Work]) -> list[Side]:
    """Aim at llum, and at an echo that answers the same."""
    target = stage.asks(stage.busy_people())
    echo = await stage.echo(name, await stage.answer_to(target), target.payload)
    return [
        Side(working(target), stage.spent),
        Side(working(echo.aim), partial(stage.spent_beside, echo.pid)),
    ]


def _one_by_one(stage: Stage, aim: Aim) -> Work:
    return partial(bus_load.latency, stage.connection, aim)


async def _times(stage: Stage, sides: list[Side], bar: float, counted: str) -> Result:
    value, limit = await in_turn(stage.sizes.rounds, stage.sizes.round_s, *sides)
    figure = at_most(bar, "µs", value.figures, limit.figures)
    return Result(costing(figure, value.cpu_us, limit.cpu_us), counted)


BENCHMARKS: Final[Mapping[str, Benchmark]] = {"ask": asks, "ask_p50": ask_p50, "ask_evidence": ask_evidence}

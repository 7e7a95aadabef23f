"""One busy sender, and another person's tells in the same partition: how long these wait."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

import msgspec

from bench import http_load, people
from bench.figures import Result, absolute, at_most
from bench.ground import BenchGround, Benchmark
from bench.http_load import Lane
from bench.over_http import EXPECTED, TELL
from bench.stage import Stage
from bus.subjects import REPLY_TO_HEADER, command_subject, partition_of
from bus.turns import MAX_UNDER_WAY
from schemas.codec import encode

BAR = 4.0
"""How many times its quiet median the median of the other's tells may be."""

OUTCOME_WITHIN_S = 120.0


class _Pair(NamedTuple):
    """Two people of one partition, by their place among the busy ones."""

    busy: int
    quiet: int


async def tells_beside_a_busy_sender(ground: BenchGround) -> Result:
    """Measure one person's tells over HTTP, one at a time: alone, and while another has as many under way as it may."""
    stage, body = await ground.stage(), msgspec.json.encode(TELL)
    tokens, edge, pair = await stage.tokens(), stage.running.http, _pair(stage)
    busy = [http_load.post(edge, "/tell", body, tokens[pair.busy])] * MAX_UNDER_WAY
    quiet = [http_load.post(edge, "/tell", body, tokens[pair.quiet])]
    alone: list[list[float]] = []
    beside: list[list[float]] = []
    rates: list[float] = []
    async with contextlib.AsyncExitStack() as exits:
        crowd = await exits.enter_async_context(http_load.lanes(edge, busy, EXPECTED))
        (lane,) = await exits.enter_async_context(http_load.lanes(edge, quiet, EXPECTED))
        for _ in range(stage.sizes.slow_rounds):
            alone.append((await _beside(lane, stage.sizes.slow_round_s, ()))[0])
            times, rate = await _beside(lane, stage.sizes.slow_round_s, crowd)
            beside.append(times)
            rates.append(rate)
    figure = at_most(BAR, "µs", [median(times) for times in beside], [median(times) for times in alone])
    counted = (
        f"p50 of one person's tells over HTTP while another of the same partition has {MAX_UNDER_WAY} under way, p99 "
        f"{_p99(beside):.0f} µs, and tells {median(rates):,.0f} times a second; limit: nobody else tells, p99 "
        f"{_p99(alone):.0f} µs"
    )
    return Result(figure, counted)


async def tell_behind_a_backlog(ground: BenchGround) -> Result:
    """Measure how long a tell over the bus waits behind commands of another sender that were stored before it."""
    stage = await ground.stage()
    pair, waits, alone = _pair(stage), [], []
    for number in range(stage.sizes.long_rounds):
        alone.append(await _wait_behind(stage, pair, 0, number))
        waits.append(await _wait_behind(stage, pair, stage.sizes.backlog, number))
    counted = (
        f"one tell over the bus, sent right after {stage.sizes.backlog:,} of one sender in the same partition; "
        f"{median(alone) * 1e3:.1f} ms with none before it"
    )
    return Result(absolute("ms", median(waits) * 1e3), counted)


def _pair(stage: Stage) -> _Pair:
    """Find two busy people whose tells are applied by one partition: among 32 there are always some."""
    by_partition: dict[int, list[int]] = defaultdict(list)
    for number, user in enumerate(stage.busy_people()):
        by_partition[partition_of(user, people.PARTITIONS)].append(number)
    return next(_Pair(*numbers[:2]) for numbers in by_partition.values() if len(numbers) > 1)


async def _beside(lane: Lane, duration_s: float, crowd: Sequence[Lane]) -> tuple[list[float], float]:
    """Send one request after the other for a while, beside a crowd.

    Gives the microseconds that each took, and how many the crowd has sent in a second.
    """
    start = time.perf_counter()
    deadline = start + duration_s
    busy = [asyncio.create_task(each.run(deadline)) for each in crowd]
    times: list[float] = []
    while not times or time.perf_counter() < deadline:
        began = time.perf_counter()
        await lane.run(deadline, at_most=1)
        times.append((time.perf_counter() - began) * 1e6)
    return times, sum(await asyncio.gather(*busy)) / (time.perf_counter() - start)


async def _wait_behind(stage: Stage, pair: _Pair, count: int, number: int) -> float:
    """Give the seconds until the outcome of a tell that was sent right after so many of another sender."""
    connection, users = stage.connection, stage.busy_people()
    inbox = connection.new_inbox()
    subscription = await connection.subscribe(inbox)
    mark = f"backlog-{count}-{number}"
    subject = command_subject(users[pair.busy], people.APP, "tell")
    for each in range(count):
        await connection.publish(subject, encode(people.tell(each, people.component(2), f"{mark}-{each}")))
    began = time.perf_counter()
    subject = command_subject(users[pair.quiet], people.APP, "tell")
    told = encode(people.tell(0, people.component(2), mark))
    await connection.publish(subject, told, headers={REPLY_TO_HEADER: inbox})
    await subscription.next_msg(timeout=OUTCOME_WITHIN_S)
    waited = time.perf_counter() - began
    await subscription.unsubscribe()
    return waited


def _p99(rounds: Sequence[Sequence[float]]) -> float:
    times = sorted(each for one in rounds for each in one)
    return times[len(times) * 99 // 100]


BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "fair_http": tells_beside_a_busy_sender,
    "fair_bus": tell_behind_a_backlog,
}

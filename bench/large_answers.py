"""Whether one client with large answers holds up the small asks of others."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from statistics import quantiles
from typing import Final

import msgspec

from bench import http_load, people
from bench.figures import Result, at_most
from bench.ground import BenchGround, Benchmark
from bench.http_load import Lane
from bench.over_http import ASK, EXPECTED

BAR = 3.0
PERCENTILES = 100

SMALL_CLIENTS = 8
"""Clients with small asks: enough to keep the edge busy, few enough that none waits long for its turn."""

LARGE_ASK = {**ASK, "view": [people.LARGE]}


async def large_answers(ground: BenchGround) -> Result:
    """Measure small asks over HTTP alone, and beside one client that asks for 300 kB again and again."""
    stage = await ground.stage()
    edge, (teller, *others) = stage.running.http, await stage.tokens()
    small = [http_load.post(edge, "/ask", msgspec.json.encode(ASK), token) for token in others[:SMALL_CLIENTS]]
    large = http_load.post(edge, "/ask", msgspec.json.encode(LARGE_ASK), teller)
    alone: list[float] = []
    beside: list[float] = []
    answers: list[int] = []
    async with http_load.lanes(edge, small, EXPECTED) as asking, http_load.lanes(edge, [large], EXPECTED) as loading:
        for _ in range(stage.sizes.rounds):
            alone += await _latencies(asking, stage.sizes.round_s)
            async with _busy(loading[0], answers):
                beside += await _latencies(asking, stage.sizes.round_s)
    counted = (
        f"p99 of small asks over HTTP of {SMALL_CLIENTS} clients beside one that asks for "
        f"{ground.sizes.large_evidence:,} pieces of evidence again and again, {sum(answers)} times; limit: without it"
    )
    return Result(at_most(BAR, "ms", [_p99_ms(beside)], [_p99_ms(alone)]), counted)


async def _latencies(lanes: list[Lane], duration_s: float) -> list[float]:
    """Keep every connection busy for a while, and give the seconds that each ask took."""
    deadline = time.perf_counter() + duration_s
    return [one for times in await asyncio.gather(*(_ask(lane, deadline) for lane in lanes)) for one in times]


async def _ask(lane: Lane, deadline: float) -> list[float]:
    times: list[float] = []
    while len(times) < 2 or time.perf_counter() < deadline:
        began = time.perf_counter()
        await lane.run(deadline, 1)
        times.append(time.perf_counter() - began)
    return times


@contextlib.asynccontextmanager
async def _busy(lane: Lane, answers: list[int]) -> AsyncIterator[None]:
    """Keep one connection busy as long as the block lasts, and then add how many answers came."""
    stop = asyncio.Event()
    asking = asyncio.create_task(_ask_until(lane, stop))
    try:
        yield
    finally:
        stop.set()
        answers.append(await asking)


async def _ask_until(lane: Lane, stop: asyncio.Event) -> int:
    count = await lane.run(0.0, 1)
    while not stop.is_set():
        count += await lane.run(0.0, 1)
    return count


def _p99_ms(times: list[float]) -> float:
    return quantiles(times, n=PERCENTILES, method="inclusive")[-1] * 1000


BENCHMARKS: Final[Mapping[str, Benchmark]] = {"large_answers": large_answers}

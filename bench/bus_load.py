"""The load generator on the bus: a bare nats-py client, whoever answers."""

import asyncio
import time
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from bench.failures import BenchError
from bench.in_turn import US, Turn

ANSWER_WITHIN_S = 60.0
"""Seconds for an answer on a machine that is busy with other things: the figures show what is normal."""


class Aim(NamedTuple):
    """Where requests go, and how every right answer begins."""

    subjects: Sequence[str]
    payload: bytes
    prefix: bytes


async def throughput(connection: Any, target: Aim, in_flight: int, duration_s: float) -> Turn:
    """Keep so many requests under way for a while, and give the answers per second."""
    began = time.perf_counter()
    deadline = began + duration_s
    counts = await asyncio.gather(*(_ask_until(connection, target, lane, deadline) for lane in range(in_flight)))
    return Turn(sum(counts) / (time.perf_counter() - began), sum(counts))


async def latency(connection: Any, target: Aim, duration_s: float) -> Turn:
    """Send one request after the other for a while, and give the median time of one in microseconds."""
    deadline = time.perf_counter() + duration_s
    times: list[float] = []
    while not times or time.perf_counter() < deadline:
        began = time.perf_counter()
        await request(connection, target, len(times))
        times.append(time.perf_counter() - began)
    return Turn(median(times) * US, len(times))


async def request(connection: Any, target: Aim, number: int = 0) -> bytes:
    """Send one request to the target's subject of that number, and see that the answer is a right one."""
    subject = target.subjects[number % len(target.subjects)]
    data: bytes = (await connection.request(subject, target.payload, timeout=ANSWER_WITHIN_S)).data
    if not data.startswith(target.prefix):
        raise BenchError(f"{subject} answered {data[:200]!r}")
    return data


async def _ask_until(connection: Any, target: Aim, lane: int, deadline: float) -> int:
    count = 0
    while not count or time.perf_counter() < deadline:
        await request(connection, target, lane)
        count += 1
    return count

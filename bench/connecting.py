"""Connections to the bus: of apps, which the callout lets in, and of a user that nats-server knows by itself."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from bench.failures import BenchError
from bench.figures import Result, at_least, at_most, costing
from bench.ground import BenchGround, Benchmark
from bench.in_turn import US, Side, Turn, Work, in_turn
from bench.stage import Stage

AT_ONCE: Final = 8
"""Connections that are being made at the same time: an app that comes back is seldom alone."""

Logins = Iterator[Mapping[str, Any]]
"""What is shown at each connect, one after the other."""


async def connect(ground: BenchGround) -> Result:
    """Measure how many connections are made in a second, and what each costs."""
    stage = await ground.stage()
    value, limit = await _in_turn(stage, _throughput)
    figure = at_least(None, "connects/s", value.figures, limit.figures)
    counted = f"connections of apps with tokens, {AT_ONCE} being made at once, to the first PONG; limit: a static user"
    return Result(costing(figure, value.cpu_us, limit.cpu_us), counted)


async def connect_p50(ground: BenchGround) -> Result:
    """Measure one connection after the other."""
    stage = await ground.stage()
    value, limit = await _in_turn(stage, _latency)
    figure = at_most(None, "µs", value.figures, limit.figures)
    counted = "p50 of a connection of an app with a token, one at a time; limit: a static user"
    return Result(costing(figure, value.cpu_us, limit.cpu_us), counted)


async def _in_turn(stage: Stage, working: Callable[[str, Logins], Work]) -> Sequence[Any]:
    url = stage.running.nats
    apps = itertools.cycle([{"auth_token": token} for token in await stage.tokens()])
    sides = [Side(working(url, logins), stage.spent) for logins in (apps, itertools.repeat(_login_in(url)))]
    return await in_turn(stage.sizes.rounds, stage.sizes.round_s, *sides)


def _throughput(url: str, logins: Logins) -> Work:
    async def work(seconds: float) -> Turn:
        began = time.perf_counter()
        counts = await asyncio.gather(*(_until(began + seconds, url, logins) for _ in range(AT_ONCE)))
        total = sum(map(len, counts))
        return Turn(total / (time.perf_counter() - began), total)

    return work


def _latency(url: str, logins: Logins) -> Work:
    async def work(seconds: float) -> Turn:
        times = await _until(time.perf_counter() + seconds, url, logins)
        return Turn(median(times) * US, len(times))

    return work


async def _until(end: float, url: str, logins: Logins) -> list[float]:
    """Connect until then, once at least, and give the seconds that each took."""
    times: list[float] = []
    while not times or time.perf_counter() < end:
        began = time.perf_counter()
        await _connect(url, next(logins))
        times.append(time.perf_counter() - began)
    return times


async def _connect(url: str, login: Mapping[str, Any]) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        await reader.readline()
        writer.write(b"CONNECT %b\r\nPING\r\n" % msgspec.json.encode({"verbose": False, **login}))
        answer = await reader.readline()
        if answer != b"PONG\r\n":
            raise BenchError(f"nats-server lets nobody in: {answer[:80]!r}")
    finally:
        writer.close()


def _login_in(url: str) -> Mapping[str, Any]:
    parts = urlsplit(url)
    return {"user": unquote(parts.username or ""), "pass": unquote(parts.password or "")}


BENCHMARKS: Final[Mapping[str, Benchmark]] = {"connect": connect, "connect_p50": connect_p50}

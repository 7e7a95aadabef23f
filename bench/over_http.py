"""Asks and tells over HTTP, against bare aiohttp handlers that do what physics asks for and nothing else."""

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec

from bench import http_load, people
from bench.accounting import Spent
from bench.figures import Result, at_least, costing
from bench.ground import BenchGround, Benchmark
from bench.in_turn import Side, in_turn
from bench.sizes import IN_FLIGHT
from bench.stage import Stage

ASKS_BAR = 0.75
TELLS_BAR = 0.75
EXPECTED = b'{"result":"ok"'
ANYTHING = b""

VALUE = "what a sensor saw"

ASK = {"version": "11.2", "modelname": "-", "context": people.CONTEXT, "view": [people.component(0)]}
TELL = {
    "version": "11.2",
    "modelname": "-",
    "context": people.CONTEXT,
    "componentid": people.component(1),
    "evidence": {"evidence_type": "explicit", "value": VALUE},
}


async def http_ask(ground: BenchGround) -> Result:
    """Measure asks over HTTP with 32 in flight, and a handler that makes one request to an echo."""
    stage, body = await ground.stage(), msgspec.json.encode(ASK)
    answer = await stage.answer_to(stage.asks(stage.busy_people()))
    echo = await stage.echo("ask", answer, body)
    handler = await stage.program("plain_http")
    limit = _Handler(handler.said["url"], "/ask", body, partial(stage.spent_beside, handler.pid, echo.pid))
    counted = f"{IN_FLIGHT} in flight; limit: bare aiohttp handler with one NATS echo request, same bodies"
    return await _compare(stage, limit, ASKS_BAR, counted)


async def http_tell(ground: BenchGround) -> Result:
    """Measure tells over HTTP with 32 in flight, and a handler that has a bare consumer of synced streams answer."""
    stage, body = await ground.stage(), msgspec.json.encode(TELL)
    consumer = await stage.program("durable_consumer")
    handler = await stage.program("durable_http", *consumer.said["subjects"])
    limit = _Handler(handler.said["url"], "/tell", body, partial(stage.spent_beside, handler.pid, consumer.pid))
    counted = (
        f"{IN_FLIGHT} in flight; limit: bare aiohttp handler, one publish into synced streams configured like the "
        "log's, a bare consumer that answers the inbox"
    )
    return await _compare(stage, limit, TELLS_BAR, counted, stage.sizes.lag_s)


class _Handler(msgspec.Struct):
    """The handler that llum is compared with."""

    url: str
    path: str
    body: bytes
    spent: Callable[[], Spent]


async def _compare(stage: Stage, limit: _Handler, bar: float, counted: str, lag_s: float = 0.0) -> Result:
    """Measure llum's operation and the handler, which get the same body."""
    edge, tokens, sizes = stage.running.http, await stage.tokens(), stage.sizes
    rounds, round_s = (sizes.slow_rounds, sizes.slow_round_s) if lag_s else (sizes.rounds, sizes.round_s)
    ours = [http_load.post(edge, limit.path, limit.body, token) for token in tokens]
    theirs = [http_load.post(limit.url, limit.path, limit.body)] * IN_FLIGHT
    async with contextlib.AsyncExitStack() as exits:
        llum = await exits.enter_async_context(http_load.lanes(edge, ours, EXPECTED))
        bare = await exits.enter_async_context(http_load.lanes(limit.url, theirs, ANYTHING))
        side = Side(partial(http_load.throughput, llum), stage.spent, lag_s, lag_s)
        other = Side(partial(http_load.throughput, bare), limit.spent)
        value, least = await in_turn(rounds, round_s, side, other)
    figure = at_least(bar, f"{limit.path[1:]}s/s", value.figures, least.figures)
    return Result(costing(figure, value.cpu_us, least.cpu_us), counted)


BENCHMARKS: Final[Mapping[str, Benchmark]] = {"http_ask": http_ask, "http_tell": http_tell}

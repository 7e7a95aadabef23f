"""Asks and tells over HTTP, against a bare aiohttp handler that makes one request to an echo."""

import contextlib
import functools

import msgspec

from bench import http_load, people
from bench.figures import Result, at_least
from bench.ground import BenchGround
from bench.sizes import IN_FLIGHT
from bench.stage import Stage
from schemas.codec import encode
from schemas.replies import Accepted

HTTP_BAR = 0.5
EXPECTED = b'{"result":"ok"'

ASK = {"version": "11.2", "modelname": "-", "context": people.CONTEXT, "view": [people.component(0)]}
TELL = {
    "version": "11.2",
    "modelname": "-",
    "context": people.CONTEXT,
    "componentid": people.component(1),
    "evidence": {"evidence_type": "explicit", "value": "what a sensor saw"},
}


async def http_ask(ground: BenchGround) -> Result:
    """Measure asks over HTTP with 32 in flight."""
    stage = await ground.stage()
    answer = await stage.answer_to(stage.asks(stage.busy_people()))
    return await _compare(stage, "ask", msgspec.json.encode(ASK), answer)


async def http_tell(ground: BenchGround) -> Result:
    """Measure tells over HTTP with 32 in flight, each acknowledged when it is applied."""
    stage = await ground.stage()
    return await _compare(stage, "tell", msgspec.json.encode(TELL), encode(Accepted(id="0" * 32, seq=100_000)))


async def _compare(stage: Stage, op: str, body: bytes, answer: bytes) -> Result:
    """Measure llum's operation, and the bare handler with the same body and an echo of what the worker answers."""
    await stage.echo(op, answer, body)
    edge, plain = stage.running.http, await stage.plain_http()
    ours = [http_load.post(edge, f"/{op}", body, token) for token in await stage.tokens()]
    theirs = [http_load.post(plain, f"/{op}", body)] * IN_FLIGHT
    values: list[float] = []
    limits: list[float] = []
    async with contextlib.AsyncExitStack() as exits:
        llum = await exits.enter_async_context(http_load.lanes(edge, ours, EXPECTED))
        bare = await exits.enter_async_context(http_load.lanes(plain, theirs, answer[:10]))
        measure = functools.partial(http_load.throughput, duration_s=stage.sizes.round_s)
        for _ in range(stage.sizes.rounds):
            limits.append(await measure(bare))
            values.append(await measure(llum))
    counted = f"{IN_FLIGHT} in flight; limit: bare aiohttp handler with one NATS echo request, same bodies"
    return Result(at_least(HTTP_BAR, f"{op}s/s", values, limits), counted)

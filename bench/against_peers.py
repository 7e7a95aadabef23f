"""llum over HTTP, and what most teams would build instead: a table in PostgreSQL and an endpoint (`bench/peers`)."""

import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from bench import http_load, over_http
from bench.figures import Result, at_least, costing
from bench.ground import BenchGround, Benchmark
from bench.in_turn import Side, in_turn
from bench.peers.endpoints import CHECKED, PLAIN, Endpoints

PEER_BAR: Final = 1.0

DOES: Final = {
    PLAIN: "a table in PostgreSQL and an aiohttp endpoint",
    CHECKED: "the same with unique keys, types, permissions and a log line",
}


def _against(which: str, op: str, connections: int, bar: float | None) -> Benchmark:
    """Measure llum's operation and an endpoint's, over so many connections, each with a person of its own."""

    async def measure(ground: BenchGround) -> Result:
        stage = await ground.stage()
        tokens = dict(zip(stage.busy_people(), await stage.tokens(), strict=True))
        peers = await ground.shared("peers", partial(Endpoints.opened, tokens))
        theirs = peers.requests(which, op)[:connections]
        body = msgspec.json.encode({"ask": over_http.ASK, "tell": over_http.TELL}[op])
        edge = stage.running.http
        ours = [http_load.post(edge, f"/{op}", body, token) for token in tokens.values()][:connections]
        async with contextlib.AsyncExitStack() as exits:
            llum = await exits.enter_async_context(http_load.lanes(edge, ours, over_http.EXPECTED))
            peer = await exits.enter_async_context(http_load.lanes(peers.url(which), theirs, over_http.EXPECTED))
            lag_s = stage.sizes.lag_s if op == "tell" else 0.0
            side = Side(partial(http_load.throughput, llum), stage.spent, lag_s, lag_s)
            other = Side(partial(http_load.throughput, peer), partial(peers.spent, which))
            value, limit = await in_turn(stage.sizes.slow_rounds, stage.sizes.slow_round_s, side, other)
        figure = at_least(bar, f"{op}s/s", value.figures, limit.figures)
        counted = f"{connections} connections; peer: {DOES[which]}"
        return Result(costing(figure, value.cpu_us, limit.cpu_us), counted)

    return measure


BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "peer_tell_8": _against(PLAIN, "tell", 8, PEER_BAR),
    "peer_tell_32": _against(PLAIN, "tell", 32, PEER_BAR),
    "peer_ask_8": _against(PLAIN, "ask", 8, PEER_BAR),
    "peer_ask_32": _against(PLAIN, "ask", 32, PEER_BAR),
    "peer_checked_tell_32": _against(CHECKED, "tell", 32, None),
    "peer_checked_ask_32": _against(CHECKED, "ask", 32, None),
}

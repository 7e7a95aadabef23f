"""Preferences over HTTP against what physics asks for: `python -m bench.preferences [SECONDS]`.

With bodies of 10 and of 200 terms, over 1 and 8 connections: a GET in the ontology in which it was put and in another
one, beside a bare handler that makes one request to an echo of the same bytes; a PUT of other values each time, and a
POST, beside a bare handler that has a bare consumer of synced streams answer, with the same bytes. Each line has the
rate, its ratio to the limit, and the CPU time of an operation above the limit's, for each term. Nothing of it is part
of `make bench`.
"""

import asyncio
import contextlib
import itertools
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit
from urllib.request import urlopen

import msgspec

from bench import accounting, http_load
from bench.accounting import Spent, named, tree
from bench.http_load import Request
from bench.in_turn import Measured, Side, in_turn
from bench.processes import llum_up, program
from bench.stage import NATS_SERVER
from llum.running import Running

CONNECTIONS: Final = (1, 8)
TERMS: Final = (10, 200)
ROUNDS: Final = 5
LAG_S: Final = 1.2
KEYS: Final = 32
"""Keys that a connection puts under in turn, so that all streams of the log are used: the limit uses them in turn."""
COMMON: Final = "http://registry.gpii.net/common/"
KNOWN: Final = ("fontSize", "cursorSize", "highContrast/enabled", "magnification", "tracking")
"""Terms that other ontologies have, too."""


class Limit(NamedTuple):
    """A bare handler that gets the same body."""

    url: str
    path: str
    pids: tuple[int, ...]


class MeasuredPath(NamedTuple):
    """What is measured: its name, a request for each connection, and its limit."""

    name: str
    requests: list[Request]
    limit: Limit
    body: bytes
    lag_s: float = 0.0


async def main(round_s: float) -> None:
    """Measure all of it."""
    with tempfile.TemporaryDirectory(prefix="llum-bench-") as folder:
        async with contextlib.AsyncExitStack() as exits:
            started = llum_up(Path(folder) / "data", preferences_open="1")
            running, _ = await exits.enter_async_context(started)
            consumer = await exits.enter_async_context(program("programs.durable_consumer", running.nats))
            subjects = consumer.said["subjects"]
            durable = await exits.enter_async_context(program("programs.durable_http", running.nats, *subjects))
            limit = Limit(durable.said["url"], "/tell", (durable.pid, consumer.pid))
            for terms in TERMS:
                echoed = await _echoed(exits, running, Path(folder), terms)
                await asyncio.to_thread(_fill, running, terms)
                for count in CONNECTIONS:
                    for work in _works(running, terms, count, echoed, limit):
                        print(await _measured(running, work, terms, count, round_s), flush=True)


def body_of(terms: int, value: int) -> bytes:
    """Make a body of so many terms, of which other ontologies know a few."""
    named_terms = [*KNOWN, *(f"bench{number:03}" for number in range(terms))][:terms]
    preferences: dict[str, Any] = {COMMON + name: value + number for number, name in enumerate(named_terms)}
    preferences[COMMON + "highContrast/enabled"] = value % 2 == 0
    preferences[COMMON + "tracking"] = ["focus"]
    preferences[COMMON + "magnification"] = 1 + value % 7
    preferences[COMMON + "fontSize"] = 8 + value % 24
    preferences[COMMON + "cursorSize"] = value % 2
    return msgspec.json.encode({"contexts": {"gpii-default": {"preferences": preferences}}})


async def _echoed(exits: contextlib.AsyncExitStack, running: Running, folder: Path, terms: int) -> dict[str, Limit]:
    """Put a body, and have an echo give the answers to each GET of it."""
    await asyncio.to_thread(_send, running, "PUT", f"/preferences/bench{terms}", body_of(terms, 2))
    names = {view: f"{view}{terms}" for view in ("flat", "ISO24751")}
    files = {view: folder / f"{name}.answer" for view, name in names.items()}
    for view, file in files.items():
        file.write_bytes(await asyncio.to_thread(_send, running, "GET", f"/preferences/bench{terms}?view={view}"))
    subjects = [f"bench.echo.{names[view]}={files[view]}" for view in names]
    echo = await exits.enter_async_context(program("programs.echo", running.nats, *subjects))
    handler = await exits.enter_async_context(program("programs.plain_http", running.nats))
    return {view: Limit(handler.said["url"], f"/{name}", (handler.pid, echo.pid)) for view, name in names.items()}


def _fill(running: Running, terms: int) -> None:
    """Make the safes that are put into."""
    for lane, key in itertools.product(range(max(CONNECTIONS)), range(KEYS)):
        _send(running, "PUT", f"/preferences/bench{terms}-{lane}-{key}", body_of(terms, 2))


def _send(running: Running, method: str, path: str, body: bytes | None = None) -> bytes:
    from urllib.request import Request as HttpRequest

    headers = {"Content-Type": "application/json"}
    with urlopen(HttpRequest(f"{running.http}{path}", body, headers, method=method)) as answer:  # noqa: S310 - our own
        content: bytes = answer.read()
        return content


def _works(
    running: Running, terms: int, count: int, echoed: dict[str, Limit], durable: Limit
) -> Iterator[MeasuredPath]:
    path, body = f"/preferences/bench{terms}", body_of(terms, 2)
    for name, view in (("get_same", "flat"), ("get_other", "ISO24751")):
        request = _request(running, "GET", f"{path}?view={view}", b"")
        yield MeasuredPath(name, [request] * count, echoed[view], b"{}")
    puts: list[Request] = [
        (
            _request(running, "PUT", f"{path}-{lane}-{value % KEYS}", body_of(terms, value))
            for value in itertools.count(3)
        )
        for lane in range(count)
    ]
    yield MeasuredPath("put", puts, durable, body, LAG_S)
    yield MeasuredPath("post", [_request(running, "POST", "/preferences", body)] * count, durable, body, LAG_S)


def _request(running: Running, method: str, path: str, body: bytes) -> bytes:
    head = [
        f"{method} {path} HTTP/1.1",
        f"Host: {urlsplit(str(running.http)).netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


async def _measured(running: Running, work: MeasuredPath, terms: int, count: int, round_s: float) -> str:
    theirs = [http_load.post(work.limit.url, work.limit.path, work.body)] * count
    edge = str(running.http)
    async with http_load.lanes(edge, work.requests, b"{") as ours, http_load.lanes(work.limit.url, theirs, b"") as bare:
        side = Side(
            partial(http_load.throughput, ours), lambda: accounting.spent(tree(running.pid)), work.lag_s, work.lag_s
        )
        pids = (*named(tree(running.pid), NATS_SERVER), *work.limit.pids)
        other = Side(partial(http_load.throughput, bare), lambda: accounting.spent([*pids]))
        llum, least = await in_turn(ROUNDS, round_s, side, other)
    return _line(work.name, terms, count, llum, least)


def _line(name: str, terms: int, count: int, llum: Measured, least: Measured) -> str:
    """Give the figures of one operation; the ratio is the median of those of the rounds."""
    ratio = median(ours / theirs for ours, theirs in zip(llum.figures, least.figures, strict=True))
    above = _sum(llum.cpu_us) - _sum(least.cpu_us)
    worker = llum.cpu_us.get("worker", 0.0)
    return (
        f"{name:<9} {terms:>3} terms, {count} connections: {median(llum.figures):>7,.0f}/s, ratio {ratio:.2f} of "
        f"{median(least.figures):,.0f}/s; CPU {above:,.0f} µs above the limit, {above / terms:.1f} a term; "
        f"of the worker {worker:,.0f} µs"
    )


def _sum(cost: Spent) -> float:
    return sum(cost.values())


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))

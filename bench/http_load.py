"""The load generator over HTTP: as little work per request as Python allows, for it shares the machine with what it
measures. Each connection is kept alive and has one request under way.
"""

import asyncio
import contextlib
import functools
import itertools
import math
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import cast
from urllib.parse import urlsplit

from bench.failures import BenchError
from bench.in_turn import Turn

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


Request = bytes | Iterator[bytes]
"""What a connection sends: always the same bytes, or others each time."""


class Lane(asyncio.Protocol):
    """One connection that sends one request after the other, until the deadline or so many times."""

    def __init__(self, request: Request, expected: bytes) -> None:
        self._requests = itertools.repeat(request) if isinstance(request, bytes) else request
        self._expected = expected
        self._buffer = b""
        self._count = 0
        self._deadline = 0.0
        self._at_most = math.inf
        self._done: asyncio.Future[int] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports can write, but are no instances of asyncio's.
        self._transport = cast(asyncio.WriteTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the server closed the connection: {exc}")

    async def run(self, deadline: float, at_most: float = math.inf) -> int:
        """Send until the deadline or so many times, and give how many right answers came."""
        assert self._transport is not None
        self._count, self._deadline, self._at_most = 0, deadline, at_most
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(next(self._requests))
        return await self._done

    def close(self) -> None:
        self._done = None
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head_end)
        if length is None:
            self._fail(f"an answer without a length: {self._buffer[:200]!r}")
        elif len(self._buffer) >= head_end + 4 + int(length[1]):
            self._answered(self._buffer, head_end + 4)

    def _answered(self, answer: bytes, body_at: int) -> None:
        self._buffer = b""
        if not answer.startswith(b"HTTP/1.1 200 ") or not answer.startswith(self._expected, body_at):
            self._fail(f"answered {answer[:300]!r}")
            return
        self._count += 1
        if self._count < self._at_most and time.perf_counter() < self._deadline:
            assert self._transport is not None
            self._transport.write(next(self._requests))
        elif self._done is not None and not self._done.done():
            self._done.set_result(self._count)

    def _fail(self, message: str) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(BenchError(message))


@contextlib.asynccontextmanager
async def lanes(url: str, requests: Sequence[Request], expected: bytes) -> AsyncIterator[list[Lane]]:
    """Open a connection for each of the requests. A right answer's body begins with `expected`."""
    where, loop = urlsplit(url), asyncio.get_running_loop()
    assert where.hostname is not None
    assert where.port is not None
    made: list[Lane] = []
    try:
        for request in requests:
            make = functools.partial(Lane, request, expected)
            made.append((await loop.create_connection(make, where.hostname, where.port))[1])
        yield made
    finally:
        for lane in made:
            lane.close()


async def throughput(connections: Sequence[Lane], duration_s: float) -> Turn:
    """Keep every connection busy for a while, and give the answers per second."""
    began = time.perf_counter()
    counts = await asyncio.gather(*(lane.run(began + duration_s) for lane in connections))
    return Turn(sum(counts) / (time.perf_counter() - began), sum(counts))


def post(url: str, path: str, body: bytes, token: str | None = None, key: str | None = None) -> bytes:
    """Write a request as it goes over the wire."""
    head = [
        f"POST {path} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *([f"Authorization: Bearer {token}"] if token else []),
        *([f"Idempotency-Key: {key}"] if key else []),
    ]
    return "\r\n".join([*head, "", ""]).encode() + body

"""Streams of a new nats-server, asked for before anything is imported that speaks to it.

To make them takes the disk's time, a tenth of a second and more. `llum up` asks as soon as its nats-server answers, and
worker and edge import meanwhile. What the installation is, and streams that depend on it, the worker makes: it finds
these there, or makes what is missing.
"""

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from bus.streams import bucket_stream, own_streams, wanted_of
from bus.subjects import INSTALLATION_BUCKET

_REPLIES: Final = "_INBOX.early"

_REPLICAS: Final = 1
"""Of a server that is alone."""


async def make_early(url: str, within_s: float = 10.0) -> None:
    """Ask for them, and return when each has been answered, whatever was said of it. `url` holds a login.

    Raises `OSError`, `EOFError`, `TimeoutError` when the connection breaks or is not answered.
    """
    address = urlsplit(url)
    async with asyncio.timeout(within_s):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            streams = [bucket_stream(INSTALLATION_BUCKET), *own_streams()]
            writer.write(_hello(address.username, address.password) + b"".join(map(_request, streams)))
            for _ in streams:
                await _next_answer(reader)
        finally:
            writer.close()


def _hello(user: str | None, password: str | None) -> bytes:
    login = {"user": user, "pass": password, "verbose": False, "pedantic": False, "name": "llum-up"}
    return b"CONNECT %b\r\nSUB %b 1\r\n" % (msgspec.json.encode(login), _REPLIES.encode())


def _request(stream: dict[str, Any]) -> bytes:
    body = msgspec.json.encode(wanted_of(stream, _REPLICAS))
    return b"PUB $JS.API.STREAM.CREATE.%b %b %d\r\n%b\r\n" % (
        stream["name"].encode(),
        _REPLIES.encode(),
        len(body),
        body,
    )


async def _next_answer(reader: asyncio.StreamReader) -> None:
    """Read as far as the end of the next message: `MSG <subject> <sid> <bytes>`, and so many bytes."""
    while not (line := await reader.readline()).startswith(b"MSG "):
        if not line or line.startswith(b"-ERR"):
            raise EOFError(line.decode("utf-8", "replace").strip())
    await reader.readexactly(int(line.split()[-1]) + len(b"\r\n"))

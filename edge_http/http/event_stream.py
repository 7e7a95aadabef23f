"""Server-sent events: an answer that goes on, to a reader who may stop to read at any moment, or go."""

import asyncio
from typing import Any, Final, NoReturn

import msgspec
from aiohttp import hdrs, web
from aiohttp.http import HttpVersion11

from edge_http.http import cors
from edge_http.http.errors import members_of
from edge_http.http.observe import TRACE
from edge_http.http.responses import REQUEST_ID
from schemas.errors import Code, Error

WRITE_WITHIN_S: Final = 20.0
"""Seconds that a reader may take nothing while more waits than the connection holds."""

GONE_WITHIN_S: Final = 30.0
"""Seconds that a reader who was cut off has to take the last words."""

COME_BACK_MS: Final = 3000
"""Milliseconds after which a browser connects anew when the stream breaks."""

TOO_SLOW: Final = Error(
    Code.TOO_SLOW,
    "what was to be told came faster than you take it",
    hint="connect anew, with the header Last-Event-ID",
)

HEADERS: Final = {
    hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Content-Type-Options": "nosniff",
    # Proxies that keep an answer until it is whole would keep this one for ever.
    "X-Accel-Buffering": "no",
}


class ReaderGone(Exception):  # noqa: N818 - it is no error
    """The reader has gone, or was cut off: nothing more can be sent."""


class EventStream:
    """What one reader is told. Make it with `begin`."""

    def __init__(self, request: web.Request) -> None:
        self.response = web.StreamResponse(headers=HEADERS)
        self._request = request

    @classmethod
    async def begin(cls, request: web.Request, seq: int) -> "EventStream":
        """Send the head, and the place in the log from which on changes are told. Raises `ReaderGone`."""
        stream = cls(request)
        trace, origin = request[TRACE], request.headers.get(hdrs.ORIGIN)
        if origin is not None:
            # The head goes now; of other answers this is done at the end.
            cors.let_read(stream.response, origin, trace.own_origins())
        stream.response.headers[REQUEST_ID] = trace.request_id
        await stream.response.prepare(request)
        await stream._write(b"retry: %d\nid: %d\n\n" % (COME_BACK_MS, seq))
        return stream

    async def send(self, kind: str, data: Any, seq: int) -> None:
        """Send an event. Raises `ReaderGone`."""
        await self._write(b"id: %d\n%b" % (seq, _event(kind, data)))

    async def beat(self, seq: int) -> None:
        """Send what is no event: that the stream is alive, and how far it has got. Raises `ReaderGone`."""
        await self._write(b"id: %d\n: nothing new\n\n" % seq)

    async def end(self, error: Error) -> NoReturn:
        """Say why nothing more comes. Raises `ReaderGone`."""
        await self._write(_end(error))
        raise ReaderGone

    async def cut_off(self) -> NoReturn:
        """Say that the reader is too slow, and wait no longer for them. Raises `ReaderGone`."""
        transport = self._request.transport
        if transport is not None:
            last = _end(TOO_SLOW)
            transport.write(_as_chunk(last) if self._request.version >= HttpVersion11 else last)
            transport.close()
            asyncio.get_running_loop().call_later(GONE_WITHIN_S, transport.abort)
        raise ReaderGone

    async def _write(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(WRITE_WITHIN_S):
                await self.response.write(data)
        except TimeoutError:
            await self.cut_off()
        except ConnectionError:
            raise ReaderGone from None


def _event(kind: str, data: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(data))


def _end(error: Error) -> bytes:
    return _event("end", {"error": members_of(error)})


def _as_chunk(data: bytes) -> bytes:
    """Write what the connection would have written: past its buffer, which waits for the reader."""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)

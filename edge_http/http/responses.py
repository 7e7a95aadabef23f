"""JSON responses, each with the security headers."""

import functools
import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import Final

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict, istr

JSON_HEADERS: Final = CIMultiDict(
    {
        "Content-Type": "application/json",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Server": "llum",
    }
)

REQUEST_ID: Final = istr("X-Request-Id")
"""The header that names a request, as the log does."""


BODY_END: Final = b"\n"
"""What each body ends with: it keeps a terminal in order."""


class QuickResponse(web.Response):
    """A response of status 200 with no other headers than those above: its head is made here, and sent with the body.

    aiohttp takes five times as long for a head. It still makes that of whoever wants something unusual.
    """

    _sent = False

    def __init__(self, body: bytes) -> None:
        super().__init__(body=body, headers=JSON_HEADERS)
        self._content = body

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send head and body. Raises `ConnectionError`."""
        if self._is_unusual(request):
            return await super().prepare(request)
        self._sent = True
        writer = request.writer
        parts = (self.headers[REQUEST_ID].encode(), len(self._content), self._content)
        await writer.write(_head(int(time.time())) % parts)
        await writer.drain()
        return writer

    def _is_unusual(self, request: web.BaseRequest) -> bool:
        headers = self.headers
        is_usual = len(headers) == len(JSON_HEADERS) + 1 and REQUEST_ID in headers and request.method != hdrs.METH_HEAD
        return not is_usual or request.version != HttpVersion11 or not request.keep_alive

    async def write_eof(self, data: bytes = b"") -> None:
        """End the response."""
        if not self._sent:
            await super().write_eof(data)

    @property
    def keep_alive(self) -> bool | None:
        """Tell whether the connection stays open."""
        return self._sent or super().keep_alive


def json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Make a response from encoded JSON."""
    body += BODY_END
    if status == 200 and not headers:
        return QuickResponse(body)
    response = web.Response(body=body, status=status, headers=JSON_HEADERS)
    if headers:
        response.headers.update(headers)
    return response


@functools.lru_cache(maxsize=1)
def _head(second: int) -> bytes:
    """Write the head as it is in one second, with places for the request's id, the length and the body."""
    fixed = "".join(f"{name}: {value}\r\n" for name, value in JSON_HEADERS.items())
    date = formatdate(second, usegmt=True)
    return f"HTTP/1.1 200 OK\r\n{fixed}Date: {date}\r\n{REQUEST_ID}: %b\r\nContent-Length: %d\r\n\r\n%b".encode()

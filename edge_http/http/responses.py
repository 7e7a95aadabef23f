"""JSON responses, each with the security headers."""

import functools
import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import ClassVar, Final

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpVersion11
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


SEQ: Final = istr("Llum-Seq")
"""The header of the answer to a request that has written: the sequence by which that is applied."""

BODY_END: Final = b"\n"
"""What each body ends with: it keeps a terminal in order."""


class QuickResponse(web.Response):
    """A response of status 200 with the headers above and those given: its head is made here, and sent with the body.

    aiohttp takes five times as long for a head. It still makes that of whoever wants something unusual.
    """

    FIXED: ClassVar[CIMultiDict[str]] = JSON_HEADERS
    """What each response of this kind says, in one order."""

    _sent = False

    def __init__(self, body: bytes, further: Mapping[str, str] | None = None) -> None:
        super().__init__(body=body, headers=self.FIXED)
        self._content = body
        self._further = b""
        self._headers_of_ours = len(self.FIXED) + 1
        if further:
            self.headers.update(further)
            self._further = "".join([f"{name}: {value}\r\n" for name, value in further.items()]).encode()
            self._headers_of_ours += len(further)

    def add(self, name: str, value: str) -> None:
        """Have a further header sent, the quick way."""
        self.headers[name] = value
        self._further += f"{name}: {value}\r\n".encode()
        self._headers_of_ours += 1

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send head and body. Raises `ConnectionError`."""
        if self._is_unusual(request):
            return await super().prepare(request)
        self._sent = True
        writer = request.writer
        await writer.write(quick_response(self.headers[REQUEST_ID], self._further, self._content, type(self)))
        await writer.drain()
        return writer

    def _is_unusual(self, request: web.BaseRequest) -> bool:
        headers = self.headers
        is_usual = len(headers) == self._headers_of_ours and REQUEST_ID in headers and request.method != hdrs.METH_HEAD
        return not is_usual or request.version != HttpVersion11 or not request.keep_alive

    async def write_eof(self, data: bytes = b"") -> None:
        """End the response."""
        if not self._sent:
            await super().write_eof(data)

    @property
    def keep_alive(self) -> bool | None:
        """Tell whether the connection stays open."""
        return self._sent or super().keep_alive


def quick_response(request_id: str, further: bytes, body: bytes, kind: type[QuickResponse] = QuickResponse) -> bytes:
    """Write a whole response of status 200. `further` has the lines of further headers."""
    return _head(kind, int(time.time())) % (request_id.encode(), further, len(body), body)


def json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Make a response from encoded JSON."""
    body += BODY_END
    if status == 200 and not headers:
        return QuickResponse(body)
    response = web.Response(body=body, status=status, headers=JSON_HEADERS)
    if headers:
        response.headers.update(headers)
    return response


def say_seq(response: web.StreamResponse, seq: int) -> None:
    """Say by which sequence what a request has written is applied."""
    if isinstance(response, QuickResponse):
        response.add(SEQ, str(seq))
    else:
        response.headers[SEQ] = str(seq)


def seq_line(seq: int) -> bytes:
    """Write the same as the line of a header."""
    return f"{SEQ}: {seq}\r\n".encode()


@functools.lru_cache(maxsize=2)
def _head(kind: type[QuickResponse], second: int) -> bytes:
    """Write the head as it is in one second, with places for the request's id, further headers, length and body."""
    fixed = "".join(f"{name}: {value}\r\n" for name, value in kind.FIXED.items())
    date = formatdate(second, usegmt=True)
    return f"HTTP/1.1 200 OK\r\n{fixed}Date: {date}\r\n{REQUEST_ID}: %b\r\n%bContent-Length: %d\r\n\r\n%b".encode()

"""Requests that are answered without a task, a coroutine or a request of aiohttp's: most tells and asks.

A face says for which paths it does that (`QUICK`). Its function is called as soon as the request is there. It sends
what is to be sent, and when the answer comes, a call back writes the response. The function takes a request only if
nothing about it is unusual, and raises or gives False before anything is sent: then the request goes the way of all.
Where the answer is unusual, such as a refusal, the face gives a handler that knows it, and that goes on the same way.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from aiohttp import hdrs, web
from aiohttp.http import HttpVersion11, RawRequestMessage
from aiohttp.streams import StreamReader
from multidict import CIMultiDictProxy

from bus import lines
from bus.lines import LoggedRequest
from edge_http.http.known_heads import KnownHead
from edge_http.http.observe import CLIENT_GONE, HttpHandler, new_id, observed
from edge_http.http.responses import quick_response

MAX_QUICK_BYTES: Final = 64 * 1024
"""Bytes of a body that is decoded before others have their turn."""

_UNUSUAL: Final = (hdrs.EXPECT, hdrs.ORIGIN, hdrs.COOKIE)
"""Headers of requests that are not taken: who sends them wants more than one answer needs."""


class AnswersQuickly(Protocol):
    """The part of a connection that is used here."""

    def answer_quickly(self, response: bytes) -> None:
        """Send the response to what was begun, if the client is still there."""

    def answer_by(self, handler: Callable[[Any], Awaitable[web.StreamResponse]]) -> None:
        """Have a task answer what was begun."""


class QuickRequest:
    """One such request while it is under way."""

    __slots__ = ("_connection", "_edge", "_is_over", "_started", "app", "body", "head", "headers", "op", "path", "user")

    def __init__(self, connection: AnswersQuickly, edge: web.Application, head: KnownHead, body: bytes) -> None:
        message = head.message
        self._started = time.perf_counter()
        self._connection = connection
        self._edge = edge
        self._is_over = False
        self.head = head
        self.path = message.path
        self.headers: CIMultiDictProxy[str] = message.headers
        self.body = body
        self.user: str | None = None
        self.app: str | None = None
        self.op: str | None = None

    def answer(self, body: bytes, further: bytes = b"") -> None:
        """Send a response of status 200 with this JSON. `further` has the lines of further headers."""
        if self._is_over:
            return
        request_id = new_id()
        self._write_line(request_id, 200, len(body))
        self._connection.answer_quickly(quick_response(request_id, further, body))

    def go_on(self, handler: HttpHandler) -> None:
        """Have the request answered the way of all, but by this handler."""
        if self._is_over:
            return

        async def handle(request: web.Request) -> web.StreamResponse:
            return await observed(request, handler, self._edge, self.path, self._started)

        self._connection.answer_by(handle)

    def give_up(self) -> None:
        """Say in the log that nobody waits any longer."""
        self._is_over = True
        self._write_line(new_id(), CLIENT_GONE, 0)

    def _write_line(self, request_id: str, status: int, size: int) -> None:
        lines.write(
            LoggedRequest(
                request_id=request_id,
                method=hdrs.METH_POST,
                route=self.path,
                status=status,
                user=self.user,
                app=self.app,
                op=self.op,
                code=None,
                duration_ms=round((time.perf_counter() - self._started) * 1000, 2),
                bytes=size,
            )
        )


BeginQuickly = Callable[[QuickRequest], bool]
"""Begin to answer. False, or an error: nothing was sent, and the request goes the way of all."""

QUICK: Final = web.AppKey("quick", Mapping[str, BeginQuickly])
"""By the path that is posted to."""


class QuickWay:
    """Those paths of an application."""

    def __init__(self, edge: web.Application) -> None:
        self._edge = edge
        self._begins = edge.get(QUICK) or {}

    def begin(
        self, connection: AnswersQuickly, message: RawRequestMessage, payload: StreamReader
    ) -> QuickRequest | None:
        """Begin to answer a request that is there; None: it goes the way of all."""
        if message.path not in self._begins or message.method != hdrs.METH_POST or not _is_usual(message):
            return None
        if type(payload) is not StreamReader:
            return None
        # It is looked at, and not taken: the way of all reads it once more.
        return self.begin_again(connection, KnownHead(message), b"".join(payload._buffer))

    def begin_again(self, connection: AnswersQuickly, head: KnownHead, body: bytes) -> QuickRequest | None:
        """Do the same for a body with a head that another one was begun with."""
        if len(body) > MAX_QUICK_BYTES:
            return None
        request = QuickRequest(connection, self._edge, head, body)
        try:
            return request if self._begins[request.path](request) else None
        except Exception:  # noqa: BLE001 - nothing is sent, and the way of all comes upon the same
            return None


def _is_usual(message: RawRequestMessage) -> bool:
    headers = message.headers
    return (
        not (message.should_close or message.upgrade)
        and message.version == HttpVersion11
        and not any(name in headers for name in _UNUSUAL)
    )

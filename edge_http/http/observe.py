"""The one middleware: gives each request an id, turns errors into responses, writes one log line.

The line has no token and no value of evidence. Errors are rendered by the face that handles the request: it sets
`Trace.render_error` as soon as it knows how its callers want to be told.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import hdrs, web
from aiohttp.payload import Payload

from bus import lines
from bus.lines import LoggedRequest
from bus.logger import get_logger
from edge_http.http import cors
from edge_http.http.errors import error_response, framework_response, members_of
from edge_http.http.responses import REQUEST_ID, json_response, say_seq
from edge_http.http.showing import show, show_refused
from edge_http.keys import AUTHENTICATOR
from schemas.errors import Code, Error, LlumError, Refusal, Transient

log = get_logger("llum.edge")

CLIENT_GONE: Final = 499
"""The status in the log, as nginx has it, of a request whose client left before the answer."""

HttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RenderError = Callable[[LlumError], web.Response]


class Trace:
    """What is told of a request in the log, filled in by its handler."""

    __slots__ = (
        "app",
        "by_cookie",
        "code",
        "cookies",
        "edge",
        "op",
        "origins",
        "render_error",
        "request_id",
        "route",
        "user",
        "written_seq",
    )

    def __init__(self, request_id: str, edge: web.Application, route: str | None) -> None:
        self.request_id = request_id
        self.edge = edge
        """The application that answers. A request itself knows it only if it came by aiohttp's router."""
        self.route = route
        self.user: str | None = None
        self.app: str | None = None
        self.op: str | None = None
        self.code: str | None = None
        self.render_error: RenderError | None = None
        """How the face renders errors; None: as JSON, and as a page for a browser."""
        self.origins: frozenset[str] | None = None
        """Where the web pages of the client come from that has sent the request; None: no client is known."""
        self.by_cookie = False
        """The sender is known by a cookie alone: no page of another origin reads the answer, whatever the app's are."""
        self.cookies: dict[str, str] | None = None
        """Those that the response sets, whatever it is: the values of the headers, by the name of the cookie."""
        self.written_seq: int | None = None
        """What the request has written last in somebody's log."""

    def own_origins(self) -> frozenset[str] | None:
        """Give where the web pages of the app come from that sent the request; None: no app is known yet."""
        if self.origins is not None:
            return self.origins
        if self.user is None or self.app is None:
            return None
        return self.edge[AUTHENTICATOR].registrations.origins_of(self.user, self.app)

    def set_cookie(self, name: str, header: str) -> None:
        """Have the response set a cookie; what was said of the same one before is taken back."""
        if self.cookies is None:
            self.cookies = {}
        self.cookies[name] = header

    def refuse(self, request: web.Request, error: LlumError) -> web.Response:
        """Render an error, and note its code."""
        self.code = error.code.value
        if self.render_error is not None:
            return self.render_error(error)
        return show(request, self.edge, error) or error_response(error)


TRACE: Final = web.RequestKey("trace", Trace)

_process: Final = secrets.token_hex(4)
_numbers: Final = itertools.count(1)


@web.middleware
async def observe(request: web.Request, handler: HttpHandler) -> web.StreamResponse:
    """Answer a request that came by aiohttp's router."""
    resource = request.match_info.route.resource
    return await observed(request, handler, request.app, resource.canonical if resource else None)


async def observed(
    request: web.Request,
    handler: HttpHandler,
    edge: web.Application,
    route: str | None,
    started: float | None = None,
) -> web.StreamResponse:
    """Answer every request, whatever its handler raises. `started`: when, by the performance counter, if not now."""
    started = time.perf_counter() if started is None else started
    trace = Trace(new_id(), edge, route)
    request[TRACE] = trace
    origin = request.headers.get(hdrs.ORIGIN)
    asks_first = origin is not None and cors.is_preflight(request)
    try:
        response = cors.preflight_response() if asks_first else await handler(request)
    except asyncio.CancelledError:
        _write_line(request, trace, CLIENT_GONE, 0, started)
        raise
    except LlumError as error:
        response = trace.refuse(request, error)
    except Exception as error:  # noqa: BLE001 - logged there, and answered
        response = _failed(request, trace, error)
    if origin is not None and not asks_first and not trace.by_cookie:
        cors.let_read(response, origin, trace.own_origins())
    if trace.cookies is not None:
        for header in trace.cookies.values():
            response.headers.add(hdrs.SET_COOKIE, header)
    if trace.written_seq is not None:
        say_seq(response, trace.written_seq)
    response.headers[REQUEST_ID] = trace.request_id
    _write_line(request, trace, response.status, _size_of(response), started)
    return response


def unread_response(error: Error, status: int) -> web.Response:
    """Answer what could not be read as a request, and write its line."""
    request_id, body = new_id(), msgspec.json.encode({"error": members_of(error)})
    response = json_response(body, status, {REQUEST_ID: request_id})
    lines.write(
        LoggedRequest(
            request_id=request_id,
            method="-",
            route=None,
            status=status,
            user=None,
            app=None,
            op=None,
            code=error.code.value,
            duration_ms=0.0,
            bytes=_size_of(response),
        )
    )
    return response


def new_id() -> str:
    """Name a request."""
    return f"{_process}-{next(_numbers):x}"


def _size_of(response: web.StreamResponse) -> int:
    body = response.body if isinstance(response, web.Response) else None
    if isinstance(body, bytes):
        return len(body)
    return (body.size or 0) if isinstance(body, Payload) else len(body or b"")


def _failed(request: web.Request, trace: Trace, error: Exception) -> web.StreamResponse:
    """Answer what was refused by aiohttp, or failed. To be called while the error is handled."""
    if isinstance(error, web.HTTPException):
        page = show_refused(request, trace.edge, error)
        return page or framework_response(error, request.method, request.path)
    if isinstance(error, web.RequestPayloadError):
        return trace.refuse(request, Refusal(Code.MALFORMED, "the body differs from what its headers announce"))
    if isinstance(error, ConnectionError) and request.transport is None:
        return web.Response(status=CLIENT_GONE)
    log.exception("request_failed", request_id=trace.request_id, op=trace.op)
    return trace.refuse(request, _internal(trace.request_id))


def _internal(request_id: str) -> Transient:
    hint = f"mention request {request_id} if you report this"
    return Transient(Code.INTERNAL, "a fault in llum; it has been recorded", hint)


def _write_line(request: web.Request, trace: Trace, status: int, sent: int, started: float) -> None:
    lines.write(
        LoggedRequest(
            request_id=trace.request_id,
            method=request.method,
            route=trace.route,
            status=status,
            user=trace.user,
            app=trace.app,
            op=trace.op,
            code=trace.code,
            duration_ms=round((time.perf_counter() - started) * 1000, 2),
            bytes=sent,
        )
    )

"""From a request to its operation and back."""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Mapping, Set
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from edge_http.auth.app_password import AppPassword
from edge_http.auth.bearer import has_token
from edge_http.auth.chain import authenticate, caller_at_hand
from edge_http.auth.cookie import is_by_cookie
from edge_http.http.body import arrived_body, read_body
from edge_http.http.observe import TRACE
from edge_http.http.quick_requests import QUICK
from edge_http.personis import (
    apps,
    asking,
    calls,
    exporting,
    importing,
    part_forgetting,
    quick,
    render,
    requests,
    rules,
    structure,
    withdrawing,
)
from edge_http.personis.caller import Caller, Operation, error_to, respond
from edge_http.personis.evidence import (
    FEW_EXPORTS,
    LARGE_ANSWERS,
    MAX_EXPORTS,
    LargeAnswers,
)
from edge_http.personis.passwords import HINT, MAX_UNKNOWN_BODY_BYTES, password_in
from edge_http.sessions.sensitive import check_fresh
from edge_http.sessions.trial_bounds import check_bounds
from schemas.queries import Access

if TYPE_CHECKING:
    from identity.principal import Principal

IMPORT: Final = "import_model"
"""The operation whose body may be large: few are read at once."""

_error_without_body: Final = functools.partial(render.error_response, b"")


def add_personis(app: web.Application) -> None:
    """Add the operations. A call of any other one is answered as the original does: ok, false. Add all else before."""
    app[LARGE_ANSWERS] = LargeAnswers()
    app[FEW_EXPORTS] = asyncio.Semaphore(MAX_EXPORTS)
    app[QUICK] = quick.quick_calls(app)
    app[importing.FEW_IMPORTS] = asyncio.Semaphore(importing.MAX_IMPORTS)
    for op in OPERATIONS:
        app.router.add_post(f"/{op}", functools.partial(_serve, op))
    methods: dict[str, set[str]] = {}
    for route in app.router.routes():
        if route.resource and route.method != hdrs.METH_HEAD:  # said by GET
            methods.setdefault(route.resource.canonical, set()).add(route.method)
    app.router.add_route("*", "/{op}", functools.partial(_serve_unknown, methods))


async def _serve(op: str, request: web.Request) -> web.Response:
    trace = request[TRACE]
    trace.op = op
    trace.render_error = _error_without_body
    principal = None if op == IMPORT else caller_at_hand(request, trace)
    body = None if principal is None else arrived_body(request)
    if principal is not None and body is not None:
        return await _serve_known(op, request, principal, body)
    is_known = has_token(request) or await is_by_cookie(request)
    serve = _serve_large if is_known else _serve_unknown_sender
    return await serve(op, request)


async def _serve_large(op: str, request: web.Request) -> web.Response:
    """Serve a sender who is known before the body is read, which may be large."""
    principal = await authenticate(request)
    check_fresh(request, op, principal)
    is_import = op == IMPORT
    async with request[TRACE].edge[importing.FEW_IMPORTS] if is_import else contextlib.nullcontext():
        body = await (importing.read(request) if is_import else read_body(request))
        return await _serve_known(op, request, principal, body)


async def _serve_known(op: str, request: web.Request, principal: "Principal", body: bytes) -> web.Response:
    if principal.how == "session" and (password := password_in(body)) is not None:
        return await _serve_password(op, request, password, body)
    request[TRACE].render_error = error_to(request, principal, body)
    return await _answer(request, Caller(request, op, principal, body))


async def _serve_unknown_sender(op: str, request: web.Request) -> web.Response:
    body = await read_body(request, MAX_UNKNOWN_BODY_BYTES)
    return await _serve_password(op, request, password_in(body), body)


async def _serve_password(op: str, request: web.Request, password: AppPassword | None, body: bytes) -> web.Response:
    """Serve whoever has put a password into the body: a cookie that a browser sends along does not count then."""
    trace = request[TRACE]
    trace.by_cookie = False
    trace.render_error = functools.partial(render.error_response, body)
    principal = await authenticate(request, password, HINT)
    trace.render_error = functools.partial(render.error_response, body, by_password=principal.how == "password")
    return await _answer(request, Caller(request, op, principal, body))


async def _serve_unknown(methods: Mapping[str, Set[str]], request: web.Request) -> web.Response:
    """Answer what no operation is for. `methods` has those that each known path takes."""
    allowed = methods.get(request.path)
    if allowed is not None:
        raise web.HTTPMethodNotAllowed(request.method, allowed)
    if request.method != hdrs.METH_POST:
        raise web.HTTPNotFound
    body = await read_body(request, MAX_UNKNOWN_BODY_BYTES)
    if not requests.is_call(body):
        raise web.HTTPNotFound
    trace = request[TRACE]
    trace.op = "unknown"
    trace.render_error = functools.partial(render.error_response, body)
    principal = await (authenticate(request) if has_token(request) else authenticate(request, password_in(body), HINT))
    return await _answer(request, Caller(request, trace.op, principal, body))


async def _answer(request: web.Request, caller: Caller) -> web.Response:
    check_fresh(request, caller.op, caller.principal)
    check_bounds(request[TRACE].edge, caller.principal, len(caller.body))
    return respond(caller, await OPERATIONS.get(caller.op, _unknown)(caller))


async def _access(caller: Caller) -> bool:
    caller.parse(calls.CALL)
    await caller.ask(Access())
    return True


def _tell(caller: Caller) -> Awaitable[render.Value]:
    call = caller.parse_tell()
    return caller.tell(requests.tell_of(call, caller.id_for(call)))


async def _unknown(caller: Caller) -> bool:
    caller.parse(calls.CALL)
    return False


OPERATIONS: Final[dict[str, Operation]] = {
    "access": _access,
    "tell": _tell,
    "ask": asking.ask,
    "export_model": exporting.export_model,
    IMPORT: importing.import_model,
    **structure.OPERATIONS,
    **apps.OPERATIONS,
    **rules.OPERATIONS,
    **withdrawing.OPERATIONS,
    **part_forgetting.OPERATIONS,
}

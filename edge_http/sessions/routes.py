"""Who am I (`/me`), and the way out (`/sign-out`)."""

from typing import Any

import msgspec
from aiohttp import web

from edge_http.auth.bearer import has_token
from edge_http.auth.chain import authenticate
from edge_http.http.errors import error_response
from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.http.showing import wants_page
from edge_http.sessions.current import nobody, see_other, session_of
from edge_http.sessions.ending import end_session
from edge_http.sessions.forms import csrf_token, posted_form, prepare_forms
from edge_http.sessions.local_paths import HOME
from edge_http.sessions.own_sessions import add_own_sessions


def add_sessions(app: web.Application) -> None:
    """Add the routes."""
    app.router.add_get("/me", _me)
    app.router.add_post("/sign-out", _sign_out)
    add_own_sessions(app)


async def _me(request: web.Request) -> web.Response:
    """Say who a request belongs to, by its token or its session. For programs: a browser, too, gets JSON or a 401."""
    request[TRACE].op = "me"
    request[TRACE].render_error = error_response
    about = await (_by_token(request) if has_token(request) else _by_session(request))
    return json_response(msgspec.json.encode(about))


async def _by_token(request: web.Request) -> dict[str, Any]:
    principal = await authenticate(request)
    return {"user": principal.user, "app": principal.app, "expires": principal.expires}


async def _by_session(request: web.Request) -> dict[str, Any]:
    session = await session_of(request)
    if session is None:
        raise nobody(request)
    await prepare_forms(request)
    return {
        "user": session.user,
        "temporary": session.temporary,
        "details": session.details,
        "how": session.how,
        "authenticated": session.authenticated,
        "expires": session.expires,
        "csrf_token": csrf_token(request),
    }


async def _sign_out(request: web.Request) -> web.Response:
    """End the session of this browser. Whoever has none is signed out already."""
    request[TRACE].op = "sign_out"
    await posted_form(request)
    await end_session(request)
    return see_other(HOME) if wants_page(request) else json_response(b"{}")

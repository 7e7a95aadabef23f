"""From a proven identity to a session, and the end of one."""

import time
from typing import Any, Final

import msgspec
from aiohttp import web

from edge_http.auth.cookies import clear_session_cookie, cookies_of, set_profile_cookie, set_session_cookie
from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.http.showing import wants_page
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.current import CURRENT, CurrentSession, see_other
from edge_http.sessions.forms import csrf_token, prepare_forms
from edge_http.sessions.local_paths import local_path
from edge_http.sessions.places import place_of
from identity.sessions.session import Session
from identity.sessions.store import new_sid

SESSION_LIFETIME_S: Final = 30 * 24 * 3600.0
"""Seconds of a session: a month, however often it is used. Whoever uses llum less signs in each time."""


async def after_authentication(
    request: web.Request, user: str, how: str, then: str | None = None, details: dict[str, Any] | None = None
) -> web.Response:
    """Turn a proven identity into a session with an id that nobody has seen before, and hand on to the path `then`.

    `how` is `passkey`, `password`, `recovery` or `oidc:<issuer>`. A session that the browser had ends. A page is
    answered by 303, a program by 201 with `Location`. Raises `Transient`: then nothing has changed.
    """
    now = time.time()
    known = {"user_id": user, **(details or {})}
    session = Session(
        user=user, details=known, made=now, expires=now + SESSION_LIFETIME_S, authenticated=now, how=how,
        place=place_of(request),
    )  # fmt: skip
    await begin_session(request, session)
    return await _handed_on(request, session, local_path(then))


async def begin_session(request: web.Request, session: Session) -> None:
    """Have the browser speak as a session from now on, and no longer as what it had. Raises `Transient`."""
    sessions, sid = request[TRACE].edge[AUTHENTICATOR].sessions, new_sid()
    await sessions.set_session(sid, session)
    await _end_former(request)
    set_session_cookie(request, sid, session.expires - session.made)
    set_profile_cookie(request, session.how)
    request[CURRENT] = CurrentSession(sid, session)


async def end_session(request: web.Request) -> None:
    """End the session of a request, if there is one, in the store and in the browser. Raises `Transient`."""
    await _end_former(request)
    clear_session_cookie(request)
    request[CURRENT] = None


async def _end_former(request: web.Request) -> None:
    edge = request[TRACE].edge
    sid = cookies_of(request, edge).sid
    if sid is not None:
        await edge[AUTHENTICATOR].sessions.delete_session(sid)


async def _handed_on(request: web.Request, session: Session, then: str) -> web.Response:
    if wants_page(request):
        return see_other(then)
    await prepare_forms(request)
    made = {"user": session.user, "expires": session.expires, "csrf_token": csrf_token(request)}
    return json_response(msgspec.json.encode(made), 201, {"Location": then})

"""From a proven identity to a session."""

import time
from typing import Any, Final

import msgspec
from aiohttp import web

from edge_http.auth.cookies import cookies_of, set_profile_cookie, set_session_cookie
from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.http.showing import wants_page
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.current import CurrentSession, remember_session, see_other, session_of
from edge_http.sessions.ending import end_former
from edge_http.sessions.forms import csrf_token, prepare_forms
from edge_http.sessions.joining import end_trial, move_trial
from edge_http.sessions.local_paths import HOME, local_path
from edge_http.sessions.places import place_of
from identity.sessions.session import Session
from identity.sessions.store import new_sid
from identity.states import Facts, Shown, Verdict, decide_state

FIRST_HOME: Final = f"{HOME}?first=1"
"""The way in, for somebody of whom this browser has never seen anything."""

SESSION_LIFETIME_S: Final = 30 * 24 * 3600.0
"""Seconds of a session: a month, however often it is used. Whoever uses llum less signs in each time."""


async def after_authentication(
    request: web.Request,
    user: str,
    how: str,
    then: str | None = None,
    details: dict[str, Any] | None = None,
    authenticated: float | None = None,
) -> web.Response:
    """Turn a proven identity into a session with an id that nobody has seen before, and hand on to the path `then`.

    `how` is `passkey`, `password`, `recovery` or `oidc:<issuer>`. `authenticated` says when they have proven it, if
    not just now (seconds since 1970). A session that the browser had ends. A page is answered by 303, a program by
    201 with `Location`. Raises `Transient`: then nothing has changed.
    """
    now = time.time()
    known = {"user_id": user, **(details or {})}
    session = Session(
        user=user, details=known, made=now, expires=now + SESSION_LIFETIME_S,
        authenticated=now if authenticated is None else authenticated, how=how,
        place=place_of(request),
    )  # fmt: skip
    former = await session_of(request)
    verdict = decide_state(_facts_of(request, former))
    if former is not None and former.temporary:
        await move_trial(request, former, user)
    await begin_session(request, session)
    if former is not None and former.temporary:
        await end_trial(request, former)
    return await session_response(request, session, _page_of(verdict, local_path(then)))


async def begin_session(request: web.Request, session: Session) -> None:
    """Have the browser speak as a session from now on, and no longer as what it had. Raises `Transient`."""
    sessions, sid = request[TRACE].edge[AUTHENTICATOR].sessions, new_sid()
    await sessions.set_session(sid, session)
    await end_former(request)
    set_session_cookie(request, sid, session.expires - session.made)
    set_profile_cookie(request, session.how)
    remember_session(request, CurrentSession(sid, session))
    request[TRACE].user = session.user


def _facts_of(request: web.Request, former: Session | None) -> Facts:
    how = cookies_of(request, request[TRACE].edge).how
    return Facts(True, True, former is not None, how is not None)


def _page_of(verdict: Verdict, then: str) -> str:
    """Give the page to hand on to; the way in has words for who is here for the first time."""
    return FIRST_HOME if verdict.shown is Shown.FIRST_PAGE and then == HOME else then


async def session_response(request: web.Request, session: Session, then: str) -> web.Response:
    """Answer whoever has a session from now on: a page is sent on, a program is told of it."""
    if wants_page(request):
        return see_other(then)
    await prepare_forms(request)
    made = {"user": session.user, "expires": session.expires, "csrf_token": csrf_token(request)}
    return json_response(msgspec.json.encode(made), 201, {"Location": then})

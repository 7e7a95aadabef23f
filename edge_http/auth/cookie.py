"""Who is this, from a cookie: a person whose browser has a live session speaks as their own app."""

from aiohttp import hdrs, web

from edge_http.auth.cookies import cookies_of
from edge_http.auth.own_page import check_own_page, problem_with
from edge_http.http.observe import TRACE, Trace
from edge_http.keys import AUTHENTICATOR
from identity.principal import Principal
from identity.sessions.session import Session
from identity.sessions.store import shown_id
from schemas.apps import OWNER_APP


async def find_session(request: web.Request, edge: web.Application) -> tuple[str, Session] | None:
    """Give the live session of a request with its id; None if there is none. Raises `Transient`."""
    sid = cookies_of(request, edge).sid
    if sid is None:
        return None
    session = await edge[AUTHENTICATOR].sessions.get_session(sid)
    if session is None:
        return None
    request[TRACE].by_cookie = True
    return sid, session


def caller_by_cookie_at_hand(request: web.Request, trace: Trace) -> Principal | None:
    """Give the caller of something that changes, if a session shows who that is and nobody need be asked."""
    edge = trace.edge
    sid = None if hdrs.AUTHORIZATION in request.headers or "?" in request.raw_path else cookies_of(request, edge).sid
    session = edge[AUTHENTICATOR].sessions.at_hand(sid) if sid else None
    if sid is None or session is None or problem_with(request, edge, sid) is not None:
        return None
    return _principal(trace, sid, session)


async def is_by_cookie(request: web.Request) -> bool:
    """Tell whether a session shows who sends a request, and a page of llum is shown to have sent it.

    Raises `Transient`.
    """
    edge = request[TRACE].edge
    found = await find_session(request, edge)
    if found is None:
        return False
    await edge[AUTHENTICATOR].csrf.load()
    return problem_with(request, edge, found[0]) is None


async def caller_by_cookie(request: web.Request) -> Principal | None:
    """Give the caller of something that changes; None if no session shows who that is.

    Raises `cross_site` if there is one and no page of llum sent the request, `Transient`.
    """
    trace = request[TRACE]
    found = await find_session(request, trace.edge)
    if found is None:
        return None
    await trace.edge[AUTHENTICATOR].csrf.load()
    check_own_page(request, trace.edge, found[0])
    return _principal(trace, *found)


def _principal(trace: Trace, sid: str, session: Session) -> Principal:
    trace.user, trace.app, trace.by_cookie = session.user, OWNER_APP, True
    return Principal(session.user, OWNER_APP, 0, "session", "", shown_id(sid), session.expires, session.authenticated)

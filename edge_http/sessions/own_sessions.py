"""`/sessions`: a person sees where they are signed in, and ends what they do not know."""

from typing import Any

import msgspec
from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.http.showing import wants_page
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.current import current_session, require_session, see_other
from edge_http.sessions.ending import end_session
from edge_http.sessions.forms import posted_form
from edge_http.sessions.local_paths import HOME
from edge_http.sessions.own_model import zone_of
from identity.sessions.session import Session
from identity.sessions.store import ListedSession, shown_id
from schemas.errors import Code, Refusal

SESSIONS_PATH = "/sessions"

_WAYS = {"passkey": "a passkey", "password": "a password", "recovery": "a recovery code", "": "no sign-in yet"}


def add_own_sessions(app: web.Application) -> None:
    """Add the page, and what its buttons do."""
    app.router.add_get(SESSIONS_PATH, _show)
    app.router.add_post(f"{SESSIONS_PATH}/end", _end)


async def _show(request: web.Request) -> web.Response:
    session = await require_session(request)
    request[TRACE].op = "sessions"
    listed = await request[TRACE].edge[AUTHENTICATOR].sessions.sessions_of(session.user)
    own = await _own_id(request)
    rows = [_row(one, own) for one in listed]
    if not wants_page(request):
        return json_response(msgspec.json.encode({"sessions": rows}))
    # Imported when the first page is shown: an edge for programs needs none of it.
    from edge_http.web.pages import page

    rows.sort(key=lambda row: not row["this"])
    return page(request, "sessions.html", rows=rows, zone=await zone_of(request, session.user), ended=_ended(request))


async def _end(request: web.Request) -> web.Response:
    """End one session (`session`), or several (`which`: `others` or `all`)."""
    session = await require_session(request)
    request[TRACE].op = "end_sessions"
    form = await posted_form(request)
    which, one = form.get("which"), form.get("session")
    ended = await (_end_several(request, session, which) if which else _end_one(request, session, one))
    is_here = await current_session(request) is not None
    if wants_page(request):
        return see_other(f"{SESSIONS_PATH}?ended={ended}" if is_here else HOME)
    return json_response(msgspec.json.encode({"ended": ended}))


async def _end_several(request: web.Request, session: Session, which: str) -> int:
    sessions = request[TRACE].edge[AUTHENTICATOR].sessions
    current = await current_session(request)
    assert current is not None, "a session is required before"
    if which == "others":
        return await sessions.end_all(session.user, but=current.sid)
    if which != "all":
        raise Refusal(Code.BAD_FIELD, "which sessions end is `others` or `all`", "which")
    ended = await sessions.end_all(session.user)
    await end_session(request)
    return ended


async def _end_one(request: web.Request, session: Session, one: str) -> int:
    """End the session that the list names so: nobody else's, whatever the form says."""
    if one == await _own_id(request):
        await end_session(request)
        return 1
    if not await request[TRACE].edge[AUTHENTICATOR].sessions.end(session.user, one):
        raise Refusal(Code.BAD_FIELD, "you have no such session: it has ended already", "session", "load the list anew")
    return 1


async def _own_id(request: web.Request) -> str:
    current = await current_session(request)
    return "" if current is None else shown_id(current.sid)


def _row(one: ListedSession, own: str) -> dict[str, Any]:
    session = one.session
    return {
        "id": one.id,
        "this": one.id == own,
        "place": session.place,
        "how": way_in_words(session.how),
        "made": session.made,
        "used": one.used,
        "expires": session.expires,
    }


def way_in_words(how: str) -> str:
    """Say by what somebody has signed in."""
    return f"an account at {how[5:]}" if how.startswith("oidc:") else _WAYS.get(how, how)


def _ended(request: web.Request) -> int:
    """Give how many have just ended, as far as the address says so."""
    given = request.query.get("ended", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 6 else 0

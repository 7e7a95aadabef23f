"""Who looks at a page, for its header: as far as that is known without asking anybody."""

from aiohttp import web

from edge_http.auth.cookies import cookies_of
from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.current import CURRENT
from edge_http.web.pages import Visitor
from identity.sessions.session import Session


def visitor_of(request: web.Request) -> Visitor | None:
    """Name whose live session a request belongs to; None: nobody's, or it was not looked up and is not remembered."""
    session = _session_at_hand(request)
    return None if session is None else Visitor(session.user, session.temporary)


def _session_at_hand(request: web.Request) -> Session | None:
    if CURRENT in request:
        current = request[CURRENT]
        return None if current is None else current.session
    edge = request[TRACE].edge
    sid = cookies_of(request, edge).sid
    return None if sid is None else edge[AUTHENTICATOR].sessions.at_hand(sid)

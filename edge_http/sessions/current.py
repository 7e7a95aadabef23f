"""The session of a request: who must have one, and who must have proven lately who they are."""

import time
from typing import Final, NamedTuple
from urllib.parse import urlencode, urlsplit

from aiohttp import hdrs, web

from edge_http.auth.bearer import challenge
from edge_http.auth.cookie import find_session
from edge_http.auth.own_page import is_from_own_page
from edge_http.http.errors import Unauthenticated
from edge_http.http.observe import TRACE
from edge_http.http.showing import wants_page
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.local_paths import HOME, local_path, path_with
from identity.sessions.session import FRESH_S, Session
from schemas.errors import Code

SIGN_IN_PATH: Final = "/sign-in"

_SIGN_IN_HINT: Final = f"sign in at {SIGN_IN_PATH}"


class CurrentSession(NamedTuple):
    """The session of a request, and its id."""

    sid: str
    session: Session


CURRENT: Final[web.RequestKey[CurrentSession | None]] = web.RequestKey("current_session")


async def current_session(request: web.Request) -> CurrentSession | None:
    """Give the live session of a request with its id; None: there is none. Raises `Transient`.

    After this a page can be made whose forms carry a token.
    """
    if CURRENT not in request:
        edge = request[TRACE].edge
        await edge[AUTHENTICATOR].csrf.load()
        found = await find_session(request, edge)
        remember_session(request, None if found is None else CurrentSession(*found))
    return request[CURRENT]


def remember_session(request: web.Request, current: CurrentSession | None) -> None:
    """Note which session a request has from now on; None: it has none any more."""
    request[CURRENT] = current


async def session_of(request: web.Request) -> Session | None:
    """Give the live session of a request; None: there is none. Raises `Transient`."""
    current = await current_session(request)
    return None if current is None else current.session


async def require_session(request: web.Request) -> Session:
    """Give the live session of a request. Raises `not_authenticated`, `Transient`.

    A browser is then sent to the sign-in page, and comes back from there.
    """
    session = await session_of(request)
    if session is None:
        _send_to_sign_in(request)
        raise nobody(request)
    trace = request[TRACE]
    trace.user, trace.by_cookie = session.user, True
    return session


async def require_fresh(request: web.Request) -> Session:
    """Give the live session of somebody who has proven within five minutes who they are (RFC 9470).

    Raises `not_fresh`, and what `require_session` raises. A browser is then sent to the sign-in page, and comes back.
    """
    session = await require_session(request)
    if not session.is_fresh(time.time()):
        _send_to_sign_in(request)
        raise not_fresh(request)
    return session


def nobody(request: web.Request) -> Unauthenticated:
    """Make the refusal of a request without a live session."""
    return Unauthenticated("nobody is signed in", challenge(request), "Cookie", _SIGN_IN_HINT)


def not_fresh(request: web.Request) -> Unauthenticated:
    """Make the refusal of somebody who has to prove once more who they are."""
    said = f"{challenge(request, 'insufficient_user_authentication')}, max_age={FRESH_S:.0f}"
    message = f"this needs a sign-in within the last {FRESH_S / 60:.0f} minutes"
    return Unauthenticated(message, said, "Cookie", f"sign in once more at {SIGN_IN_PATH}", Code.NOT_FRESH)


def sign_in_path(then: str) -> str:
    """Give the page to sign in at, from which one comes to a path of ours."""
    return path_with(SIGN_IN_PATH, then)


def see_other(location: str) -> web.Response:
    """Send a browser on to a local path."""
    headers = {hdrs.LOCATION: location, hdrs.CACHE_CONTROL: "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(status=303, headers=headers)


def _send_to_sign_in(request: web.Request) -> None:
    """Have a refusal be a way to the sign-in page, for a browser."""
    if wants_page(request):
        location = f"{SIGN_IN_PATH}?{urlencode({'then': _way_back(request)})}"
        request[TRACE].render_error = lambda _: see_other(location)


def _way_back(request: web.Request) -> str:
    """Give the page to come back to: a form is not sent again, but the page that it is on is shown."""
    if request.method in (hdrs.METH_GET, hdrs.METH_HEAD) or _is_page(request):
        return local_path(request.raw_path)
    referer = request.headers.get(hdrs.REFERER)
    if referer is None or not is_from_own_page(request, request[TRACE].edge):
        return HOME
    parts = urlsplit(referer)
    return local_path(parts.path + (f"?{parts.query}" if parts.query else ""))


def _is_page(request: web.Request) -> bool:
    """Tell whether the path that a form was sent to is a page, too."""
    pages = (route.resource for route in request[TRACE].edge.router.routes() if route.method == hdrs.METH_GET)
    return any(resource is not None and resource.canonical == request.path for resource in pages)

"""The end of a session, in the store and in the browser."""

from aiohttp import web

from edge_http.auth.cookies import clear_session_cookie, cookies_of
from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.current import remember_session, session_of
from edge_http.sessions.joining import end_trial


async def end_session(request: web.Request) -> None:
    """End the session of a request, if there is one. Raises `Transient`."""
    session = await session_of(request)
    await end_former(request)
    if session is not None and session.temporary:
        await end_trial(request, session)
    clear_session_cookie(request)
    remember_session(request, None)


async def end_former(request: web.Request) -> None:
    """End the session whose id the browser has sent, whatever it has been given since. Raises `Transient`."""
    edge = request[TRACE].edge
    sid = cookies_of(request, edge).sid
    if sid is not None:
        await edge[AUTHENTICATOR].sessions.delete_session(sid)

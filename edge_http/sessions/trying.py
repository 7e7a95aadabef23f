"""`/try`: a visitor becomes a temporary user, if this llum allows it."""

import time
from typing import Final

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.http.sources import PROXIES
from edge_http.keys import BUS, REQUESTS
from edge_http.sessions.current import see_other, session_of
from edge_http.sessions.forms import posted_form
from edge_http.sessions.local_paths import HOME, local_path
from edge_http.sessions.places import place_of
from edge_http.sessions.signing_in import begin_session, session_response
from edge_http.sessions.trial_bounds import add_bounds
from identity.sessions.session import Session
from identity.temporary.users import TemporaryUsers
from identity.throttle import Throttle
from schemas.errors import Code, Refusal

TRY_PATH: Final = "/try"

AT_ONCE: Final = 5
"""Temporary users that one address may make at once: a household, or a class at one router has to wait."""

ANOTHER_EVERY_S: Final = 300.0
"""Seconds until it may make one more: at most 293 of an address are there at any time."""

ALLOWS_TEMPORARY: Final = web.AppKey("allows_temporary", bool)
_MADE: Final = web.AppKey("temporary_users_made", Throttle)


def add_trying(app: web.Application, *, allowed: bool) -> None:
    """Add the route. Where it is not allowed, it says so."""
    app[ALLOWS_TEMPORARY] = allowed
    add_bounds(app)
    app[_MADE] = Throttle(time.monotonic, AT_ONCE, ANOTHER_EVERY_S, "temporary users from this address")
    app.router.add_post(TRY_PATH, _try)


async def _try(request: web.Request) -> web.StreamResponse:
    request[TRACE].op = "try"
    form = await posted_form(request)
    edge, then = request[TRACE].edge, local_path(form.get("then"))
    if await session_of(request) is not None:
        return see_other(HOME)
    if not edge[ALLOWS_TEMPORARY]:
        raise Refusal(Code.PERMISSION_DENIED, "this llum has no temporary users", hint="sign up, or sign in")
    edge[_MADE].take(edge[PROXIES].sender_of(request))
    user, until = await TemporaryUsers(edge[BUS], edge[REQUESTS]).make()
    session = Session(
        user=user, details={"user_id": user}, made=time.time(), expires=until, temporary=True, place=place_of(request)
    )
    await begin_session(request, session)
    return await session_response(request, session, then)

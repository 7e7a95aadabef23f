"""Who is this: the one way from a request to a principal, for every face.

A bearer token counts first: whoever sends one is judged by it alone. Without one, a face may give the password of an
app that it has found where its protocol has it. Without that, the session of a browser counts, if a page of llum is
shown to have sent the request.
"""

from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from edge_http.auth.app_password import AppPassword, wrong
from edge_http.auth.bearer import has_token, only_token_of, token_of, unauthenticated
from edge_http.auth.cookie import caller_by_cookie, caller_by_cookie_at_hand
from edge_http.http.observe import TRACE, Trace
from edge_http.http.sources import PROXIES
from edge_http.keys import AUTHENTICATOR

if TYPE_CHECKING:
    from identity.principal import Principal


def caller_at_hand(request: web.Request, trace: Trace) -> "Principal | None":
    """Give the caller, as `authenticate` does, if its token or cookie is known and nobody need be asked."""
    token = only_token_of(request)
    if token is None:
        return caller_by_cookie_at_hand(request, trace) if hdrs.COOKIE in request.headers else None
    principal = trace.edge[AUTHENTICATOR].at_hand(token)
    if principal is not None:
        trace.user, trace.app = principal.user, principal.app
    return principal


async def authenticate(request: web.Request, given: AppPassword | None = None, hint: str = "") -> "Principal":
    """Give the caller and note it in the trace. `hint` says how passwords are sent to this face.

    Raises `not_authenticated`, `cross_site`, `rate_limited`, `unavailable`.
    """
    if given is not None and not has_token(request):
        principal = await _by_password(request, given, hint)
    else:
        principal = await _by_cookie(request) or await _by_token(request)
    trace = request[TRACE]
    trace.user, trace.app = principal.user, principal.app
    return principal


async def _by_cookie(request: web.Request) -> "Principal | None":
    return None if has_token(request) or hdrs.COOKIE not in request.headers else await caller_by_cookie(request)


async def _by_token(request: web.Request) -> "Principal":
    principal = await request[TRACE].edge[AUTHENTICATOR].by_token(token_of(request))
    if principal is None:
        raise unauthenticated(
            request, "the token is unknown, has expired, was revoked, or is meant for another server", "invalid_token"
        )
    return principal


async def _by_password(request: web.Request, given: AppPassword, hint: str) -> "Principal":
    user, app, password = given
    if app is None:
        raise wrong(request, hint)
    edge = request[TRACE].edge
    principal = await edge[AUTHENTICATOR].by_password(user, app, password, edge[PROXIES].sender_of(request))
    if principal is None:
        raise wrong(request, hint)
    return principal

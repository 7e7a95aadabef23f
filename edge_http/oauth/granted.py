"""What a person has granted an app, as it stands in their model now: what a token is worth."""

from typing import Any, Final

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.keys import REQUESTS
from identity.oauth.families import SIGN_IN_AGAIN
from schemas.errors import Code, Refusal
from schemas.grants import GrantsReply
from schemas.queries import Grants
from schemas.scopes import format_scope

_GRANTED: Final[web.RequestKey[dict[str, Any]]] = web.RequestKey("granted")

_GONE: Final = frozenset({Code.NO_SUCH_MODEL, Code.NO_SUCH_APP})


async def granted_to(request: web.Request, user: str, app: str) -> dict[str, Any]:
    """Give what an answer says of the grant: `scope` and `authorization_details` (RFC 9396).

    A request asks once: whoever needs it to answer asks before anything is changed. Raises `invalid_grant` if the app
    is not registered, `Transient`.
    """
    if _GRANTED not in request:
        request[_GRANTED] = await _ask(request, user, app)
    return request[_GRANTED]


async def _ask(request: web.Request, user: str, app: str) -> dict[str, Any]:
    try:
        reply = await request[TRACE].edge[REQUESTS].ask(user, app, Grants(app=app))
    except Refusal as refusal:
        if refusal.code not in _GONE:
            raise
        raise Refusal(Code.INVALID_GRANT, "the person has removed the app", None, SIGN_IN_AGAIN) from refusal
    assert isinstance(reply, GrantsReply), "grants are answered by their own reply"
    (granted,) = reply.apps
    scope = format_scope(granted.slices, owner=granted.role == "owner")
    # An empty scope is none: RFC 6749 has no word for it.
    return ({"scope": scope} if scope else {}) | {"authorization_details": granted.slices}

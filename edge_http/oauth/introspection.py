"""`/introspect` (RFC 7662): a resource server asks whether a token is good that somebody shows it.

It is told about tokens that are meant for it, and of all others nothing but that they are not.
"""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR, PUBLIC_URL
from edge_http.oauth.answers import oauth_error_response, oauth_response
from edge_http.oauth.client_authentication import authenticated_client
from edge_http.oauth.granted import granted_to
from edge_http.oauth.parameters import read_parameters
from schemas.errors import Code, Refusal

if TYPE_CHECKING:
    from identity.principal import Principal

_UNKNOWN = {"active": False}


async def introspect(request: web.Request) -> web.Response:
    """Answer what is known of a token."""
    trace = request[TRACE]
    trace.op, trace.render_error = "introspect", oauth_error_response
    parameters = await read_parameters(request)
    token = parameters.needed("token")
    client = (await authenticated_client(request, parameters)).asking
    if client.is_public or not client.audience:
        hint = "an administrator gives it a secret, and an audience"
        raise Refusal(Code.UNAUTHORIZED_CLIENT, "only resource servers may ask about tokens", None, hint)
    principal = await _meant_for(request, token, client.audience)
    return oauth_response(_UNKNOWN if principal is None else await _about(request, principal))


async def _meant_for(request: web.Request, token: str, audience: str) -> "Principal | None":
    authenticator = request[TRACE].edge[AUTHENTICATOR]
    principal = await authenticator.tokens.look_up(token)
    if principal is None or principal.audience != audience:
        return None
    holds = await authenticator.registrations.holds(principal.user, principal.app, principal.registration)
    return principal if holds else None


async def _about(request: web.Request, principal: "Principal") -> dict[str, Any]:
    return {
        "active": True,
        "token_type": "Bearer",
        "iss": request[TRACE].edge[PUBLIC_URL],
        "sub": principal.user,
        "username": principal.user,
        "client_id": principal.app,
        "aud": principal.audience,
        "exp": int(principal.expires or 0),
        **await granted_to(request, principal.user, principal.app),
    }

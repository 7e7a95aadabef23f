"""`/revoke` (RFC 7009): a client gives a token back that it needs no more, or that has got about."""

from typing import TYPE_CHECKING, Final

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR
from edge_http.oauth.answers import oauth_error_response, oauth_response
from edge_http.oauth.client_authentication import authenticated_client
from edge_http.oauth.parameters import read_parameters
from schemas.errors import Code, Refusal

if TYPE_CHECKING:
    from identity.authenticator import Authenticator

_REFRESH: Final = "llumr_"


async def revoke(request: web.Request) -> web.Response:
    """End a token, with a refresh token the whole sign-in. What is no token, or none any more, is ended already.

    What a hint says of its kind is ignored: the token shows it.
    """
    trace = request[TRACE]
    trace.op, trace.render_error = "revoke", oauth_error_response
    parameters = await read_parameters(request)
    token = parameters.needed("token")
    client = (await authenticated_client(request, parameters)).asking
    trace.app = client.id
    authenticator = trace.edge[AUTHENTICATOR]
    if token.startswith(_REFRESH):
        await authenticator.oauth.families.end_token(token, client.id)
    else:
        await _revoke_access(authenticator, token, client.id)
    return oauth_response({})


async def _revoke_access(authenticator: "Authenticator", token: str, client_id: str) -> None:
    principal = await authenticator.tokens.look_up(token)
    if principal is None:
        return
    if principal.app != client_id:
        raise Refusal(Code.INVALID_GRANT, "the token belongs to another client", "token")
    await authenticator.tokens.take_back(token, principal.user, principal.app)

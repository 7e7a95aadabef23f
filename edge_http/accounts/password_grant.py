"""`/access_token`: the password grant, for clients that were there before llum, where the operator has allowed it.

A person's password in the hands of an app opens more than the app needs. So there is no other way here that takes one:
it is off by default, and named nowhere. It grants nothing: the person has let the app in before.
"""

from typing import Final

from aiohttp import web

from edge_http.accounts.reception import reception_of, source_of
from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR, REQUESTS
from edge_http.oauth import addresses
from edge_http.oauth.answers import oauth_error_response
from edge_http.oauth.client_authentication import authenticated_client
from edge_http.oauth.granted import granted_to
from edge_http.oauth.parameters import Parameters, read_parameters
from edge_http.oauth.token import token_response
from identity.registrations import access
from schemas.errors import Code, Refusal

_ALLOWED: Final = web.AppKey("password_grant_allowed", bool)


def add_password_grant(app: web.Application, *, allowed: bool) -> None:
    """Add the route. Where it is not allowed, it says so."""
    app[_ALLOWED] = allowed
    app.router.add_post(addresses.ACCESS_TOKEN, _password_grant)


async def _password_grant(request: web.Request) -> web.Response:
    """Give a client tokens for the name and the password of a person."""
    trace = request[TRACE]
    trace.op, trace.render_error = "access_token", oauth_error_response
    parameters = await read_parameters(request)
    if not trace.edge[_ALLOWED] or parameters.get("grant_type") != "password":
        hint = "send the person to /authorize"
        raise Refusal(Code.UNSUPPORTED_GRANT_TYPE, "no password is taken here", "grant_type", hint)
    client = (await authenticated_client(request, parameters)).asking
    if not client.legacy:
        raise Refusal(Code.UNAUTHORIZED_CLIENT, "only clients that were there before llum may take passwords")
    user = await _person(request, parameters)
    await granted_to(request, user, client.id)
    registration = (await access(trace.edge[REQUESTS], user, client.id)).registration
    oauth = trace.edge[AUTHENTICATOR].oauth
    issued = await oauth.begin_family(user, client.id, registration, how="password", legacy=True)
    return await token_response(request, issued)


async def _person(request: web.Request, parameters: Parameters) -> str:
    """Give whose name and password these are, if they have let the app in. Raises `invalid_grant`, `rate_limited`."""
    user, password = parameters.text("username").strip().lower(), parameters.text("password")
    account = await reception_of(request).passwords.verify(user, password, source_of(request))
    if account is None:
        raise Refusal(Code.INVALID_GRANT, "the name or the password is wrong")
    return account.user

"""`/access_token`: the password grant, for clients that were there before llum, where the operator has allowed it.

Programs of the preferences service know the same address: what they send is a key (`edge_http.key_grants`), and the
operator allows that by a setting of its own.

A person's password in the hands of an app opens more than the app needs. So there is no other way here that takes one:
it is off by default, and named nowhere. It grants nothing: the person has let the app in before.
"""

from typing import Final

from aiohttp import hdrs, web

from edge_http.accounts.reception import reception_of, source_of
from edge_http.http.body import read_body
from edge_http.http.observe import TRACE
from edge_http.key_grants.granting import add_key_grant, key_grant
from edge_http.key_grants.posted import Posted, posted_in
from edge_http.keys import AUTHENTICATOR, REQUESTS
from edge_http.oauth import addresses
from edge_http.oauth.answers import oauth_error_response
from edge_http.oauth.client_authentication import authenticated_client
from edge_http.oauth.granted import granted_to
from edge_http.oauth.parameters import MAX_FORM_BYTES, Parameters, parameters_in, read_parameters
from edge_http.oauth.token import token_response
from identity.registrations import access
from schemas.errors import Code, Refusal

_ALLOWED: Final = web.AppKey("password_grant_allowed", bool)


def add_password_grant(app: web.Application, *, allowed: bool, for_keys: bool = False) -> None:
    """Add the route. Where it is not allowed, it says so. `for_keys`: tokens for keys of preferences are given."""
    app[_ALLOWED] = allowed
    if for_keys:
        add_key_grant(app)
    app.router.add_post(addresses.ACCESS_TOKEN, _for_key_or_password if for_keys else _password_grant)


async def _for_key_or_password(request: web.Request) -> web.Response:
    """Let a client of llum give a password if it may, and have all others treated as those that give keys."""
    trace = request[TRACE]
    trace.op, trace.render_error = "access_token", oauth_error_response
    body = await read_body(request, MAX_FORM_BYTES)
    posted = posted_in(request, body)
    if trace.edge[_ALLOWED] and await _is_clients_of_llum(request, posted):
        return await _for_password(request, parameters_in(request, body))
    return await key_grant(request, posted)


async def _is_clients_of_llum(request: web.Request, posted: Posted) -> bool:
    """Tell whether a client of llum asks. A client of the preferences service may have the same id: it goes first."""
    client_id = posted.get("client_id")
    if not isinstance(client_id, str) or not client_id:
        return hdrs.AUTHORIZATION in request.headers
    authenticator = request[TRACE].edge[AUTHENTICATOR]
    is_other = await authenticator.credentials.knows(client_id)
    return not is_other and await authenticator.clients.find(client_id) is not None


async def _password_grant(request: web.Request) -> web.Response:
    """Give a client tokens for the name and the password of a person."""
    trace = request[TRACE]
    trace.op, trace.render_error = "access_token", oauth_error_response
    return await _for_password(request, await read_parameters(request))


async def _for_password(request: web.Request, parameters: Parameters) -> web.Response:
    trace = request[TRACE]
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

"""`/token`, in the original `/request_token`: a client gives a code or a refresh token, and gets tokens."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR, PUBLIC_URL
from edge_http.oauth import addresses
from edge_http.oauth.answers import oauth_error_response, oauth_response
from edge_http.oauth.client_authentication import authenticated_client
from edge_http.oauth.granted import granted_to
from edge_http.oauth.guard import guard_of
from edge_http.oauth.parameters import Parameters, read_parameters
from identity.oauth.audiences import audience_of
from identity.oauth.families import SIGN_IN_AGAIN, Issued
from identity.oauth.judging import Family
from schemas.errors import Code, Refusal

if TYPE_CHECKING:
    from edge_http.oauth.validating import KnownRequest

TokenGrant = Callable[[web.Request, Parameters, "KnownRequest"], Awaitable[Issued]]
"""Gives tokens to a client that has shown that it is that one (`facts.client`). Raises `Refusal`, `Transient`."""

_GRANTS: Final = web.AppKey("token_grants", dict[str, TokenGrant])


def add_token(app: web.Application) -> None:
    """Add the routes, with the grants of codes and of refresh tokens."""
    app[_GRANTS] = {}
    add_token_grant(app, "authorization_code", _redeem)
    add_token_grant(app, "refresh_token", _refresh)
    for path in (addresses.TOKEN, addresses.REQUEST_TOKEN):
        app.router.add_post(path, _token)


def add_token_grant(app: web.Application, grant_type: str, grant: TokenGrant) -> None:
    """Add another way to get a token."""
    app[_GRANTS][grant_type] = grant


def grants_of(app: web.Application) -> list[str]:
    """Name the grants that there are."""
    grants = app[_GRANTS]
    return sorted(grants)


async def _token(request: web.Request) -> web.Response:
    trace = request[TRACE]
    trace.op, trace.render_error = "token", oauth_error_response
    parameters = await read_parameters(request)
    grants = trace.edge[_GRANTS]
    grant = grants.get(parameters.needed("grant_type"))
    if grant is None:
        known = ", ".join(sorted(grants))
        raise Refusal(Code.UNSUPPORTED_GRANT_TYPE, "there is no such grant_type", "grant_type", f"one of {known}")
    facts = await authenticated_client(request, parameters)
    return await token_response(request, await grant(request, parameters, facts))


async def token_response(request: web.Request, issued: Issued) -> web.Response:
    """Answer with tokens, and with what the person has granted the app as it stands now.

    Raises `invalid_client` if the client was deleted meanwhile, `Transient`.
    """
    trace = request[TRACE]
    trace.user, trace.app = issued.user, issued.client_id
    authenticator = trace.edge[AUTHENTICATOR]
    if await authenticator.clients.find(issued.client_id) is None:
        await authenticator.oauth.families.end_named(issued.family, issued.user, issued.client_id)
        raise Refusal(Code.INVALID_CLIENT, "the client has been deleted")
    tokens = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
        "refresh_token": issued.refresh_token,
    }
    return oauth_response(tokens | await granted_to(request, issued.user, issued.client_id))


async def check_resource(request: web.Request, parameters: Parameters, audience: str) -> None:
    """Check that a client asks for no other audience than it has agreed upon. Raises `invalid_target`, `Transient`."""
    resource = parameters.get("resource")
    if not resource:
        return
    edge = request[TRACE].edge
    if await audience_of(resource, edge[PUBLIC_URL], edge[AUTHENTICATOR].clients) != audience:
        hint = "name it when the person is asked; another resource server needs another sign-in"
        raise Refusal(Code.INVALID_TARGET, "the person was asked for another resource server", "resource", hint)


async def _redeem(request: web.Request, parameters: Parameters, facts: "KnownRequest") -> Issued:
    from edge_http.oauth.validating import check_code

    client, oauth = facts.asking, request[TRACE].edge[AUTHENTICATOR].oauth
    taken = guard_of(request).take_grant(request, known=facts.secret_is_right)
    found = await oauth.find_code(parameters.needed("code"))
    check_code(facts, None if found is None else found.agreed)
    assert found is not None, "a code that is not there is refused"
    taken.give_back()
    agreed = found.agreed
    await check_resource(request, parameters, agreed.audience)
    await check_registration(request, agreed.user, client.id, agreed.registration)
    await granted_to(request, agreed.user, client.id)
    return await oauth.redeem(found, legacy=client.legacy)


async def _refresh(request: web.Request, parameters: Parameters, facts: "KnownRequest") -> Issued:
    from edge_http.oauth.validating import check_refresh

    check_refresh(facts)
    client, oauth, guard = facts.asking, request[TRACE].edge[AUTHENTICATOR].oauth, guard_of(request)
    taken = guard.take_grant(request, known=facts.secret_is_right)

    async def admit(user: str, family_id: str, family: Family) -> None:
        taken.give_back()
        guard.take_refresh(family_id)
        await check_resource(request, parameters, family.audience)
        try:
            await check_registration(request, user, client.id, family.registration)
            await granted_to(request, user, client.id)
        except Refusal:
            await oauth.families.end_named(family_id, user, client.id)
            raise

    return await oauth.families.refresh(parameters.needed("refresh_token"), client.id, admit, legacy=client.legacy)


async def check_registration(request: web.Request, user: str, app: str, registration: int) -> None:
    """Check that the person still has the app. Raises `invalid_grant`, `Transient`."""
    if not await request[TRACE].edge[AUTHENTICATOR].registrations.holds(user, app, registration):
        raise Refusal(Code.INVALID_GRANT, "the person has removed the app, or what it may do", None, SIGN_IN_AGAIN)

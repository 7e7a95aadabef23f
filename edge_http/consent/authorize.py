"""`/authorize`: judges what a client asks for, keeps the question, and leads the person to the page of consent.

Whoever is not known to be the client, or wants the browser somewhere that is not the client's, gets a page and no
redirect. Any other mistake the client is told. It is told at once if somebody here has let the client in. One that has
registered itself could use llum to lead people to its own page: there the person goes on by a link.
"""

import time
from typing import Final
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from edge_http.accounts.reception import source_of
from edge_http.consent.leading import host_of, location_of, sent
from edge_http.consent.throttling import ASKING
from edge_http.http.observe import TRACE
from edge_http.http.showing import wants_page
from edge_http.keys import AUTHENTICATOR, BUS, PUBLIC_URL
from edge_http.sessions.current import current_session, see_other
from edge_http.web.pages import page
from identity.oauth.audiences import audience_of
from identity.oauth.authorization import RefusedRequest, checked_request, redirect_of
from identity.oauth.authorization_parameters import AuthorizationParameters, read_authorization
from identity.oauth.client import OAuthClient
from identity.oauth.clients import no_such_client
from identity.oauth.questions import Questions
from identity.oauth.wishes import wishes_of
from schemas.errors import Code, Refusal

CONSENT: Final = "/consent"


def consent_path(secret: str) -> str:
    """Give the page of a question."""
    return f"{CONSENT}?{urlencode({'request': secret})}"


async def authorize(request: web.Request) -> web.Response:
    """Take what a client asks for. Raises `no_such_client`, `bad_field`, `rate_limited`, `Transient`."""
    request[TRACE].op = "authorize"
    parameters = _parameters(request)
    client = await client_of(request, parameters["client_id"])
    redirect_uri = redirect_of(client, parameters)
    if not redirect_uri:
        raise not_its_address(client)
    try:
        secret = await _kept(request, client, parameters, redirect_uri)
    except RefusedRequest as refused:
        return await _told(request, client, refused)
    return see_other(consent_path(secret))


async def client_of(request: web.Request, client_id: str) -> OAuthClient:
    """Give a client. Raises `no_such_client`, `Transient`."""
    client = await request[TRACE].edge[AUTHENTICATOR].clients.find(client_id)
    if client is None:
        raise no_such_client(client_id)
    return client


def not_its_address(client: OAuthClient) -> Refusal:
    """Make the refusal of an address that is not the client's."""
    message = f"the request would lead you to an address that is not registered for {client.name}"
    hint = "whoever makes the program sends one of its registered addresses, exactly"
    return Refusal(Code.BAD_FIELD, message, "redirect_uri", hint)


def _parameters(request: web.Request) -> AuthorizationParameters:
    parameters = read_authorization(request.raw_path.partition("?")[2])
    wrong = "the address cannot be read" if parameters is None else parameters.wrong("client_id")
    if parameters is None or wrong:
        raise Refusal(Code.BAD_FIELD, wrong, "client_id", "go back to the app, and try again")
    return parameters


async def _kept(
    request: web.Request, client: OAuthClient, parameters: AuthorizationParameters, redirect_uri: str
) -> str:
    edge = request[TRACE].edge
    code_request = checked_request(client, parameters, redirect_uri)
    wishes = wishes_of(client, parameters, redirect_uri, time.time())
    try:
        audience = await audience_of(parameters["resource"], edge[PUBLIC_URL], edge[AUTHENTICATOR].clients)
    except Refusal as unknown:
        raise RefusedRequest("invalid_target", unknown.message, redirect_uri, parameters["state"]) from unknown
    code_request = msgspec.structs.replace(code_request, audience=audience)
    edge[ASKING].take(source_of(request))
    return await Questions(edge[BUS]).ask(code_request, wishes.slices, owner=wishes.owner)


async def _told(request: web.Request, client: OAuthClient, refused: RefusedRequest) -> web.Response:
    answer = {"error": refused.error, "error_description": refused.description}
    location = location_of(request, refused.redirect_uri, refused.state, answer)
    request[TRACE].code = refused.error
    if client.made_by != "registration" or not wants_page(request):
        return sent(location)
    await current_session(request)
    host = host_of(refused.redirect_uri)
    return page(request, "client_mistake.html", 400, client=client, location=location, host=host, refused=refused)

"""`/device_authorization`: a program without a browser asks for a short code (RFC 8628); and its grant at `/token`."""

import time
from typing import TYPE_CHECKING, Final

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.http.sources import PROXIES
from edge_http.keys import AUTHENTICATOR, PUBLIC_URL
from edge_http.oauth.addresses import DEVICE, address_of
from edge_http.oauth.answers import oauth_error_response, oauth_response
from edge_http.oauth.client_authentication import authenticated_client
from edge_http.oauth.granted import granted_to
from edge_http.oauth.guard import guard_of
from edge_http.oauth.parameters import Parameters, read_parameters
from edge_http.oauth.token import check_registration, check_resource
from edge_http.sessions.places import place_of
from identity.oauth.audiences import audience_of
from identity.oauth.devices import DeviceRequest
from identity.oauth.families import Issued
from schemas.errors import Code, LlumError, Refusal
from schemas.scopes import Scopes, parse_details, parse_scope
from schemas.slicing import check_ends, checked

if TYPE_CHECKING:
    from edge_http.oauth.validating import KnownRequest
    from identity.oauth.clients import OAuthClient

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"

USER_CODE: Final = "user_code"
"""The parameter of the page that holds a short code."""


async def begin_device(request: web.Request) -> web.Response:
    """Keep what a program asks for, and give it the code that its person types."""
    trace = request[TRACE]
    trace.op, trace.render_error = "device_authorization", oauth_error_response
    parameters = await read_parameters(request)
    wanted = _wishes(parameters)
    facts = await authenticated_client(request, parameters)
    _check_may(facts.asking, wanted)
    edge = trace.edge
    authenticator, public_url = edge[AUTHENTICATOR], edge[PUBLIC_URL]
    audience = await audience_of(parameters.get("resource"), public_url, authenticator.clients)
    guard_of(request).take_device(request)
    begun = await authenticator.oauth.devices.begin(
        facts.asking.id,
        wanted.slices,
        owner=wanted.owner,
        audience=audience,
        place=place_of(request),
        source=edge[PROXIES].sender_of(request),
    )
    page = address_of(public_url, DEVICE)
    return oauth_response(
        {
            "device_code": begun.device_code,
            "user_code": begun.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?{USER_CODE}={begun.user_code}",
            "expires_in": begun.expires_in,
            "interval": begun.interval,
        }
    )


async def redeem_device(request: web.Request, parameters: Parameters, facts: "KnownRequest") -> Issued:
    """Give tokens to a program whose person has let it in. Guesses are counted; who waits, is not."""
    client, devices = facts.asking, request[TRACE].edge[AUTHENTICATOR].oauth.devices
    taken = guard_of(request).take_grant(request, known=facts.secret_is_right)

    async def admit(asked: DeviceRequest) -> None:
        await check_resource(request, parameters, asked.audience)
        await check_registration(request, asked.user, asked.client_id, asked.registration)
        await granted_to(request, asked.user, asked.client_id)

    try:
        issued = await devices.poll(parameters.needed("device_code"), client.id, admit)
    except LlumError as error:
        if error.code is not Code.INVALID_GRANT:
            taken.give_back()
        raise
    taken.give_back()
    return issued


def _check_may(client: "OAuthClient", wanted: Scopes) -> None:
    """Check that a client may ask so. Raises `unauthorized_client`, `invalid_scope`."""
    if not client.is_public:
        hint = "a client with a secret runs on a server: send the person's browser to /authorize"
        raise Refusal(Code.UNAUTHORIZED_CLIENT, "short codes are for public clients", "client_id", hint)
    if wanted.owner and not client.may_own:
        hint = "an administrator says which client may"
        raise Refusal(Code.INVALID_SCOPE, "this client may not ask for the scope owner", "scope", hint)


def _wishes(parameters: Parameters) -> Scopes:
    """Read what a program asks for. Raises `invalid_scope`."""
    details = parameters.text("authorization_details")
    try:
        scopes = parse_scope(parameters.get("scope"))
        slices = checked([*scopes.slices, *(parse_details(details) if details else ())], "slices")
        check_ends(slices, time.time(), "slices")
    except Refusal as refusal:
        raise Refusal(Code.INVALID_SCOPE, refusal.message, refusal.error.field, refusal.hint) from refusal
    if not slices and not scopes.owner:
        hint = "send scope, such as ask:Personal, or authorization_details"
        raise Refusal(Code.INVALID_SCOPE, "nothing is asked for", "scope", hint)
    return Scopes(slices, scopes.owner)

"""`/register` (RFC 7591): a program makes itself a client. There only if the operator has said how many may.

Such a client has an id by chance, is never marked as one to be trusted, and is known as one that has registered itself.
What it says of itself that llum has no use for is left out of the answer: a logo, say, since nothing is loaded from
other hosts.
"""

import secrets
import time
from typing import Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import hdrs, web

from edge_http.http.body import read_body
from edge_http.http.errors import STATUS_OF, headers_of
from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.http.sources import PROXIES
from edge_http.keys import AUTHENTICATOR
from edge_http.oauth import addresses
from edge_http.oauth.answers import oauth_error
from edge_http.oauth.metadata import AUTH_METHODS
from edge_http.oauth.token import grants_of
from identity.oauth.clients import Clients, OAuthClient
from identity.oauth.redirects import check_redirect
from identity.throttle import Throttle
from schemas.errors import Code, LlumError, Refusal

REGISTRATIONS: Final = 10
"""Clients that one address may register at once."""

REGISTRATION_EVERY_S: Final = 360.0
"""Seconds for one of those to come back."""

MAX_METADATA_BYTES: Final = 64 * 1024

_ID_BYTES: Final = 12

_CODE_GRANT: Final = "authorization_code"
_CODE: Final = "code"
_PUBLIC: Final = "none"
"""How a client shows that it is that one which has no secret."""
_JSON: Final = "application/json"
_JSON_HINT: Final = f"send one JSON object, with the header Content-Type: {_JSON}"

_OF_METADATA: Final = (Code.BAD_FIELD, Code.TOO_LARGE, Code.MALFORMED, Code.TOO_DEEP)


class _Wanted(msgspec.Struct, frozen=True):
    """What a client says of itself, as far as llum has a use for it. All else is ignored, as RFC 7591 says."""

    redirect_uris: list[str] = []
    client_name: str = ""
    client_uri: str = ""
    token_endpoint_auth_method: str = AUTH_METHODS[0]
    grant_types: list[str] = msgspec.field(default_factory=lambda: [_CODE_GRANT])
    response_types: list[str] = msgspec.field(default_factory=lambda: [_CODE])


class Registering:
    """How many may register themselves, and how fast. There is one in each edge."""

    def __init__(self, most: int) -> None:
        self.most = most
        """Clients that have registered themselves and are there at the same time."""
        self.sources = Throttle(
            time.monotonic, REGISTRATIONS, REGISTRATION_EVERY_S, "clients registered from this address"
        )


_REGISTERING: Final = web.AppKey("registering", Registering)


def add_registration(app: web.Application, most: int) -> None:
    """Let so many clients register themselves; 0: there is no such endpoint."""
    if most:
        app[_REGISTERING] = Registering(most)
        app.router.add_post(addresses.REGISTER, register)


async def register(request: web.Request) -> web.Response:
    """Register a client, and answer what it is, with its secret."""
    trace = request[TRACE]
    trace.op, trace.render_error = "register", _error_response
    edge = trace.edge
    wanted = await _wanted(request)
    _check(wanted, edge)
    client = _client(wanted)
    edge[_REGISTERING].sources.take(edge[PROXIES].sender_of(request))
    clients = edge[AUTHENTICATOR].clients
    made = await _within_quota(clients, client, edge[_REGISTERING].most)
    trace.app = made.id
    secret = None if made.is_public else await clients.new_secret(made.id)
    return json_response(msgspec.json.encode(_answer(made, wanted, secret)), 201, {hdrs.PRAGMA: "no-cache"})


async def _wanted(request: web.Request) -> _Wanted:
    if request.content_type != _JSON:
        raise Refusal(Code.BAD_FIELD, f"the body is {request.content_type}", hdrs.CONTENT_TYPE, _JSON_HINT)
    try:
        return msgspec.json.decode(await read_body(request, MAX_METADATA_BYTES), type=_Wanted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(Code.MALFORMED, f"the body says no client: {error}", None, _JSON_HINT) from error


def _check(wanted: _Wanted, edge: web.Application) -> None:
    """Check what no client of another sort has. Raises `bad_field`."""
    known = (*AUTH_METHODS, _PUBLIC)
    if wanted.token_endpoint_auth_method not in known:
        raise _unknown("token_endpoint_auth_method", known)
    grants = grants_of(edge)
    if not wanted.grant_types or not set(wanted.grant_types) <= set(grants):
        raise _unknown("grant_types", grants)
    if not set(wanted.response_types) <= {_CODE}:
        raise _unknown("response_types", (_CODE,))
    if _CODE_GRANT in wanted.grant_types and not wanted.redirect_uris:
        hint = "name the addresses that browsers are sent back to"
        raise Refusal(Code.BAD_FIELD, "there is no redirect_uri", "redirect_uris", hint)


def _client(wanted: _Wanted) -> OAuthClient:
    for index, uri in enumerate(wanted.redirect_uris):
        check_redirect(uri, f"redirect_uris[{index}]")
    client_id = f"c-{secrets.token_hex(_ID_BYTES)}"
    is_public = wanted.token_endpoint_auth_method == _PUBLIC
    return OAuthClient(
        client_id,
        wanted.client_name or client_id,
        _home(wanted),
        wanted.redirect_uris,
        "public" if is_public else "confidential",
        origins=_origins(wanted.redirect_uris) if is_public else [],
        made_by="registration",
    )


def _home(wanted: _Wanted) -> str:
    """Give its page, if browsers are sent back to that host: anyone could say to be from any other (RFC 7591, 5)."""
    hosts = {_host(uri) for uri in wanted.redirect_uris}
    return wanted.client_uri if _host(wanted.client_uri) in hosts else ""


def _host(uri: str) -> str | None:
    try:
        return urlsplit(uri).hostname
    except ValueError:
        return None


def _origins(redirect_uris: list[str]) -> list[str]:
    """Let the scripts of the pages read answers that are handed the codes."""
    places = (urlsplit(uri) for uri in redirect_uris if uri.startswith("https://"))
    return sorted({f"https://{place.netloc.lower().removesuffix(':443')}" for place in places})


async def _within_quota(clients: Clients, client: OAuthClient, most: int) -> OAuthClient:
    """Make a client, and take it back if there are too many then: so many at once do not become too many.

    Raises `quota`, and what `Clients.add` raises.
    """
    made = await clients.add(client)
    there = sum(one.made_by == "registration" for one in await clients.list())
    if there > most:
        await clients.delete(made.id, unused=True)
        raise Refusal(Code.QUOTA, f"{most} clients have registered themselves", None, "ask whoever runs this llum")
    return made


def _answer(client: OAuthClient, wanted: _Wanted, secret: str | None) -> dict[str, object]:
    """Say what is registered (RFC 7591, 3.2.1)."""
    told: dict[str, object] = {
        "client_id": client.id,
        "client_id_issued_at": int(client.made),
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "token_endpoint_auth_method": wanted.token_endpoint_auth_method,
        "grant_types": wanted.grant_types,
        "response_types": wanted.response_types,
    }
    told |= {"client_uri": client.home} if client.home else {}
    return told if secret is None else told | {"client_secret": secret, "client_secret_expires_at": 0}


def _unknown(field: str, known: tuple[str, ...] | list[str]) -> Refusal:
    return Refusal(Code.BAD_FIELD, f"llum does not know this {field}", field, f"use {', '.join(known)}")


def _error_response(error: LlumError) -> web.Response:
    """Render an error in the words of RFC 7591, 3.2.2."""
    members = oauth_error(error)
    if error.code in _OF_METADATA:
        is_address = (error.error.field or "").startswith("redirect_uris")
        members["error"] = "invalid_redirect_uri" if is_address else "invalid_client_metadata"
    elif error.code is Code.QUOTA:
        members["error"] = "access_denied"
    return json_response(msgspec.json.encode(members), STATUS_OF[error.code], headers_of(error))

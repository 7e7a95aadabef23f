"""`/access_token` of the preferences service: a token for a key, in the form of the password grant of OAuth 2.

The user's name is the key, and the password is anything. Statuses, bodies and the order of the checks are those of the
original; an unmodified client of it works here.
"""

import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import hdrs, web

from edge_http.http.observe import TRACE
from edge_http.http.responses import JSON_HEADERS, json_response
from edge_http.http.sources import PROXIES
from edge_http.key_grants.posted import Posted
from edge_http.keys import AUTHENTICATOR, REQUESTS
from edge_http.oauth.answers import oauth_response
from identity.preferences.key_tokens import LIFETIME_S
from identity.preferences.keys import is_key
from identity.registrations import access
from identity.throttle import Attempts, Throttle
from schemas.apps import PREFERENCES_APP
from schemas.errors import Code, Refusal

if TYPE_CHECKING:
    from identity.preferences.credentials import ClientCredential, ProvenClient

ISSUED: Final = 600
"""Tokens that one credential may get at one address at once: people of a school behind one router who all sign in."""

ISSUED_EVERY_S: Final = 1.0
"""Seconds for one of these to come back. Each is kept for an hour."""

_SHOWN_CHARACTERS: Final = 100

_UNAUTHORIZED: Final = "Unauthorized"


class KeyGuard:
    """Counts guesses. There is one in each edge."""

    def __init__(self) -> None:
        self.secrets = Attempts("wrong secrets of clients")
        self.keys = Attempts("keys that there are not")
        self.issued = Throttle(time.monotonic, ISSUED, ISSUED_EVERY_S, "tokens for this client and address")


_GUARD: Final = web.AppKey("key_guard", KeyGuard)


class _DeniedError(Exception):
    """The answer to a request that gets no token."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description


def add_key_grant(app: web.Application) -> None:
    """Prepare the application for `key_grant`."""
    app[_GUARD] = KeyGuard()


async def key_grant(request: web.Request, posted: Posted) -> web.Response:
    """Give a token for a key, or say why not. Raises `rate_limited`, `unavailable`."""
    client_id, secret = posted.get("client_id"), posted.get("client_secret")
    if not client_id or not secret:
        headers = {**JSON_HEADERS, hdrs.CONTENT_TYPE: "text/plain; charset=utf-8"}
        return web.Response(body=_UNAUTHORIZED.encode(), status=401, headers=headers)
    try:
        proven = await _proven(request, client_id, secret)
        key = _key_in(posted)
        await _check(request, proven, key)
    except _DeniedError as denied:
        members = {"error": denied.error, "error_description": denied.description}
        return json_response(msgspec.json.encode(members), denied.status, {hdrs.CACHE_CONTROL: "no-store"})
    edge = request[TRACE].edge
    edge[_GUARD].issued.take((_source(request), proven.credential.id))
    token = await edge[AUTHENTICATOR].key_tokens.issue(key, proven.credential)
    return oauth_response({"access_token": token, "expiresIn": LIFETIME_S, "token_type": "Bearer"})


async def _proven(request: web.Request, client_id: Any, secret: Any) -> "ProvenClient":
    """Give the client whose secret this is. Who it is counts guesses, whether there is such a client or not."""
    if not (isinstance(client_id, str) and isinstance(secret, str)):
        raise _unauthorized()
    edge = request[TRACE].edge
    taken = edge[_GUARD].secrets.take(_source(request), client_id)
    proven = await edge[AUTHENTICATOR].credentials.proven(client_id, secret)
    if proven is None:
        raise _unauthorized()
    taken.give_back()
    return proven


def _key_in(posted: Posted) -> str:
    """Find the key in what else was sent."""
    grant_type = posted.get("grant_type")
    if grant_type != "password":
        shown = "undefined" if grant_type is None else str(grant_type)[:_SHOWN_CHARACTERS]
        raise _DeniedError(501, "unsupported_grant_type", f"Unsupported grant type: {shown}")
    key, password, scope = posted.get("username"), posted.get("password"), posted.get("scope")
    if not isinstance(key, str) or not key:
        raise _DeniedError(400, "invalid_request", "Missing required parameter: username")
    if not password:
        raise _DeniedError(400, "invalid_request", "Missing required parameter: password")
    if scope and not isinstance(scope, str):
        raise _DeniedError(400, "invalid_request", "Invalid parameter: scope must be a string")
    return key


async def _check(request: web.Request, proven: "ProvenClient", key: str) -> None:
    """Check whether the client may have a token for the key, from where it is."""
    if not proven.credential.may_come_from(request[TRACE].edge[PROXIES].address_of(request)):
        raise _unauthorized()
    if not is_key(key) or not await _may_have(request, proven.credential, key):
        raise _unauthorized()
    if not proven.fits:
        raise _unauthorized()


async def _may_have(request: web.Request, credential: "ClientCredential", key: str) -> bool:
    """Tell whether a key is there, or need not be. A revoked one is never given a token for."""
    edge = request[TRACE].edge
    record = await edge[AUTHENTICATOR].preference_keys.find(key)
    if record.revoked or record.known or credential.may_use_new_keys:
        return not record.revoked
    taken = edge[_GUARD].keys.take(_source(request), credential.id)
    try:
        await access(edge[REQUESTS], record.user, PREFERENCES_APP)
    except Refusal as refusal:
        if refusal.code is not Code.NO_SUCH_MODEL:
            raise
        return False
    taken.give_back()
    return True


def _unauthorized() -> _DeniedError:
    return _DeniedError(401, "server_error", _UNAUTHORIZED)


def _source(request: web.Request) -> str:
    return request[TRACE].edge[PROXIES].sender_of(request)

"""Which client asks, and whether it has shown that it is that one."""

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from aiohttp import hdrs, web

from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR
from edge_http.oauth.guard import guard_of
from edge_http.oauth.parameters import Parameters
from schemas.errors import Code, Refusal

if TYPE_CHECKING:
    from edge_http.oauth.validating import KnownRequest
    from identity.oauth.clients import OAuthClient

_BASIC: Final = re.compile(r"[Bb]asic +([A-Za-z0-9+/]{1,4096}={0,2})", re.ASCII)


class _Shown(NamedTuple):
    client_id: str
    secret: str
    authorization: str


async def authenticated_client(request: web.Request, parameters: Parameters) -> "KnownRequest":
    """Give the client that asks, with all that was read for it. Raises `invalid_client`, `rate_limited`, `Transient`.

    From then on the scripts of its own web pages may read the answer, and of no others.
    """
    shown = _shown(request, parameters)
    clients = request[TRACE].edge[AUTHENTICATOR].clients
    taken = guard_of(request).take_secret(request, shown.client_id) if shown.secret else None
    client = await clients.find(shown.client_id)
    is_right = bool(shown.secret) and await clients.check_secret(shown.client_id, shown.secret)
    if taken is not None and is_right:
        taken.give_back()
    return _checked(request, parameters, shown, client, is_right=is_right)


def _checked(
    request: web.Request, parameters: Parameters, shown: _Shown, client: "OAuthClient | None", *, is_right: bool
) -> "KnownRequest":
    # It brings Authlib, which takes a moment to import.
    from edge_http.oauth.validating import KnownRequest, check_client

    facts = KnownRequest(parameters.visible(), shown.authorization, client, is_right)
    request[TRACE].origins = frozenset(check_client(facts).origins)
    return facts


def _shown(request: web.Request, parameters: Parameters) -> _Shown:
    """Find what a client shows of itself, in one place. Raises `invalid_client`, `bad_field`."""
    client_id, secret = parameters.get("client_id"), parameters.get("client_secret")
    headers = request.headers.getall(hdrs.AUTHORIZATION, ())
    if not headers:
        return _Shown(client_id, secret, "")
    basic = _basic(headers[0]) if len(headers) == 1 else None
    if basic is None:
        raise Refusal(
            Code.INVALID_CLIENT, "the Authorization header does not hold Basic credentials", hdrs.AUTHORIZATION
        )
    if secret or client_id not in ("", basic[0]):
        raise Refusal(Code.BAD_FIELD, "the client shows itself twice: in a header and in the form", "client_id")
    return _Shown(*basic, headers[0])


def _basic(header: str) -> tuple[str, str] | None:
    match = _BASIC.fullmatch(header.strip())
    try:
        decoded = base64.b64decode(match[1], validate=True).decode("ascii") if match else ""
        client_id, colon, secret = decoded.partition(":")
        client_id, secret = unquote(client_id, errors="strict"), unquote(secret, errors="strict")
    except (binascii.Error, ValueError):
        return None
    is_usable = colon and client_id and secret and (client_id + secret).isascii() and (client_id + secret).isprintable()
    return (client_id, secret) if is_usable else None

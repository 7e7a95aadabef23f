"""Who is this: a bearer token in the Authorization header, and nowhere else."""

import re
from typing import TYPE_CHECKING, Final

from aiohttp import web

from edge_http.http.errors import Unauthenticated
from edge_http.http.observe import TRACE
from edge_http.keys import PUBLIC_URL, TOKENS

if TYPE_CHECKING:
    from identity.tokens import Identity

MAX_TOKEN_CHARACTERS: Final = 4096
"""Characters of a token; longer cannot be one of ours and need not be hashed."""

_BEARER = re.compile(rf"[Bb]earer +([A-Za-z0-9._~+/-]{{1,{MAX_TOKEN_CHARACTERS}}}=*)", re.ASCII)


async def authenticate(request: web.Request) -> "Identity":
    """Give the identity of the caller and note it in the trace. Raises `not_authenticated`, `unavailable`."""
    token = _token_of(request)
    identity = await request.app[TOKENS].look_up(token)
    if identity is None:
        raise unauthenticated(request, "the token is unknown or has expired", "invalid_token")
    trace = request[TRACE]
    trace.user, trace.app = identity.user, identity.app
    return identity


def has_token(request: web.Request) -> bool:
    """Tell whether the caller tries to say by a token who it is, be it in the wrong place."""
    return "Authorization" in request.headers or (bool(request.query_string) and "access_token" in request.query)


def _token_of(request: web.Request) -> str:
    if request.query_string and "access_token" in request.query:
        message = "a token in the query string is refused: it would end up in logs"
        raise unauthenticated(request, message, "invalid_request")
    headers = request.headers.getall("Authorization", ())
    if not headers:
        raise unauthenticated(request, "there is no bearer token")
    match = _BEARER.fullmatch(headers[0].strip()) if len(headers) == 1 else None
    if match is None:
        raise unauthenticated(request, "the Authorization header is not one bearer token", "invalid_request")
    return match[1]


def unauthenticated(request: web.Request, message: str, reason: str | None = None) -> Unauthenticated:
    """Make the refusal of a caller who is not known, with a challenge that names the realm."""
    realm = request.app[PUBLIC_URL]
    challenge = f'Bearer realm="{realm}"'
    return Unauthenticated(message, f'{challenge}, error="{reason}"' if reason else challenge)

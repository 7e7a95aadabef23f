"""The bearer token of a request: in the Authorization header, and nowhere else."""

import functools
import re
from typing import Final

from aiohttp import hdrs, web
from multidict import MultiMapping

from edge_http.http.errors import Unauthenticated
from edge_http.http.observe import TRACE
from edge_http.keys import PUBLIC_URL
from edge_http.oauth.addresses import resource_metadata_of
from schemas.recent import CHEAP_RESULTS

MAX_TOKEN_CHARACTERS: Final = 4096
"""Characters of a token; longer cannot be one of ours and need not be hashed."""

_USUAL_CHARACTERS: Final = 128
"""Characters of a header with one of our tokens, and a few more: what is longer is not remembered."""

_BEARER = re.compile(rf"[Bb]earer +([A-Za-z0-9._~+/-]{{1,{MAX_TOKEN_CHARACTERS}}}=*)", re.ASCII)


def has_token(request: web.Request) -> bool:
    """Tell whether the caller tries to say by a token who it is, be it in the wrong place."""
    return hdrs.AUTHORIZATION in request.headers or _is_in_query(request)


def token_of(request: web.Request) -> str:
    """Give the token of a request, or raise `not_authenticated`."""
    if _is_in_query(request):
        message = "a token in the query string is refused: it would end up in logs"
        raise unauthenticated(request, message, "invalid_request")
    headers = request.headers.getall(hdrs.AUTHORIZATION, ())
    if not headers:
        raise unauthenticated(request, "there is no bearer token")
    token = _token_in(headers[0]) if len(headers) == 1 else None
    if token is None:
        raise unauthenticated(request, "the Authorization header is not one bearer token", "invalid_request")
    return token


def _is_in_query(request: web.Request) -> bool:
    return "?" in request.raw_path and "access_token" in request.query


def only_token_of(request: web.Request) -> str | None:
    """Give the token of a request that has one in the usual place and nothing odd about it."""
    return None if "?" in request.raw_path else only_token_in(request.headers)


def only_token_in(headers: MultiMapping[str]) -> str | None:
    """Do the same for the headers of a request without a query."""
    said = headers.getall(hdrs.AUTHORIZATION, ())
    if len(said) != 1 or len(said[0]) > _USUAL_CHARACTERS:
        return None
    return _usual_token_in(said[0])


def _token_in(header: str) -> str | None:
    match = _BEARER.fullmatch(header.strip())
    return match[1] if match else None


_usual_token_in = functools.lru_cache(maxsize=CHEAP_RESULTS)(_token_in)


def challenge(request: web.Request, reason: str | None = None) -> str:
    """Give the challenge of a 401: the realm, what was wrong, and where to learn how to get a token (RFC 9728)."""
    public_url = request[TRACE].edge[PUBLIC_URL]
    error = f', error="{reason}"' if reason else ""
    return f'Bearer realm="{public_url}"{error}, resource_metadata="{resource_metadata_of(public_url)}"'


def unauthenticated(request: web.Request, message: str, reason: str | None = None) -> Unauthenticated:
    """Make the refusal of a caller who is not known, with the challenge."""
    return Unauthenticated(message, challenge(request, reason))

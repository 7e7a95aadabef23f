"""Answers of the endpoints, in the form of RFC 6749: never stored by anybody."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from edge_http.http.errors import STATUS_OF, headers_of
from edge_http.http.responses import json_response
from schemas.errors import Code, LlumError

ERROR_OF: Final[Mapping[Code, str]] = {
    Code.INVALID_GRANT: "invalid_grant",
    Code.INVALID_CLIENT: "invalid_client",
    Code.NO_SUCH_CLIENT: "invalid_client",
    Code.INVALID_TARGET: "invalid_target",
    Code.INVALID_SCOPE: "invalid_scope",
    Code.UNAUTHORIZED_CLIENT: "unauthorized_client",
    Code.UNSUPPORTED_GRANT_TYPE: "unsupported_grant_type",
    Code.AUTHORIZATION_PENDING: "authorization_pending",
    Code.SLOW_DOWN: "slow_down",
    Code.EXPIRED_TOKEN: "expired_token",
    Code.ACCESS_DENIED: "access_denied",
    Code.PERMISSION_DENIED: "access_denied",
    Code.RATE_LIMITED: "temporarily_unavailable",
    Code.TOO_FAST: "temporarily_unavailable",
    Code.UNAVAILABLE: "temporarily_unavailable",
    Code.NOT_YET: "temporarily_unavailable",
    Code.INTERNAL: "server_error",
}
"""What clients know errors by; all others are `invalid_request`."""

_NO_STORE: Final[Mapping[str, str]] = {hdrs.CACHE_CONTROL: "no-store", hdrs.PRAGMA: "no-cache"}

_NOT_IN_DESCRIPTIONS: Final = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
"""RFC 6749 leaves quotes and backslashes out of `error_description`."""


def oauth_error(error: LlumError) -> dict[str, str]:
    """Give the members of an error: those of RFC 6749, and llum's own code and hint beside them."""
    members = {
        "error": ERROR_OF.get(error.code, "invalid_request"),
        "error_description": _NOT_IN_DESCRIPTIONS.sub("'", error.message),
        "code": error.code.value,
    }
    return members | ({"hint": error.hint} if error.hint else {})


def oauth_error_response(error: LlumError) -> web.Response:
    """Render an error as an endpoint does. Whoever has not shown which client it is learns how: 401."""
    headers: dict[str, str] = {**_NO_STORE, **headers_of(error)}
    if error.code in (Code.INVALID_CLIENT, Code.NO_SUCH_CLIENT):
        headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="llum", error="invalid_client"'
    status = 401 if error.code is Code.NO_SUCH_CLIENT else STATUS_OF[error.code]
    return json_response(msgspec.json.encode(oauth_error(error)), status, headers)


def oauth_response(members: Mapping[str, Any]) -> web.Response:
    """Answer with JSON that nobody stores."""
    return json_response(msgspec.json.encode(members), 200, _NO_STORE)

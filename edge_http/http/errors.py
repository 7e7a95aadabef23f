"""The one table from error codes to HTTP statuses, and the error body of every face that has none of its own."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web

from edge_http.http.responses import BODY_END, JSON_HEADERS, json_response
from schemas.errors import SETUP_CODES, Code, Error, LlumError, Refusal, Transient

STATUS_OF: Final = {
    Code.MALFORMED: 400,
    Code.BAD_FIELD: 400,
    Code.TOO_LARGE: 413,
    Code.TOO_DEEP: 400,
    Code.UNKNOWN_VERB: 404,
    Code.UNSUPPORTED_VERSION: 400,
    Code.BAD_SUBJECT: 400,
    Code.BAD_PATH: 400,
    Code.BAD_VALUE: 422,
    Code.BAD_FILTER: 400,
    Code.UNKNOWN_RESOLVER: 400,
    Code.NO_SUCH_MODEL: 404,
    Code.NO_SUCH_CONTEXT: 404,
    Code.NO_SUCH_COMPONENT: 404,
    Code.NO_SUCH_VIEW: 404,
    Code.NO_SUCH_APP: 404,
    Code.NO_SUCH_RULE: 404,
    Code.NO_SUCH_CLIENT: 404,
    Code.NO_SUCH_KEY: 404,
    # 404 would have a program store what it has under this key anew.
    Code.KEY_REVOKED: 403,
    Code.READ_ONLY: 409,
    Code.NO_SUCH_QUESTION: 404,
    Code.NO_SUCH_EVIDENCE: 404,
    Code.BAD_RULE: 400,
    Code.RULE_LIMIT: 422,
    Code.QUOTA: 422,
    Code.RESOLVER_FAILED: 500,
    Code.ALREADY_EXISTS: 409,
    Code.ID_REUSED: 409,
    Code.CAUSE_WITHDRAWN: 409,
    Code.PERMISSION_DENIED: 403,
    Code.TOO_MUCH_EVIDENCE: 422,
    Code.NOT_AUTHENTICATED: 401,
    Code.NOT_FRESH: 401,
    Code.CROSS_SITE: 403,
    Code.NO_SUCH_ISSUER: 404,
    Code.ISSUER_UNAVAILABLE: 503,
    Code.ISSUER_REFUSED: 403,
    Code.NOT_PROVEN: 400,
    Code.LAST_WAY_IN: 409,
    Code.INVALID_GRANT: 400,
    Code.INVALID_CLIENT: 401,
    Code.INVALID_TARGET: 400,
    Code.INVALID_SCOPE: 400,
    Code.UNAUTHORIZED_CLIENT: 400,
    Code.UNSUPPORTED_GRANT_TYPE: 400,
    Code.AUTHORIZATION_PENDING: 400,
    Code.SLOW_DOWN: 400,
    Code.EXPIRED_TOKEN: 400,
    Code.ACCESS_DENIED: 400,
    Code.RATE_LIMITED: 429,
    Code.TOO_FAST: 429,
    Code.TOO_SLOW: 503,
    Code.UNAVAILABLE: 503,
    Code.NOT_YET: 503,
    Code.INTERNAL: 500,
    **dict.fromkeys(SETUP_CODES, 500),
}

_CODES_OF_STATUS: Final = {404: Code.UNKNOWN_VERB, 405: Code.UNKNOWN_VERB, 413: Code.TOO_LARGE}
"""Codes for what aiohttp itself refuses; any other client error is `malformed`."""

_DEFAULT_RETRY_AFTER_S: Final = 1.0
"""For a transient error that came as a plain code, without its delay."""

BEARER_HINT: Final = "send the header Authorization: Bearer <token>"


class Unauthenticated(Refusal):
    """No valid bearer token: 401, with the challenge that says what would be accepted."""

    def __init__(
        self,
        message: str,
        challenge: str,
        field: str = "Authorization",
        hint: str = BEARER_HINT,
        code: Code = Code.NOT_AUTHENTICATED,
    ) -> None:
        super().__init__(code, message, field, hint)
        self.challenge = challenge


def members_of(error: Error) -> dict[str, Any]:
    """Give the members of an error's JSON object; absent parts are null. `missing` is there if there is one."""
    members = {"code": error.code.value, "message": error.message, "field": error.field, "hint": error.hint}
    return members if error.missing is None else {**members, "missing": error.missing}


def headers_of(error: LlumError) -> dict[str, str]:
    """Give the headers that go with an error: the challenge of a 401, when to come back, always after a 429 or 503."""
    if error.code in (Code.NOT_AUTHENTICATED, Code.NOT_FRESH):
        challenge = error.challenge if isinstance(error, Unauthenticated) else "Bearer"
        return {"WWW-Authenticate": challenge}
    after_s = error.error.retry_after_s
    if after_s is not None:
        return {"Retry-After": str(max(1, math.ceil(after_s)))}
    if STATUS_OF[error.code] in (429, 503):
        delay_s = error.retry_after_s if isinstance(error, Transient) else _DEFAULT_RETRY_AFTER_S
        return {"Retry-After": str(max(1, math.ceil(delay_s)))}
    return {}


def error_response(error: LlumError) -> web.Response:
    """Render `{"error": {code, message, field, hint}}` with the status of the code."""
    body = msgspec.json.encode({"error": members_of(error.error)})
    return json_response(body, STATUS_OF[error.code], headers_of(error))


def plain_response(error: Error, status: int, headers: Mapping[str, str]) -> bytes:
    """Write a whole response for a connection that ends with it, before there is a request to respond to."""
    body = msgspec.json.encode({"error": members_of(error)}) + BODY_END
    lines = {**JSON_HEADERS, **headers, "Connection": "close", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{head}\r\n".encode() + body


def framework_response(refused: web.HTTPException, method: str, path: str) -> web.Response:
    """Render what aiohttp itself refuses, such as an unknown path, in the same shape and with aiohttp's status."""
    code = _CODES_OF_STATUS.get(refused.status, Code.MALFORMED if refused.status < 500 else Code.INTERNAL)
    message = f"{method[:16]} {path[:200]}: {refused.reason}"
    body = msgspec.json.encode({"error": members_of(Error(code, message))})
    allow = refused.headers.get("Allow")
    return json_response(body, refused.status, {"Allow": allow} if allow else None)

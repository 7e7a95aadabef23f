"""Answers as clients of the preferences service know them, and beside them what llum says elsewhere."""

from typing import Any, Final

import msgspec
from aiohttp import hdrs, web
from multidict import CIMultiDict

from edge_http.http.errors import STATUS_OF, headers_of, members_of
from edge_http.http.insufficient import insufficient_scope
from edge_http.http.responses import BODY_END, JSON_HEADERS, QuickResponse
from schemas.errors import Code, LlumError, Refusal

HEADERS: Final = CIMultiDict({**JSON_HEADERS, "Content-Type": "application/json; charset=utf-8"})

INVALID: Final = "Your request was invalid.  See the errors for details."

_NO_KEY: Final = "GPII key does not exist"
_MAKE_IT: Final = "look for a typing error; a PUT to this key makes it"

_PARAMETERS: Final = {"as_of": "at", "as_of_time": "at"}
"""What parameters are called here that have another name in a query."""


class InvalidPreferences(Refusal):
    """A body that is no preferences: each of its errors, as the checker words them."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(Code.BAD_FIELD, INVALID, _place_of(errors), "correct what `errors` names, and send it again")
        self.errors = errors


class PreferencesResponse(QuickResponse):
    """A response of status 200 with the type of content that these clients know, and a tag of it."""

    FIXED = HEADERS

    def __init__(self, body: bytes, etag: str | None = None) -> None:
        super().__init__(body, {} if etag is None else {hdrs.ETAG: etag})


def answered(value: Any) -> web.Response:
    """Answer what has no tag."""
    return PreferencesResponse(msgspec.json.encode(value) + BODY_END)


def render_error(error: LlumError, key: str = "", metadata_url: str = "", *, made_by_put: bool = False) -> web.Response:
    """Render an error: `{isError, message, errorCode?, code, field, hint}`.

    With `metadata_url` the caller has its token by OAuth 2, and learns by a header which right is missing. With
    `made_by_put` a PUT of the caller makes a safe that is not there.
    """
    members = {"isError": True, **members_of(error.error)}
    members["field"] = _PARAMETERS.get(error.error.field or "", error.error.field)
    status = STATUS_OF[error.code]
    if isinstance(error, InvalidPreferences):
        members |= {"isValid": False, "errors": error.errors}
    elif error.code is Code.NO_SUCH_MODEL:
        members |= {"message": _NO_KEY, "errorCode": "GPII_ERR_NO_GPIIKEY"}
        if made_by_put and error.error.field is None:
            members["hint"] = _MAKE_IT
    elif error.code is Code.READ_ONLY:
        status, members = 404, members | _read_only(key)
    elif error.code is Code.BAD_VALUE:
        # These clients know one status for a body that is not taken.
        status = 400
    headers = {**HEADERS, **headers_of(error)}
    if metadata_url and error.code is Code.PERMISSION_DENIED:
        headers[hdrs.WWW_AUTHENTICATE] = insufficient_scope(error.error, metadata_url)
    return web.Response(body=msgspec.json.encode(members) + BODY_END, status=status, headers=headers)


def refused(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """Answer a path or method that there is not."""
    members = {"isError": True, "code": Code.UNKNOWN_VERB.value, "message": message, "field": None, "hint": None}
    body = msgspec.json.encode(members) + BODY_END
    return web.Response(body=body, status=status, headers={**HEADERS, **(headers or {})})


def _read_only(key: str) -> dict[str, str]:
    message = f'Can\'t update preferences for readOnly GPII key "{key}" (perhaps it is a snapset)'
    return {"message": message, "errorCode": "GPII_ERR_READONLY"}


def _place_of(errors: list[dict[str, Any]]) -> str | None:
    """Name the place of the first error."""
    path = errors[0].get("dataPath") if errors else None
    return ".".join(map(str, path)) if path else None

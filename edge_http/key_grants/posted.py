"""What is posted to `/access_token`: a form or JSON. What is neither counts as nothing, as in the original."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from edge_http.oauth.parameters import MAX_PARAMETERS
from schemas.decoding import decode
from schemas.errors import Code, Refusal

Posted = Mapping[str, Any]
"""Of a form all values are texts, or lists of them where a name is there several times."""

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"

_AS_JSON: Final = '{"grant_type": "password", "client_id": …, "client_secret": …, "username": <key>, "password": …}'
_AS_FORM: Final = (
    f"send at most {MAX_PARAMETERS} fields name=value with & between them, other characters as %XX: "
    "curl --data-urlencode name=value does that"
)

_DECODER: Final = msgspec.json.Decoder()


def posted_in(request: web.Request, body: bytes) -> Posted:
    """Read a body. Raises `malformed`, `bad_field` for JSON that is no object or list."""
    if not body:
        return {}
    if request.content_type == _JSON:
        found = _decoded(body)
        if not isinstance(found, dict | list):
            raise Refusal(Code.BAD_FIELD, "the body is no JSON object", None, f"send {_AS_JSON}")
        return found if isinstance(found, dict) else {}
    return _form(body) if request.content_type == _FORM else {}


def _decoded(body: bytes) -> Any:
    try:
        return decode(_DECODER, body)
    except Refusal as refusal:
        raise Refusal(refusal.code, refusal.message, None, f"send {_AS_JSON}, or a form") from refusal


def _form(body: bytes) -> Posted:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise Refusal(Code.MALFORMED, "the body is no form", None, _AS_FORM) from error
    found: dict[str, Any] = {}
    for name, value in pairs:
        there = found.get(name)
        found[name] = value if there is None else [*(there if isinstance(there, list) else [there]), value]
    return found

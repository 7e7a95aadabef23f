"""What is sent in the body of a request: preferences as JSON, or as a form."""

import codecs
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from edge_http.http.body import read_body
from edge_http.preferences.forms import TOO_DEEP_HINT, object_of
from schemas.decoding import decode
from schemas.errors import Code, Refusal
from schemas.limits import MAX_JSON_DEPTH

MAX_BYTES: Final = 102_400
"""Bytes of a body: 100 KiB, as in the original service."""

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MERGE_PATCH: Final = "application/merge-patch+json"

_JSON_HINTS: Final = {
    Code.MALFORMED: "send JSON in UTF-8, as a JSON library writes it: python -m json.tool FILE shows where it is none",
    Code.TOO_DEEP: TOO_DEEP_HINT,
}
_VALUE_HINT: Final = "send numbers that a double holds, and no NaN"

_DECODER: Final = msgspec.json.Decoder()


async def read_preferences(request: web.Request) -> Any:
    """Read a body. Nothing, or what is neither JSON nor a form, counts as `{}`.

    Raises `malformed`, `bad_field` for a scalar, `too_deep`, `too_large`.
    """
    data = await _read(request)
    kind = request.content_type
    if not data or kind not in (JSON, FORM):
        return {}
    return _object_in(data) if kind == JSON else object_of(data)


async def read_patch(request: web.Request) -> dict[str, Any]:
    """Read a merge patch. Raises as `read_preferences`, and `bad_field` for another type of body."""
    data = await _read(request)
    if request.content_type not in (MERGE_PATCH, JSON):
        hint = f"send the header Content-Type: {MERGE_PATCH}"
        raise Refusal(Code.BAD_FIELD, "the body is no merge patch", str(hdrs.CONTENT_TYPE), hint)
    patch = _object_in(data)
    if not isinstance(patch, dict):
        raise Refusal(Code.BAD_FIELD, "a merge patch is an object", None, "send what is to change, and null to unset")
    return patch


async def _read(request: web.Request) -> bytes:
    try:
        return await read_body(request, MAX_BYTES)
    except Refusal as refusal:
        if refusal.code is not Code.TOO_LARGE:
            raise
        hint = f"a body has at most {MAX_BYTES} bytes here"
        raise Refusal(Code.TOO_LARGE, "request entity too large", None, hint) from refusal


def _object_in(data: bytes) -> Any:
    try:
        found = decode(_DECODER, data.removeprefix(codecs.BOM_UTF8))
    except Refusal as refusal:
        # What is said of a place is of no use: it has no names in it.
        raise Refusal(refusal.code, refusal.message, None, _JSON_HINTS.get(refusal.code, _VALUE_HINT)) from refusal
    if not isinstance(found, dict | list):
        raise Refusal(Code.BAD_FIELD, "the body is no JSON object", None, 'send {"contexts": {…}}')
    # A body with few brackets cannot be deep: most need not be walked.
    if data.count(b"{") + data.count(b"[") > MAX_JSON_DEPTH:
        _check_depth(found)
    return found


def _check_depth(body: Any) -> None:
    level, depth = [body], 0
    while level:
        if depth > MAX_JSON_DEPTH:
            raise Refusal(Code.TOO_DEEP, f"the body is nested deeper than {MAX_JSON_DEPTH} levels", None, TOO_DEEP_HINT)
        level = [member for node in level for member in _members_of(node) if isinstance(member, dict | list)]
        depth += 1


def _members_of(node: Any) -> Any:
    return node.values() if isinstance(node, dict) else node

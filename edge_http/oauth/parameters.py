"""What is posted to an endpoint: a form, whatever its Content-Type says, with each parameter once."""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from edge_http.http.body import read_body
from schemas.errors import Code, Refusal

MAX_FORM_BYTES: Final = 64 * 1024
"""Bytes of a form: tokens and addresses have a few hundred."""

MAX_PARAMETERS: Final = 64

_VISIBLE: Final = re.compile(r"[\x20-\x7e]*")
_TEXT: Final = re.compile(r"[^\x00-\x1f\x7f]*")

_OTHER_KINDS: Final = ("application/json", "multipart/form-data")

FORM_HINT: Final = "send a form: Content-Type application/x-www-form-urlencoded"


class Parameters:
    """The parameters of a request. One without a value counts as if it were not there (RFC 6749, 3.2)."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Raises `bad_field` for a parameter that is there twice."""
        self._values: dict[str, str] = {}
        for name, value in pairs:
            if name in self._values:
                raise Refusal(Code.BAD_FIELD, f"the parameter {_shown(name)} is there twice", _shown(name))
            self._values[name] = value

    def get(self, name: str) -> str:
        """Give a parameter; "" if it is not there. Raises `bad_field` for characters that it may not have."""
        return self._checked(name, _VISIBLE)

    def text(self, name: str) -> str:
        """Give a parameter that people have typed: any characters but control characters."""
        return self._checked(name, _TEXT)

    def needed(self, name: str) -> str:
        """Give a parameter that must be there. Raises `bad_field`."""
        value = self.get(name)
        if not value:
            raise Refusal(Code.BAD_FIELD, f"the parameter {name} is missing", name, FORM_HINT)
        return value

    def visible(self) -> Mapping[str, str]:
        """Give all that hold visible ASCII characters alone, and have a value."""
        return {name: value for name, value in self._values.items() if value and _VISIBLE.fullmatch(value)}

    def _checked(self, name: str, allowed: re.Pattern[str]) -> str:
        value = self._values.get(name, "")
        if not allowed.fullmatch(value):
            raise Refusal(Code.BAD_FIELD, f"the parameter {name} has characters that it may not have", name)
        return value


async def read_parameters(request: web.Request) -> Parameters:
    """Read what is posted. Raises `bad_field`, `malformed`, `too_large`."""
    return parameters_in(request, await read_body(request, MAX_FORM_BYTES))


def parameters_in(request: web.Request, body: bytes) -> Parameters:
    """Find the parameters in a body that was read. Raises `bad_field`, `malformed`."""
    if request.query_string:
        raise Refusal(Code.BAD_FIELD, "parameters in the address are refused: it ends up in logs", None, FORM_HINT)
    if request.content_type in _OTHER_KINDS:
        raise Refusal(Code.BAD_FIELD, f"the body is {request.content_type}", "Content-Type", FORM_HINT)
    try:
        text = body.decode("ascii").strip("\r\n")
        return Parameters(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS))
    except ValueError as error:
        raise Refusal(Code.MALFORMED, "the body is no form", None, FORM_HINT) from error


def _shown(name: str) -> str:
    return name[:40] if name.isascii() and name.isprintable() else "?"

"""The parameters of a request to /authorize: read from the address as it came, with only the characters they may have.

Whatever has others is refused before anything looks at it (RFC 6749, appendix A): Authlib fails on some of them.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from identity.oauth.redirects import MAX_URI_CHARACTERS

MAX_PARAMETERS: Final = 50
"""AuthorizationParameters of one request, those included that llum does not know."""

MAX_STATE_CHARACTERS: Final = 2048
MAX_DETAILS_CHARACTERS: Final = 6000
"""Characters of `authorization_details`: with all else it must fit into a line of HTTP."""

_VISIBLE: Final = r"[\x20-\x7e]"
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "client_id": re.compile(rf"{_VISIBLE}{{1,255}}"),
    "redirect_uri": re.compile(rf"[\x21\x23-\x5b\x5d-\x7e]{{1,{MAX_URI_CHARACTERS}}}"),
    "response_type": re.compile(r"[A-Za-z0-9_]+(?: [A-Za-z0-9_]+)*"),
    "scope": re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*"),
    "state": re.compile(rf"{_VISIBLE}{{1,{MAX_STATE_CHARACTERS}}}"),
    "code_challenge": re.compile(r"[A-Za-z0-9_-]{43}"),
    "code_challenge_method": re.compile(r"[A-Za-z0-9._-]{1,32}"),
    "resource": re.compile(rf"[\x21\x23-\x5b\x5d-\x7e]{{1,{MAX_URI_CHARACTERS}}}"),
    "authorization_details": re.compile(rf".{{1,{MAX_DETAILS_CHARACTERS}}}", re.DOTALL),
}
"""What is read, and what it may look like. All else is ignored, as RFC 6749 wants it."""


class AuthorizationParameters:
    """What came, by name. A parameter without a value counts as left out."""

    def __init__(self, given: Mapping[str, list[str]]) -> None:
        self._given = given

    def __getitem__(self, name: str) -> str:
        """Give the only value of a parameter in its form; empty: it is left out, or wrong."""
        return "" if self.wrong(name) else self._one(name)

    def wrong(self, name: str) -> str:
        """Say what is wrong with a parameter; empty: nothing."""
        values = self._given.get(name, [])
        if len(values) > 1:
            return f"{name} is there {len(values)} times"
        if self._one(name) and not _FORMS[name].fullmatch(self._one(name)):
            return f"{name} is too long, or has characters that it may not have"
        return ""

    def first_wrong(self) -> str:
        """Say what is wrong with the first parameter that something is wrong with; empty: nothing is."""
        return next(filter(None, map(self.wrong, _FORMS)), "")

    def _one(self, name: str) -> str:
        values = self._given.get(name, [])
        return values[0] if values else ""


def read_authorization(query: str) -> AuthorizationParameters | None:
    """Read a query string as it came; None: it cannot be read at all."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
        query.encode("ascii")
    except ValueError:
        return None
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if name in _FORMS:
            given.setdefault(name, []).append(value)
    return AuthorizationParameters(given)

"""What the address of a request says: the key, the ontology, the time."""

import datetime
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from aiohttp import web

from schemas.errors import Code, Refusal
from schemas.names import normal_name
from schemas.preferences import DEFAULT_VIEW

PREFIX: Final = "/preferences/"

_NOTHING: Final[Mapping[str, str]] = {}

_SECONDS: Final = re.compile(r"-?\d{1,12}(\.\d{1,9})?", re.ASCII)

AT_HINT: Final = "such as 2026-11-27T10:00:00Z, or seconds since 1970"


def key_of(request: web.Request, prefix: str = PREFIX) -> str:
    """Give the key that stands in the path behind a prefix. Requests come here past aiohttp's router, too."""
    segment = request.rel_url.raw_path.removeprefix(prefix).partition("/")[0]
    # What is not UTF-8 becomes characters that no key has.
    return unquote(segment, errors="surrogateescape") if "%" in segment else segment


def query_of(request: web.Request) -> Mapping[str, str]:
    """Give the parameters; of one that is there twice the first counts."""
    return request.query if "?" in request.raw_path else _NOTHING


def view_of(query: Mapping[str, str]) -> str:
    """Give the ontology that is asked for."""
    return normal_name(query.get("view") or DEFAULT_VIEW)


def moment_of(query: Mapping[str, str]) -> float | None:
    """Give the time that is asked about, seconds since 1970; None: now. Raises `bad_field`."""
    text = query.get("at")
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        # In an address a `+` that is not escaped has become a blank.
        found = datetime.datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError as error:
        raise Refusal(Code.BAD_FIELD, "this is no time", "at", AT_HINT) from error
    return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()

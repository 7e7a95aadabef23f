"""What a client of OAuth asks for, as it writes it: slices as JSON (RFC 9396), and scopes as their shorthand.

A scope has a word for each verb and context:

    ask:Personal        tell:Apps/Logging       ask:/ (the whole model)
    model               the whole model, with every verb
    owner               the app becomes an owner's app: no slice, but all that an owner may

What a scope may not hold is percent-encoded (RFC 6749, 3.3), and so is `%`: `ask:My%20house`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

import msgspec

from schemas.decoding import convert, decode
from schemas.errors import Code, Refusal
from schemas.names import check_seen
from schemas.paths import format_path, parse_path
from schemas.slices import ACTIONS, SLICE_TYPE, Action, Slice
from schemas.slicing import MAX_SLICES, checked

MODEL: Final = "model"
OWNER: Final = "owner"

MAX_REQUEST_CHARACTERS: Final = 64 * 1024
"""Characters of `authorization_details` or of a scope."""

_ALLOWED: Final = "".join(chr(code) for code in (0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F)) if chr(code) != "%")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


class Scopes(NamedTuple):
    """What a scope asks for."""

    slices: list[Slice]
    """One for each context, in the order in which they are named first."""
    owner: bool = False
    """To become an owner's app."""


def parse_scope(text: str, field: str = "scope") -> Scopes:
    """Read a scope: words with blanks between them. Raises `bad_field`, `bad_path`, `too_large`."""
    if len(text) > MAX_REQUEST_CHARACTERS:
        raise Refusal(Code.TOO_LARGE, f"it has more than {MAX_REQUEST_CHARACTERS} characters", field)
    found: dict[str, set[Action]] = {}
    owner = False
    for word in text.split(" "):
        if word == OWNER:
            owner = True
        elif word:
            path, actions = _place(word, field)
            found.setdefault(path, set()).update(actions)
    if len(found) > MAX_SLICES:
        raise Refusal(Code.TOO_LARGE, f"it names {len(found)} contexts, at most {MAX_SLICES}", field)
    slices = [Slice(paths=[path], actions=[one for one in ACTIONS if one in named]) for path, named in found.items()]
    return Scopes(slices, owner)


def format_scope(slices: Sequence[Slice], owner: bool = False) -> str:
    """Write as a scope what slices allow an app in contexts. How it may ask there, only the slices themselves say."""
    words = [word for one in slices if one.whose_rules is None for path in one.paths for word in _words(path, one)]
    return " ".join(dict.fromkeys([*words, OWNER] if owner else words))


def _place(word: str, field: str) -> tuple[str, Sequence[Action]]:
    if word == MODEL:
        return "", ACTIONS
    verb, colon, written = word.partition(":")
    if not colon or verb not in ACTIONS or not _SCOPE.fullmatch(word):
        hint = f"use model, owner, or one of {', '.join(ACTIONS)} with a path: ask:Personal"
        raise Refusal(Code.BAD_FIELD, f"there is no scope {word[:80]!r}", field, hint)
    try:
        path = unquote(written, errors="strict")
    except UnicodeDecodeError as error:
        raise Refusal(Code.BAD_FIELD, f"{word[:80]!r} is not percent-encoded UTF-8", field) from error
    return format_path(parse_path(path, field)), [verb]


def _words(path: str, one: Slice) -> Iterator[str]:
    if not path and len(one.actions) == len(ACTIONS):
        yield MODEL
        return
    for action in one.actions:
        yield f"{action}:{quote(path or '/', safe=_ALLOWED)}"


_array: Final = msgspec.json.Decoder(list[dict[str, Any]])


def parse_details(text: str, field: str = "authorization_details") -> list[Slice]:
    """Read the JSON array of RFC 9396. Raises `malformed`, `bad_field`, `bad_path`, `too_large` naming the field."""
    if len(text) > MAX_REQUEST_CHARACTERS:
        raise Refusal(Code.TOO_LARGE, f"it has more than {MAX_REQUEST_CHARACTERS} characters", field)
    try:
        objects = decode(_array, text.encode())
    except (Refusal, UnicodeEncodeError) as error:
        hint = f'send a JSON array of objects: [{{"type": "{SLICE_TYPE}", "paths": ["Sport"], "actions": ["ask"]}}]'
        code = error.code if isinstance(error, Refusal) else Code.MALFORMED
        raise Refusal(code, "that is no JSON array of objects", field, hint) from error
    return checked([_of_type(one, f"{field}[{index}]") for index, one in enumerate(objects)], field)


def _of_type(members: dict[str, Any], field: str) -> Slice:
    if members.get("type") != SLICE_TYPE:
        message = f"{str(members.get('type'))[:80]!r} is no type of authorization details here"
        raise Refusal(Code.BAD_FIELD, message, f"{field}.type", f'send "{SLICE_TYPE}"')
    one = convert(members, Slice, field)
    if one.purpose:
        # It is shown to who decides. What cannot be seen could turn around what stands there.
        check_seen(one.purpose, Code.BAD_FIELD, f"{field}.purpose")
    return one


def format_details(slices: Sequence[Slice]) -> str:
    """Write slices as the JSON array of RFC 9396."""
    return msgspec.json.encode(list(slices)).decode()

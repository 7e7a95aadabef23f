"""JSON from outside to structs: every fault is a refusal that names the field."""

import re
from typing import Any, Final, TypeVar

import msgspec

from schemas.errors import Code, Refusal

T = TypeVar("T")

UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)
"""What msgspec raises for bytes that are not what they should be."""

UNKNOWN_MEMBER: Final = "contains unknown field"
"""What msgspec says, among other things, of a member that a struct does not have."""

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<at>[^`]*)`)?$", re.DOTALL)
_MEMBER = re.compile(r"^Object (?:missing required|contains unknown) field `(?P<name>[^`]*)`$")


def decode(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Decode, or raise `malformed`, `too_deep` or `bad_field`."""
    try:
        return decoder.decode(data)
    except UNDECODABLE as error:
        raise undecodable(error) from error


def convert(members: dict[str, Any], kind: type[T], field: str) -> T:
    """Make a struct of decoded members, or raise `bad_field` naming the field, which stands below `field`."""
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError as error:
        raise _bad_field(str(error), field) from error


def undecodable(error: Exception) -> Refusal:
    """Make the refusal for one of `UNDECODABLE`."""
    if isinstance(error, msgspec.ValidationError):
        return _bad_field(str(error))
    if isinstance(error, RecursionError):
        return Refusal(Code.TOO_DEEP, "the JSON is nested too deeply")
    return Refusal(Code.MALFORMED, f"not JSON: {error}")


def _bad_field(text: str, below: str = "") -> Refusal:
    """Read what msgspec says: of a member that is missing or unknown it names the place of the object alone."""
    match = _AT.match(text)
    what, at = (match["what"], match["at"] or "") if match else (text, "")
    member = _MEMBER.match(what)
    parts = [part for part in (below, at, member["name"] if member else "") if part]
    return Refusal(Code.BAD_FIELD, what, ".".join(parts) or None)

"""Names of apps: the original takes any text, the bus ids of a-z, 0-9, _ and -.

A name is one as in `schemas.names`. One that is an id stands for itself. Any other is written as `x--` and its UTF-8
bytes, those that an id may not hold (and `_`) as `_` and two hexadecimal digits: `MyHealth` is `x--_4dy_48ealth` to the
model and to other faces.
"""

import re
from typing import Final

from schemas.errors import Code, Refusal
from schemas.names import check_seen
from schemas.paths import check_token, is_token

_MARK: Final = "x--"
_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-")
_ESCAPED: Final = re.compile(rb"_([0-9a-f]{2})")


def app_id(name: str, field: str = "app") -> str:
    """Give the id that stands for a name, or raise `bad_field`: it may be too long."""
    name = check_seen(name, Code.BAD_FIELD, field)
    if not name or (is_token(name) and not name.startswith(_MARK)):
        return check_token(name, field)
    written = "".join(chr(byte) if byte in _PLAIN else f"_{byte:02x}" for byte in name.encode())
    if not is_token(_MARK + written):
        raise Refusal(Code.BAD_FIELD, "an app's name is too long", field, "use at most 20 characters, or plain ones")
    return _MARK + written


def app_name(identifier: str) -> str:
    """Give the name that an id stands for; an id that stands for none is a name itself."""
    if not identifier.startswith(_MARK):
        return identifier
    written = identifier[len(_MARK) :].encode()
    try:
        name = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), written).decode()
        return name if app_id(name) == identifier else identifier
    except (UnicodeDecodeError, Refusal):
        return identifier

"""Names: one spelling for each, and nothing in them that cannot be seen.

A name of a context, component, view or app is written in Unicode's normalisation form NFC: `é` is one character,
however it was typed. Characters that cannot be seen are refused, but for those that hold an emoji together, and so is
white space at either end: two names that look alike would be two things. Names that only look alike (`a` is Latin,
`а` is Cyrillic) are two names, which `schemas.lookalikes` points out to the owner.

What is a letter or a mark changes with each version of Unicode. So all processes take it from one pinned library, and
not from Python, whose version may differ between hosts.
"""

import re
from typing import Any, Final

import msgspec

from schemas.errors import Code, Refusal

UNICODE_VERSION: Final = 18
"""The version of Unicode that names are judged by. A shard that was made by another one is made anew from the log."""

_NAMES: Final = frozenset(
    {
        "bind_view",
        "command",
        "component",
        "components",
        "context",
        "contexts",
        "definition",
        "further",
        "goals",
        "name",
        "path",
        "permissions",
        "query",
        "view",
        "views",
    }
)
"""The fields of messages that hold names, or what has such fields."""

_ESCAPE: Final = ord("\\")
"""What an escape in JSON begins with. A single byte is found six times as fast as bytes."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_VISIBLE_FORMATS: Final = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
"""Marks that stand before or around numbers: of Unicode's category Cf, but seen."""

_BLANKS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Letters, marks and symbols that leave nothing on the screen."""

_JOINER: Final = "\u200d"
_TEXT_STYLE, _EMOJI_STYLE = "\ufe0e", "\ufe0f"
_BLACK_FLAG: Final = "\U0001f3f4"
_SKIN_TONES: Final = frozenset(map(chr, range(0x1F3FB, 0x1F400)))


def normal_name(name: str) -> str:
    """Give the name in NFC. What was in NFC already comes back as it is."""
    return name if name.isascii() else _unicode().normalize("NFC", name)


def unseen(name: str) -> str | None:
    """Say what in a name cannot be seen, with its code point; None: nothing."""
    if name != name.strip():
        at_start = name != name.lstrip()
        where, character = ("begins", name[0]) if at_start else ("ends", name[-1])
        return f"{where} with {describe(character)}"
    if name.isascii() and name.isprintable():
        return None
    for index, character in enumerate(name):
        if _is_unseen(name, index):
            return f"holds {describe(character)}"
    return None


def describe(character: str) -> str:
    """Name a character for a person: `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    known = _unicode().name(character, "")
    return f"U+{ord(character):04X} {known}".rstrip()


def normalise(message: Any) -> None:
    """Write all names of a message in NFC, in place."""
    for field in message.__struct_fields__:
        if field in _NAMES:
            value = getattr(message, field)
            normal = _normal(value)
            if normal is not value:
                msgspec.structs.force_setattr(message, field, normal)


def holds_names_to_normalise(data: bytes) -> bool:
    """Tell whether an encoded message may: plain ASCII without escapes is what it is. Cheap, and nearly always no."""
    return not data.isascii() or _ESCAPE in data


def check_seen(name: str, code: Code, field: str) -> str:
    """Give the name in NFC, or raise a refusal that says what in it cannot be seen."""
    if name.isascii() and name.isprintable() and name == name.strip():
        return name  # as nearly all are
    if _CONTROL.search(name):
        raise Refusal(code, "a name contains a control character", field)
    found = unseen(name)
    if found is not None:
        raise Refusal(code, f"a name {found}", field, "leave it out: who reads the name cannot see it")
    return normal_name(name)


def _normal(value: Any) -> Any:
    if isinstance(value, str):
        return normal_name(value)
    if isinstance(value, list):
        return list(map(_normal, value))
    if isinstance(value, dict):
        for member in value.values():
            _normal(member)
    if isinstance(value, msgspec.Struct):
        normalise(value)
    return value


def _is_unseen(name: str, index: int) -> bool:
    character = name[index]
    if character == _JOINER:
        return not _joins(name, index)
    if character in (_TEXT_STYLE, _EMOJI_STYLE):
        return index == 0 or not _has_styles(name[index - 1])
    if "\U000e0020" <= character <= "\U000e007f":
        return not _names_a_flag(name, index)
    category = _unicode().category(character)
    return (category == "Cf" and character not in _VISIBLE_FORMATS) or character in _BLANKS or _selects(character)


def _joins(name: str, index: int) -> bool:
    """Tell whether a joiner stands between two emoji: 👩‍🚀 is a woman, a joiner and a rocket."""
    before = name[:index].rstrip(_EMOJI_STYLE + "".join(_SKIN_TONES))
    return bool(before) and _is_symbol(before[-1]) and index + 1 < len(name) and _is_symbol(name[index + 1])


def _has_styles(character: str) -> bool:
    """Tell whether a character may be asked to look like text or like an emoji: symbols, and those of keycaps."""
    return _is_symbol(character) or character in "#*0123456789©®‼⁉ℹ〰〽㊗㊙" or character in _SKIN_TONES


def _names_a_flag(name: str, index: int) -> bool:
    """Tell whether a tag belongs to a black flag: so the flags of England, Scotland and Wales are written."""
    before = name[:index].rstrip("".join(map(chr, range(0xE0020, 0xE0080))))
    return before.endswith(_BLACK_FLAG)


def _selects(character: str) -> bool:
    """Tell whether it is a variation selector other than the two styles of emoji."""
    return "\ufe00" <= character <= "\ufe0d" or "\U000e0100" <= character <= "\U000e01ef"


def _is_symbol(character: str) -> bool:
    return _unicode().category(character) in ("So", "Sm")


def _unicode() -> Any:
    """Give the library, which only names beyond ASCII need."""
    import unicodedata2

    return unicodedata2

"""What a text, a short word, a list of them, a time may be: looked at before anything of a model is known.

Each function returns nothing or raises a `Refusal` that names the field.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from schemas.errors import Code, Refusal
from schemas.limits import MAX_LIST_ITEMS, MAX_SEGMENT_CHARACTERS, MAX_TEXT_CHARACTERS

MIN_TIME_S: Final = -62_135_596_800.0
"""Seconds since 1970 of the year 1: earlier than that calendars do not go."""

MAX_TIME_S: Final = 253_402_300_799.0
"""Seconds since 1970 of the end of the year 9999. Larger is most likely milliseconds."""

_UNCLEAN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""C0 control characters except tab, line feed and carriage return, and lone surrogates, which are not UTF-8."""


def check_text(text: str, field: str) -> None:
    """Check a text for people: `too_large` or `bad_field`."""
    if len(text) > MAX_TEXT_CHARACTERS:
        raise Refusal(Code.TOO_LARGE, f"a text has {len(text)} characters, at most {MAX_TEXT_CHARACTERS}", field)
    if not is_clean(text):
        raise unclean(Code.BAD_FIELD, field)


def check_name(name: str, field: str) -> None:
    """Check a short word: a resolver's name, a flag."""
    if not 0 < len(name) <= MAX_SEGMENT_CHARACTERS:
        message = f"a name has {len(name)} characters, it needs 1 to {MAX_SEGMENT_CHARACTERS}"
        raise Refusal(Code.TOO_LARGE if name else Code.BAD_FIELD, message, field)
    if not is_clean(name):
        raise unclean(Code.BAD_FIELD, field)


def check_names(names: Sequence[str], field: str) -> None:
    check_length(names, field)
    for index, name in enumerate(names):
        check_name(name, f"{field}[{index}]")


def check_length(items: Sequence[Any], field: str) -> None:
    if len(items) > MAX_LIST_ITEMS:
        raise Refusal(Code.TOO_LARGE, f"a list has {len(items)} items, at most {MAX_LIST_ITEMS}", field)


def check_time(time_s: float, field: str) -> None:
    """Check seconds since 1970. False for NaN, so that is refused too."""
    if not MIN_TIME_S <= time_s <= MAX_TIME_S:
        raise Refusal(Code.BAD_FIELD, "a time lies outside the years 1 to 9999", field, "send seconds since 1970 (UTC)")


def is_clean(text: str) -> bool:
    """Tell whether a text is UTF-8 without control characters.

    Printable is the cheap test that nearly every text passes; it knows nothing of tabs and line ends.
    """
    return text.isprintable() or not _UNCLEAN.search(text)


def unclean(code: Code, field: str) -> Refusal:
    """Make the refusal of a text that is not clean."""
    return Refusal(code, "a text contains a control character or a lone surrogate", field)

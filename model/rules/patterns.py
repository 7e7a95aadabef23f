"""Regular expressions of rules, by RE2: time linear in the text. No look-around, no back references."""

from functools import lru_cache
from typing import Any, Final

MAX_COMPILED: Final = 1024
"""Compiled expressions kept, some kB each."""

MAX_MEMORY_BYTES: Final = 1024 * 1024
"""Memory of one compiled expression; RE2 refuses what would need more."""


class PatternError(Exception):
    """The text is no regular expression that RE2 takes. The message says what is wrong."""


def check_pattern(pattern: str) -> None:
    """Raise `PatternError` unless the text is a regular expression."""
    _compiled(pattern)


def matches_start(pattern: str, text: str) -> bool:
    """Tell whether the expression matches at the start of the text. Raises `PatternError`."""
    return _compiled(pattern).match(text) is not None


@lru_cache(maxsize=MAX_COMPILED)
def _compiled(pattern: str) -> Any:
    # Only a process that reads or fires a rule has it in memory.
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY_BYTES
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise PatternError(_reason(error)) from error


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else "it is no text"

"""Failures that a person can mend, and the one line on stderr that says how.

code: message (field x). hint        what a model, a worker or the wire refused (`schemas.errors`)
message. hint                        what is wrong on this machine: `Fault`
"""

import sys
from typing import Final

from bus.errors import SetupError
from schemas.errors import LlumError
from sensors.errors import SensorError

EXIT_FAILED: Final = 1
EXIT_UNRECOVERABLE: Final = 3
"""A child of `llum up` exits with it when starting it again cannot help."""


class Fault(SetupError):  # noqa: N818 - a sibling of Refusal and Transient
    """Something on this machine keeps llum from doing what was asked; the hint says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)


FORESEEN: Final = (SetupError, LlumError, SensorError)
"""What is reported with one line and no traceback."""


def describe(error: Exception) -> str:
    """Put an error into one line, without the leading `llum:`."""
    if isinstance(error, LlumError):
        field = f" (field {error.error.field})" if error.error.field else ""
        return _join(f"{error.code}: {error.error.message}{field}", error.error.hint)
    return _join(str(getattr(error, "message", error)), getattr(error, "hint", None))


def _join(message: str, hint: str | None) -> str:
    text = f"{message.rstrip('.')}. {hint}" if hint else message
    return " ".join(text.split())


def report(error: Exception) -> None:
    """Print the error's line on stderr."""
    print(f"llum: {describe(error)}", file=sys.stderr, flush=True)

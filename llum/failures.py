"""What is wrong on this machine, and how a process ends that cannot do what was asked."""

import sys
from typing import Final

from schemas.errors import LlumError, SetupError

EXIT_FAILED: Final = 1
EXIT_UNRECOVERABLE: Final = 3
"""A child of `llum up` exits with it when starting it again cannot help."""


class Fault(SetupError):  # noqa: N818 - a sibling of Refusal and Transient
    """Something on this machine keeps llum from doing what was asked; the hint says what to do."""


def report(error: LlumError) -> None:
    """Print the error's line on stderr: there is no traceback for what a person can mend."""
    print(f"llum: {error}", file=sys.stderr, flush=True)

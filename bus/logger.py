"""structlog, imported when the first line is written: most processes start, and most commands end, without one.

It would import rich, too, where that is installed, which takes three times as long as itself and is used by nobody.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Any

from bus.lean import without

_set_up: Callable[[], None] | None = None
"""Has still to be called once structlog is there."""


class Logger:
    """A logger of structlog's; `info`, `exception` and all others are its methods."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)
        structlog = imported()
        if structlog.is_configured():
            return getattr(structlog.get_logger(self._name), method)
        # A program of somebody else uses a part of llum, and its output is its own.
        return getattr(structlog.wrap_logger(structlog.PrintLogger(sys.stderr)), method)


def get_logger(name: str = "llum") -> Logger:
    """Make a logger, as `structlog.get_logger` does."""
    return Logger(name)


def when_imported(set_up: Callable[[], None]) -> None:
    """Have structlog set up: now if it is imported already, else before its first line."""
    global _set_up
    _set_up = set_up
    if "structlog" in sys.modules:
        imported()


def imported() -> Any:
    """Give structlog, set up."""
    global _set_up
    with without("rich"):
        structlog = importlib.import_module("structlog")
    if _set_up is not None:
        set_up, _set_up = _set_up, None
        set_up()
    return structlog

"""A process's log: what happened, with members that say more about it. Importing this costs nothing.

`llum.processes.logs` decides where lines go. While nobody has decided, they go to the standard library's logging, as
those of any library do.
"""

import logging
import sys
import traceback
from collections.abc import Callable
from typing import Any, Final

TakeEvent = Callable[[int, dict[str, Any]], None]
"""Called with a level of the standard library, and a line: `event`, its members, and `exception` for a traceback."""


class Logger:
    """Writes lines. A member that is a secret or evidence is hidden; better, give none."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, event: str, **members: Any) -> None:
        self.write(logging.DEBUG, event, **members)

    def info(self, event: str, **members: Any) -> None:
        self.write(logging.INFO, event, **members)

    def warning(self, event: str, *, exc_info: bool = False, **members: Any) -> None:
        """With `exc_info`, show the exception that is being handled too."""
        self.write(logging.WARNING, event, **members, **(_trace() if exc_info else {}))

    def error(self, event: str, **members: Any) -> None:
        self.write(logging.ERROR, event, **members)

    def exception(self, event: str, **members: Any) -> None:
        """Write an error with the traceback of the exception that is being handled."""
        self.error(event, **members, **_trace())

    def write(self, level: int, event: str, **members: Any) -> None:
        line = {"event": event, **members}
        if _take is None:
            logging.getLogger(self._name).log(level, "%s", " ".join(f"{name}={line[name]}" for name in line))
        else:
            _take(level, line)


def get_logger(name: str = "llum") -> Logger:
    """Make a logger; the name is the standard library's, if lines go there."""
    return Logger(name)


def lead(take: TakeEvent | None = None) -> TakeEvent | None:
    """Have all lines taken by `take` from now on; None: by the standard library. Gives what took them before."""
    global _take
    before, _take = _take, take
    return before


def _trace() -> dict[str, str]:
    kind, error, trace = sys.exc_info()
    return {"exception": "".join(traceback.format_exception(kind, error, trace)).rstrip()} if error else {}


_take: TakeEvent | None = None

LEVEL_NAMES: Final = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
    logging.CRITICAL: "critical",
}

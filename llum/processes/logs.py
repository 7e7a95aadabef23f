"""Logging: structlog, set up once per process. JSON lines in files, JSON or a readable form on stderr.

The lines of which there are many (`bus.lines`) pass structlog by and end up in the same places, in their order. What is
bound at the start appears in every line. Members whose names smell of secrets, and values of
evidence, are replaced before anything is written.
"""

import atexit
import functools
import logging
import re
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from bus import lines, logger
from bus.logger import get_logger
from llum.processes.lines_together import LinesTogether, Sink
from llum.processes.log_files import Render, json_line

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

HIDDEN: Final = "[hidden]"
_SECRET = re.compile(r"token|secret|passw|authorization|cookie|bearer|credential|api_?key|private", re.IGNORECASE)
_PERSONAL = frozenset({"value", "values", "evidence", "comment", "body", "payload", "data"})

Format = Literal["auto", "json", "console"]
Level = Literal["debug", "info", "warning", "error"]
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Stream:
    """Lines on stderr, as JSON or for people."""

    def __init__(self, *, console: bool) -> None:
        self.render: Render = console_line if console else json_line

    def write(self, event: dict[str, Any]) -> None:
        self.put(self.render(event))

    def put(self, lines: bytes) -> None:
        sys.stderr.buffer.write(lines)
        sys.stderr.buffer.flush()


class _Output:
    """What structlog takes for a logger: hands each event to the sinks, after the lines that came before it."""

    def __init__(self, sinks: Sequence[Sink], before: LinesTogether) -> None:
        self._sinks = sinks
        self._before = before

    def msg(self, event: dict[str, Any]) -> None:
        self._before.write()
        for sink in self._sinks:
            sink.write(event)

    debug = info = warning = error = critical = exception = log = warn = fatal = failure = msg


def set_up(level: Level, sinks: Sequence[Sink], **bound: Any) -> None:
    """Send this process's logs to the sinks; `bound` appears in every line (which process it is, say)."""
    together = LinesTogether(sinks, bound)
    atexit.register(together.write)
    lines.lead(together.take if _LEVELS[level] <= logging.INFO else _drop, together.write)
    logger.when_imported(functools.partial(_configure, _LEVELS[level], _Output(sinks, together), bound))
    _catch_standard_logging(_LEVELS[level])


def _configure(level: int, output: _Output, bound: dict[str, Any]) -> None:
    import structlog

    structlog.configure(
        processors=[
            lambda _logger, _method, event: {**bound, **event},
            structlog.processors.add_log_level,
            _add_time,
            structlog.processors.format_exc_info,
            hide_secrets,
            _hand_over,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: output,
        cache_logger_on_first_use=True,
    )


def _drop(_: lines.Line) -> None:
    """Take the lines, which are all of level `info`, of a process that writes only what is worse."""


def stderr_sink(form: Format) -> Stream:
    """Make the sink for stderr in the form that the setting asks for."""
    return Stream(console=form == "console" or (form == "auto" and sys.stderr.isatty()))


def hide_secrets(_logger: "WrappedLogger", _method: str, event: "EventDict") -> "EventDict":
    """Replace what no log may hold: secrets, and what people said about themselves."""
    for key in event:
        if _is_hidden(key):
            event[key] = HIDDEN
    return event


@functools.lru_cache(maxsize=1024)
def _is_hidden(key: str) -> bool:
    return key in _PERSONAL or _SECRET.search(key) is not None


def _add_time(_logger: "WrappedLogger", _method: str, event: "EventDict") -> "EventDict":
    event["at"] = time.time()
    return event


def _hand_over(
    _logger: "WrappedLogger", _method: str, event: "EventDict"
) -> tuple[tuple[dict[str, Any]], dict[str, Any]]:
    return (dict(event),), {}


def console_line(event: dict[str, Any]) -> bytes:
    """Write an event for people: time, level, what, then the rest."""
    rest = dict(event)
    clock = time.strftime("%H:%M:%S", time.localtime(rest.pop("at", 0.0)))
    level, what, trace = rest.pop("level", ""), rest.pop("event", ""), rest.pop("exception", None)
    members = " ".join(f"{key}={_short(item)}" for key, item in rest.items())
    line = f"{clock} {level:<7} {what} {members}".rstrip()
    return (line + (f"\n{trace}" if trace else "") + "\n").encode("utf-8", "backslashreplace")


def _short(item: Any) -> str:
    return item if isinstance(item, str) and item.isprintable() and " " not in item else repr(item)


class _StandardHandler(logging.Handler):
    """Passes on what libraries log with the standard library."""

    def emit(self, record: logging.LogRecord) -> None:
        get_logger().log(
            record.levelno, "library", logger=record.name, message=record.getMessage(), exc_info=record.exc_info
        )


def _catch_standard_logging(level: int) -> None:
    root = logging.getLogger()
    root.handlers = [_StandardHandler()]
    root.setLevel(max(level, logging.WARNING))

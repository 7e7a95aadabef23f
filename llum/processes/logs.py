"""Logging, set up once per process. JSON lines in files, JSON or a readable form on stderr.

The lines of which there are many (`bus.lines`) come ready-made and end up in the same places, in their order. What is
bound at the start appears in every line. Members whose names smell of secrets, and values of
evidence, are replaced before anything is written.
"""

import atexit
import functools
import logging
import re
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from bus import lines, logger
from bus.logger import LEVEL_NAMES
from llum.processes.log_files import Render, json_line
from llum.processes.turn_lines import Sink, TurnLines

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
    """Takes lines from the loggers and hands them to the sinks, after those that came before."""

    def __init__(self, level: int, sinks: Sequence[Sink], before: TurnLines, bound: Mapping[str, Any]) -> None:
        self._level = level
        self._sinks = sinks
        self._before = before
        self._bound = bound

    def take(self, level: int, line: dict[str, Any]) -> None:
        if level < self._level:
            return
        event = {**self._bound, **hide_secrets(line), "level": LEVEL_NAMES.get(level, str(level)), "at": time.time()}
        self._before.write()
        for sink in self._sinks:
            sink.write(event)


def set_up(level: Level, sinks: Sequence[Sink], **bound: Any) -> None:
    """Send this process's logs to the sinks; `bound` appears in every line (which process it is, say)."""
    turn = TurnLines(sinks, bound)
    atexit.register(turn.write)
    lines.lead(turn.take if _LEVELS[level] <= logging.INFO else _drop)
    output = _Output(_LEVELS[level], sinks, turn, bound)
    logger.lead(output.take)
    _catch_standard_logging(_LEVELS[level], output)


def _drop(_: lines.Line) -> None:
    """Take the lines, which are all of level `info`, of a process that writes only what is worse."""


def stderr_sink(form: Format) -> Stream:
    """Make the sink for stderr in the form that the setting asks for."""
    return Stream(console=form == "console" or (form == "auto" and sys.stderr.isatty()))


def hide_secrets(line: Mapping[str, Any]) -> dict[str, Any]:
    """Replace what no log may hold: secrets, and what people said about themselves."""
    return {name: HIDDEN if _is_hidden(name) else member for name, member in line.items()}


@functools.lru_cache(maxsize=1024)
def _is_hidden(key: str) -> bool:
    return key in _PERSONAL or _SECRET.search(key) is not None


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

    _exceptions = logging.Formatter()

    def __init__(self, output: _Output) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        line = {"event": "library", "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self._exceptions.formatException(record.exc_info)
        self._output.take(record.levelno, line)


def _catch_standard_logging(level: int, output: _Output) -> None:
    root = logging.getLogger()
    root.handlers = [_StandardHandler(output)]
    root.setLevel(max(level, logging.WARNING))

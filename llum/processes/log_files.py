"""Log files of bounded size. Without structlog, whose import `llum up` would have to wait for."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

MAX_LOG_BYTES: Final = 64 * 1024 * 1024
"""Bytes after which a log file becomes `<name>.1` and a new one is begun: with the one before, at most twice this."""

Render = Callable[[dict[str, Any]], bytes]
"""Writes an event as it is shown, with its line end."""

_encode = msgspec.json.Encoder(enc_hook=repr).encode


def json_line(event: dict[str, Any]) -> bytes:
    """Write an event as one line of JSON: time, level and what happened first, for people read it too."""
    head = {"at": event.get("at"), "level": event.get("level"), "event": event.get("event")}
    try:
        return _encode(head | event) + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        return _encode(head | {"not_logged": repr(error)}) + b"\n"


class RotatingFile:
    """JSON lines appended to a file and not kept back here, so that a kill loses none that was written before."""

    render: Render = staticmethod(json_line)

    def __init__(self, path: Path, max_bytes: int = MAX_LOG_BYTES, *, take_stderr: bool = False) -> None:
        """Open the file, and with `take_stderr` let all that this process prints on stderr end up in it too."""
        self._path = path
        self._max_bytes = max_bytes
        self._take_stderr = take_stderr
        self._open()

    def write(self, event: dict[str, Any]) -> None:
        self.put(self.render(event))

    def put(self, lines: bytes) -> None:
        """Append lines with one system call."""
        if self._size and self._size + len(lines) > self._max_bytes:
            self._rotate()
        # A full disk must not end the process that wants to log it.
        with contextlib.suppress(OSError):
            self._size += os.write(self._fd, lines)

    def close(self) -> None:
        os.close(self._fd)

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._fd).st_size
        if self._take_stderr:
            os.dup2(self._fd, 2)

    def _rotate(self) -> None:
        os.close(self._fd)
        self._path.replace(self._path.with_name(self._path.name + ".1"))
        self._open()

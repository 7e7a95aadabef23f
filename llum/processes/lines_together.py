"""The lines of a hundredth of a second, encoded and written together.

Where requests come one by one, a write for each turn of the event loop takes a twentieth of what an ask costs.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from bus.lines import Line
from llum.processes.log_files import Render, json_line

WRITTEN_AFTER_S: Final = 0.01
"""Seconds that a line waits for others: whoever reads the log sees no difference. A kill loses what waits."""

MAX_WAITING_LINES: Final = 1000
"""Lines that wait, about 300 kB; one more, and they are written at once."""

_encode: Final = msgspec.json.Encoder().encode


class Sink(Protocol):
    """Somewhere that log lines go."""

    render: Render
    """How it shows an event."""

    def write(self, event: dict[str, Any]) -> None: ...

    def put(self, lines: bytes) -> None:
        """Write lines that are rendered already."""


class LinesTogether:
    """Takes lines, and writes them a little later; `write` does so at once."""

    def __init__(self, sinks: Sequence[Sink], bound: Mapping[str, Any]) -> None:
        self._sinks = sinks
        self._bound = dict(bound)
        self._tail = (b"," + _encode(self._bound)[1:] if bound else b"}") + b"\n"
        # A deque, because another thread that logs has these lines written before its own.
        self._waiting: deque[Line] = deque()

    def take(self, line: Line) -> None:
        """Keep a line for a moment. Without a loop it is written at once."""
        self._waiting.append(line)
        waiting = len(self._waiting)
        if waiting == 1:
            self._write_later()
        elif waiting > MAX_WAITING_LINES:
            self.write()

    def write(self) -> None:
        """Write what waits."""
        lines = list(self._taken_out())
        if lines:
            for sink in self._sinks:
                sink.put(b"".join(self._rendered(sink.render, lines)))

    def _taken_out(self) -> Iterator[Line]:
        while self._waiting:
            try:
                yield self._waiting.popleft()
            except IndexError:
                return

    def _write_later(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.write()
        else:
            loop.call_later(WRITTEN_AFTER_S, self.write)

    def _rendered(self, render: Render, lines: list[Line]) -> Iterator[bytes]:
        if render is json_line:
            return map(self._json, lines)
        return (render(self._event(line)) for line in lines)

    def _json(self, line: Line) -> bytes:
        """Encode a line; what is bound has been encoded once for all."""
        try:
            return _encode(line)[:-1] + self._tail
        except (TypeError, ValueError):
            return json_line(self._event(line))

    def _event(self, line: Line) -> dict[str, Any]:
        return {**msgspec.structs.asdict(line), **self._bound}

"""Progress of what takes long, on stderr: one line that is written over on a terminal, else a line now and then."""

import sys
import time
from types import TracebackType
from typing import Final

import click

ON_TERMINAL_EVERY_S: Final = 0.1
ELSEWHERE_EVERY_S: Final = 10.0
"""Seconds between two lines: a person watches the terminal, a file is read later."""


class Progress:
    """Shows the newest of the texts that it is called with. Leaves a terminal as it was."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._every_s = ON_TERMINAL_EVERY_S if self._on_terminal else ELSEWHERE_EVERY_S
        self._shown_at = time.monotonic()
        self._width = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._width:
            click.echo("\r" + " " * self._width + "\r", nl=False, err=True)

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if now - self._shown_at < self._every_s:
            return
        self._shown_at = now
        if self._on_terminal:
            click.echo("\r" + text.ljust(self._width), nl=False, err=True)
            self._width = len(text)
        else:
            click.echo(text, err=True)

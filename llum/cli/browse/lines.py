"""Lines as they are typed: `;` stands between commands, words are quoted as in sh."""

import re
import shlex
from typing import Final

import click

_PIECES: Final = re.compile(r"""(?:[^\\;"']|\\.|"(?:[^"\\]|\\.)*"|'[^']*')*""", re.DOTALL)
"""A command: anything but a semicolon, which may stand in quotes or after a backslash."""

COMMENT: Final = "#"


def split(line: str) -> list[list[str]]:
    """Give the words of each command of a line. Raises `click.UsageError` for a quote that is not closed."""
    if line.lstrip().startswith(COMMENT):
        return []
    return [words for part in _commands(line) if (words := shlex.split(part))]


def unfinished(line: str) -> str:
    """Give the last command of a line that is still being typed."""
    position = 0
    while True:
        match = _PIECES.match(line, position)
        assert match is not None, "the pattern matches the empty text"
        if match.end() >= len(line) or line[match.end()] != ";":
            return line[position:].lstrip()
        position = match.end() + 1


def quoted(word: str) -> str:
    """Write a word so that it is read as one."""
    return shlex.quote(word)


def _commands(line: str) -> list[str]:
    parts = []
    position = 0
    while position <= len(line):
        match = _PIECES.match(line, position)
        assert match is not None, "the pattern matches the empty text"
        if match.end() < len(line) and line[match.end()] != ";":
            raise click.UsageError("a quote is not closed, or a backslash stands at the end")
        parts.append(match[0])
        position = match.end() + 1
    return parts

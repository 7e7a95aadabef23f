"""Taking a person out of the log files: lines that name them are overwritten where they stand.

Logs hold no values and no comments, but who asked and told about whom. The lines keep their length, because the
processes that write these files go on appending to them.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

_OVERWRITTEN: Final = b'{"event":"forgotten"}'

_OURS: Final = frozenset({"at", "level", "event", "process", "app", "verb", "code", "logger", "outcome"})
"""Members that never name a person, although a person's id may be the same word."""


def forget_in_logs(folder: Path, user: str) -> int:
    """Overwrite the lines that name the user in all files of a folder, and give their number."""
    return sum(_overwrite(path, user) for path in _files(folder))


def count_in_logs(folder: Path, user: str) -> int:
    """Count the lines that name the user."""
    return sum(sum(1 for _ in _lines_about(path, user)) for path in _files(folder))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _overwrite(path: Path, user: str) -> int:
    lines = list(_lines_about(path, user))
    if not lines:
        return 0
    with path.open("r+b", buffering=0) as file:
        for offset, length in lines:
            os.pwrite(file.fileno(), _OVERWRITTEN.ljust(length)[:length], offset)
        os.fsync(file.fileno())
    return len(lines)


def _lines_about(path: Path, user: str) -> Iterator[tuple[int, int]]:
    """Give offset and length, without the line's end, of each line that names the user."""
    word, whole = user.encode(), _whole(user)
    try:
        with path.open("rb") as file:
            for offset, line in _lines(file):
                if word in line and _names(line, whole):
                    yield offset, len(line)
    except FileNotFoundError:
        return


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    offset = 0
    for line in file:
        yield offset, line.rstrip(b"\r\n")
        offset += len(line)


def _whole(user: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9_-]){re.escape(user)}(?![A-Za-z0-9_-])")


def _names(line: bytes, whole: re.Pattern[str]) -> bool:
    """Tell whether a line is about the user, and not about a process or an app whose name is the same word."""
    try:
        event: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return whole.search(line.decode("utf-8", "replace")) is not None
    if not isinstance(event, dict):
        return whole.search(str(event)) is not None
    return any(whole.search(str(value)) for key, value in event.items() if key not in _OURS)

"""Archives as files."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from llum.failures import Fault
from model.formats.archive import Archive, check_lines, read_head
from schemas.errors import Refusal

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
"""Bytes of one line, for memory: a line holds one page of an export, which fits into a message of the bus."""


def open_archive(path: Path) -> Archive:
    """Read an archive through once, and see that nothing of it is missing or changed. Raises a `Fault`."""
    try:
        with path.open("rb") as file:
            head = read_head(file.readline(MAX_LINE_BYTES))
            return Archive(head, check_lines(_rest(file)), lambda: _lines_after_head(path))
    except OSError as error:
        raise Fault(f"cannot read {path}: {error.strerror or error}") from error
    except Refusal as refusal:
        raise Fault(f"{path}: {refusal.message}", refusal.hint) from refusal


def _lines_after_head(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.readline(MAX_LINE_BYTES)
        yield from _rest(file)


def _rest(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.readline(MAX_LINE_BYTES), b"")

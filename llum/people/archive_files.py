"""Archives as files."""

import contextlib
import os
import sys
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


@contextlib.contextmanager
def written(file: Path | None) -> Iterator[BinaryIO]:
    """Open a file that is there only when it is complete; None is standard output.

    For its owner's eyes only: it holds a whole person.
    """
    if file is None:
        yield sys.stdout.buffer
        return
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
            yield output
        fresh.replace(file)
    except OSError as error:
        raise Fault(f"cannot write {file}: {error.strerror or error}") from error
    finally:
        fresh.unlink(missing_ok=True)


def _lines_after_head(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.readline(MAX_LINE_BYTES)
        yield from _rest(file)


def _rest(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.readline(MAX_LINE_BYTES), b"")

"""Lists of forgotten people in files: beside each backup, and in the data folder.

Each line is one `ListLine` as JSON. A list is only ever added to.
"""

import fcntl
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from bus.forgotten import Forgotten, KnownForgotten, merged
from bus.log_format import FORMAT_FILE
from llum.failures import Fault
from llum.places.files import FORGOTTEN_FILE, MANIFEST_FILE

LISTS: Final = re.compile(r"forgotten(-[0-9a-f]{16})?\.jsonl")
"""The names of lists beside a backup: one that comes from an object store may have several."""

_HINT: Final = f"Name a {FORGOTTEN_FILE} of llum, or a folder that has one: a backup, or a data folder."


class ListLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One person who was forgotten, or a part of one."""

    installation: str
    """Of whom the list is: digests of another one say nothing here."""
    who: str
    at: float
    is_finished: bool = True
    which: str = ""
    part: str = ""


_decoder: Final = msgspec.json.Decoder(ListLine)


def read_list(content: bytes, where: str, installation: str) -> list[Forgotten]:
    """Read a list. Raises a `Fault` if it is none, or that of another installation."""
    lines = check_list(content, where)
    if any(one.installation != installation for one in lines):
        raise Fault(f"{where} is the list of another llum", "Name the list of the llum that made the backup.")
    return [Forgotten(one.who, one.at, one.is_finished, one.which, one.part) for one in lines]


def check_list(content: bytes, where: str) -> list[ListLine]:
    """Read a list, of whichever installation. Raises a `Fault` if it is none.

    A last line without an end was being written when the machine stopped: it does not count.
    """
    found = []
    for number, line in enumerate(_whole(content).splitlines(), 1):
        try:
            found.append(_decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Fault(f"{where} is no list of forgotten people: line {number}: {error}", _HINT) from error
    if not found and content:
        raise Fault(f"{where} is no list of forgotten people", _HINT)
    return found


def _whole(content: bytes) -> bytes:
    """Leave out a last line that has no end."""
    return content[: content.rfind(b"\n") + 1]


def as_list(known: Iterable[Forgotten], installation: str) -> bytes:
    """Write a list."""
    lines = [ListLine(installation, *msgspec.structs.astuple(one)) for one in known]
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def missing_from(content: bytes, where: str, known: KnownForgotten, installation: str) -> list[Forgotten]:
    """Give what is to be added to a list. Raises a `Fault` as `read_list` does."""
    there = merged(read_list(content, where, installation)) if content else {}
    together = merged(there.values(), known.values())
    return [one for one in together.values() if there.get(one.key) != one]


def lists_in(folder: Path) -> list[Path]:
    """Name the lists of a folder; none if it is not there. Raises a `Fault`."""
    try:
        return sorted(path for path in folder.iterdir() if LISTS.fullmatch(path.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise Fault(f"cannot look into {folder}: {error.strerror}", "See that you may read it.") from error


def named_lists(path: Path) -> list[Path]:
    """Give the lists that somebody has named: one, or those of a backup or a data folder.

    In these there is none as long as nobody was forgotten. Raises a `Fault` for what is neither.
    """
    found = lists_in(path)
    if not found and not path.is_dir():
        check_list(content_of(path), str(path))
        return [path]
    if not found and not any((path / name).exists() for name in (MANIFEST_FILE, FORMAT_FILE)):
        raise Fault(f"{path} has no list of forgotten people", _HINT)
    return found


def content_of(file: Path) -> bytes:
    """Read a file. Raises a `Fault`."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise Fault(f"cannot read {file}: {error.strerror}", _HINT) from error


def add_to(file: Path, known: KnownForgotten, installation: str) -> None:
    """Add to a list what it lacks; make it if it is not there. Raises `OSError`, and a `Fault` as `read_list` does."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        content = _whole(file.read_bytes())
        lines = as_list(missing_from(content, str(file), known, installation), installation)
        os.ftruncate(descriptor, len(content))
        try:
            _append(descriptor, lines, len(content))
        except OSError:
            os.ftruncate(descriptor, len(content))
            raise
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _append(descriptor: int, content: bytes, at: int) -> None:
    while content:
        written = os.pwrite(descriptor, content, at)
        content, at = content[written:], at + written

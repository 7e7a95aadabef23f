"""What is wrong when SQLite fails: the row itself, the file, or nothing that does not pass.

* A *row* is what SQLite refuses for what it is. Whoever writes it says `Unwritable`.
* *Damage* is a bad page, or an I/O error while the disk has room: the file is of no use any more.
* A *doubt* is what a sound file never says: a row that is there already, a missing table, bytes that we cannot read. A
  fault of ours might make it come again after the file was made anew, so it is damage the first time only.
* All else is *passing*: the disk is full, or somebody holds the file. The same may succeed later.
"""

import contextlib
import errno
import os
import resource
import sqlite3
from pathlib import Path
from typing import Final, Literal

from schemas.errors import Code, Transient

Blame = Literal["row", "damage", "doubt", "passing"]

_ROOM_BYTES: Final = 64 * 1024
"""Bytes that a disk takes which has room."""

_GROWTH_BYTES: Final = 1024 * 1024
"""Bytes that a file of a shard may want to grow by at once."""

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})

_DOUBTS: Final = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID", "SQLITE_ERROR")
_DAMAGES: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR", "SQLITE_READONLY_DBMOVED")
_ROWS: Final = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    UnicodeError,
)


class ShardDamaged(Transient):
    """A shard's file is of no use: it is set aside, and made anew from the log."""

    def __init__(self, path: Path, what: str, *, is_doubt: bool = False) -> None:
        hint = "nothing is lost; try again in a while"
        super().__init__(Code.UNAVAILABLE, "a damaged file with this model is being made anew from the log", hint)
        self.what = f"{path}: {what}"
        self.is_doubt = is_doubt


def fault_of(error: Exception) -> Blame:
    """Say what an error is about that was raised by a statement on a shard."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(_DAMAGES) and name != "SQLITE_IOERR_NOMEM":
        return "damage"
    if name.startswith(_DOUBTS) or _is_no_text(error):
        return "doubt"
    return "row" if isinstance(error, _ROWS) else "passing"


def said_by_a_full_disk(error: Exception, shard: Path) -> bool:
    """Tell whether an I/O error only says that the disk has no room, for which SQLite has several names."""
    name = getattr(error, "sqlite_errorname", None) or ""
    return name.startswith("SQLITE_IOERR") and "READ" not in name and not has_room(shard)


def has_room(shard: Path) -> bool:
    """Tell whether the disk of a shard takes something, and lets the shard's files grow."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if limit != resource.RLIM_INFINITY and _largest(shard) + _GROWTH_BYTES > limit:
        return False
    probe = shard.with_name(f".room-{shard.stem}")
    try:
        with probe.open("wb") as file:
            file.write(bytes(_ROOM_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno not in _NO_ROOM
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return True


def _largest(shard: Path) -> int:
    files = [Path(f"{shard}{suffix}") for suffix in ("", "-wal")]
    return max((file.stat().st_size for file in files if file.exists()), default=0)


def _is_no_text(error: Exception) -> bool:
    """SQLite takes any bytes for a text; Python says this without a name when it reads them."""
    return isinstance(error, sqlite3.OperationalError) and "decode to UTF-8" in str(error)

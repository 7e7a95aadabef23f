"""A durable first-in-first-out on disk: what a sensor has told and the bus has not yet stored.

Rules:
* An entry is the whole message, its id included, fixed when it is appended. So sending it again is always harmless.
* `append` returns when the entry is on the disk (SQLite, WAL, synchronous=FULL): it survives kill -9 and a power cut.
* Entries leave only at the front, after the bus has stored them. At the bound new ones are refused; old ones stay.
* One process writes to a spool, held by a file lock that the system releases when the process ends, however it ends.
* A spool belongs to the thread that opened it.
"""

import glob
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from bus.logger import get_logger
from bus.private_files import OTHERS
from schemas.codec import encode
from schemas.commands import Command
from schemas.verbs import verb_of
from sensors.errors import SensorError, SpoolFullError

log = get_logger(__name__)

MAX_SPOOL_ENTRIES: Final = 1_000_000
"""Entries that wait at most. At the activity sensor's size (some 300 bytes) about 300 MB of disk."""

BUSY_TIMEOUT_S: Final = 5.0
"""Seconds to wait for someone who reads the file (a backup, a curious person) to let go of it."""


class Entry(NamedTuple):
    """A message as it will be sent: who speaks about whom, the verb, and the encoded command."""

    user: str
    app: str
    verb: str
    payload: bytes

    @classmethod
    def of(cls, user: str, app: str, command: Command) -> Self:
        """Encode a command. Raises the codec's `Refusal` for what JSON cannot say."""
        return cls(user, app, verb_of(command), encode(command))


class Spool:
    """The spool `name` in a folder, made if absent. Raises `SensorError` if someone else has it or the disk fails."""

    def __init__(self, folder: Path, name: str, max_entries: int = MAX_SPOOL_ENTRIES) -> None:
        self.path = folder / f"{name}.spool"
        self.on_append: Callable[[], None] = lambda: None
        """Called after entries have been appended; the publisher sets it."""
        self._max_entries = max_entries
        self._lock = _take_lock(folder / f"{name}.lock")
        try:
            self._database = self._open()
            self._count = self._counted()
        except BaseException:
            os.close(self._lock)
            raise

    def append(self, *entries: Entry) -> None:
        """Add entries at the end, all or none. Raises `SpoolFullError`, or `SensorError` if the disk refuses."""
        if self._count + len(entries) > self._max_entries:
            raise SpoolFullError(
                f"the spool {self.path} holds {self._count} of at most {self._max_entries} entries",
                "what is in it will be delivered when llum can be reached; new observations are not kept until then",
            )
        with self._transaction() as database:
            database.executemany("INSERT INTO entry (user, app, verb, payload) VALUES (?, ?, ?, ?)", entries)
        self._count += len(entries)
        self.on_append()

    def oldest(self, limit: int) -> list[tuple[int, Entry]]:
        """Give the first entries with their numbers, which ascend."""
        with self._disk_errors():
            rows = self._database.execute(
                "SELECT number, user, app, verb, payload FROM entry ORDER BY number LIMIT ?", (limit,)
            ).fetchall()
        return [(number, Entry(*rest)) for number, *rest in rows]

    def remove_up_to(self, number: int) -> None:
        """Drop the entries up to and including a number."""
        with self._transaction() as database:
            removed = database.execute("DELETE FROM entry WHERE number <= ?", (number,)).rowcount
        self._count -= removed

    def close(self) -> None:
        """Let go of the spool, so that another process may open it."""
        self._database.close()
        os.close(self._lock)

    def __len__(self) -> int:
        return self._count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection:
        with self._disk_errors():
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            database = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY AUTOINCREMENT,"
                " user TEXT NOT NULL, app TEXT NOT NULL, verb TEXT NOT NULL, payload BLOB NOT NULL)"
            )
        return database

    def _counted(self) -> int:
        with self._disk_errors():
            return int(self._database.execute("SELECT count(*) FROM entry").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._disk_errors():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise SensorError(
                f"the spool {self.path} cannot be used: {error}",
                "see that the disk has room and the folder is writable; a broken file may be moved away",
            ) from error


def _take_lock(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        _close_to_others(path.parent, path.stem)
    except OSError as error:
        raise SensorError(
            f"the folder {path.parent} cannot be written: {error}", "name another spool folder"
        ) from error
    try:
        _lock(handle)
    except OSError as error:
        os.close(handle)
        raise SensorError(
            f"another sensor is running with the spool {path.with_suffix('.spool')}",
            "stop that one first, or give this one a spool folder of its own",
        ) from error
    return handle


def _close_to_others(folder: Path, name: str) -> None:
    """Let nobody else read a spool that an earlier version has left open. The folder may be of other programs, too."""
    if sys.platform == "win32":
        return
    for file in folder.glob(f"{glob.escape(name)}.*"):
        if file.stat().st_mode & OTHERS:
            file.chmod(0o600)
            log.warning("closed_to_other_users", file=str(file))


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

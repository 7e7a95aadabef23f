"""One llum at a time on a data folder: whoever runs there holds it, and says where it answers."""

import contextlib
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from bus import credentials
from bus.log_format import FORMAT_FILE
from bus.private_files import Tightened, tighten
from llum.failures import Fault
from llum.places.files import FORGOTTEN_FILE
from llum.running import RUN_FILE, Running

LOCK_FILE: Final = "lock"

ENTRIES: Final = (LOCK_FILE, RUN_FILE, FORMAT_FILE, FORGOTTEN_FILE, "shards", "log", "nats", "spool", credentials.FILE)
"""What llum puts into a data folder."""

RESTORING: Final = ".llum-restore-"
"""What the folder in which a backup is being restored begins with."""

HOLD_PATIENCE_S: Final = 6.0
"""Seconds to wait for a worker whose supervisor was killed: it may take five to drain."""

HOLD_RETRY_S: Final = 0.05
"""Seconds between two looks at a lock."""


class HeldError(Fault):
    """Another process holds the folder; it may end."""


class DataFolder:
    """A data folder that this process alone may run a llum on, until it ends."""

    def __init__(self, path: Path) -> None:
        """Make and lock the folder, or raise a `Fault`: it cannot be written, or another llum holds it."""
        self.path = path
        self._lock = _lock(path, "Stop it first, or choose another folder with --data-dir.")
        self.tightened = tighten(path, ENTRIES)
        """What others of the machine could get at before."""
        self.crashed = (path / RUN_FILE).exists()
        """The llum before did not end in order."""

    def announce(self, running: Running) -> None:
        """Let commands find this llum."""
        write_atomically(self.path / RUN_FILE, running)

    def release(self) -> None:
        """Say that this llum has ended."""
        (self.path / RUN_FILE).unlink(missing_ok=True)
        os.close(self._lock)


def settle_restore(path: Path) -> None:
    """Remove what a restore has left that was killed at its very end; where it was killed before, raise a `Fault`.

    To begin there with nothing would hide that nothing was restored.
    """
    for left in path.glob(f"{RESTORING}*"):
        if not (path / "nats").exists():
            raise Fault(
                f"a restore into {path} was interrupted, so nothing of it is there",
                f"Restore again, or remove {path / RESTORING}* to begin with nothing.",
            )
        shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def hold(path: Path, patience_s: float = HOLD_PATIENCE_S) -> Iterator[None]:
    """Keep a folder to this process for a while; one who holds it may take a moment to end. Raises `Fault`."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            lock = _lock(path, "One worker serves a data folder.")
            break
        except HeldError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(HOLD_RETRY_S)
    try:
        yield
    finally:
        os.close(lock)


def _lock(path: Path, hint: str) -> int:
    """Make and lock a folder and give the lock's file descriptor. The system drops it when the process ends."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
    except BlockingIOError as error:
        holder = os.pread(lock, 32, 0).decode("ascii", "replace") or "unknown"
        os.close(lock)
        raise HeldError(f"a llum already runs on {path} (pid {holder})", hint) from error
    except OSError as error:
        os.close(lock)
        raise unwritable(path, error) from error
    return lock


def said_of(tightened: Tightened) -> list[str]:
    """Say in lines what has been closed to others, and what could not be."""
    changed, still_open = tightened
    lines = []
    if changed:
        lines.append(f"closed to other users: {changed[0]}{_and_others(len(changed) - 1)}")
    if still_open:
        lines.append(
            f"other users can get at {still_open[0]}{_and_others(len(still_open) - 1)}: it is not llum's alone"
        )
    return lines


def _and_others(count: int) -> str:
    return f" and {count} more" if count else ""


def write_atomically(path: Path, content: msgspec.Struct) -> None:
    """Write JSON so that a reader sees all of it or nothing. Raises a `Fault` if the file cannot be written."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.touch(mode=0o600)
        fresh.write_bytes(msgspec.json.encode(content) + b"\n")
        fresh.replace(path)
    except OSError as error:
        hint = "Make room there." if _is_full(error) else "See who may write there."
        raise Fault(f"cannot write {path}: {error.strerror}", hint) from error


def unwritable(path: Path, error: OSError) -> Fault:
    hint = (
        "Make room there, or name a folder on another disk"
        if _is_full(error)
        else "Name a folder that you may write to"
    )
    return Fault(f"cannot use {path} as data folder: {error.strerror}", f"{hint} with --data-dir or LLUM_DATA_DIR.")


def _is_full(error: OSError) -> bool:
    """Tell whether it is room that is missing."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)

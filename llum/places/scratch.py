"""Folders for copies that are being made. Each is locked by its maker, so what a killed one has left is known.

What is left holds everything of everybody, and nobody tells it of who is forgotten later. So the next one who makes a
folder beside it removes it.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LOCK_FILE: Final = ".making"

_PREFIX: Final = ".llum-backup-"


@contextmanager
def scratch_folder(beside: Path) -> Iterator[Path]:
    """Give a folder for a copy, on the disk of another one, as long as the block lasts. Raises `OSError`.

    It may be moved away meanwhile, without its `LOCK_FILE`.
    """
    beside.mkdir(parents=True, exist_ok=True)
    _sweep(beside)
    folder, lock = _made(beside)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _made(beside: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=beside))
        # Whoever sweeps at this moment may take it for one that was left.
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
            with contextlib.suppress(OSError):  # a file system without locks: nobody can sweep there either
                fcntl.flock(lock, fcntl.LOCK_EX)
            if (folder / LOCK_FILE).exists():
                return folder, lock
            os.close(lock)


def _sweep(beside: Path) -> None:
    """Remove the folders whose makers have been killed."""
    for folder in beside.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = os.open(folder / LOCK_FILE, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)

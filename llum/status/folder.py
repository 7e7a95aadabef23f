"""What the files of a data folder tell, whether llum runs or not."""

import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bus.aside import list_aside
from bus.subjects import all_log_streams
from llum.failures import Fault
from llum.status.standing import Log, Shards

_STREAMS: Final = "nats/jetstream"
_STREAM_FILE: Final = "meta.inf"
"""nats-server writes it when it makes a stream."""


def check_folder(data_dir: Path) -> None:
    """Raise a `Fault` unless there is such a folder and it may be read."""
    if not data_dir.is_dir():
        hint = "Start llum with `llum up`, or name its data folder with --data-dir."
        raise Fault(f"there is no data folder {data_dir}", hint)
    if not os.access(data_dir, os.R_OK | os.X_OK):
        raise Fault(f"cannot read the data folder {data_dir}", "Run this as the user who runs llum.")


def look_at_log(data_dir: Path) -> Log:
    """Give the size of the log's files, and when the log was made."""
    streams = list((data_dir / _STREAMS).rglob(all_log_streams())) if (data_dir / _STREAMS).is_dir() else []
    made = [file.stat().st_mtime for stream in streams if (file := stream / _STREAM_FILE).exists()]
    return Log(bytes=_size_of(streams), oldest=min(made, default=None))


def look_at_shards(data_dir: Path) -> Shards:
    """Give the number and the size of the shards, with their write-ahead logs, and what is set aside of them."""
    folder = data_dir / "shards"
    return Shards(files=len(list(folder.glob("*.db"))), bytes=_size_of([folder]), aside=list_aside(folder))


def free_bytes(data_dir: Path) -> int:
    """Give the bytes that llum may still write to the disk of the folder."""
    return shutil.disk_usage(data_dir).free


def _size_of(folders: Iterable[Path]) -> int:
    return sum(_size(file) for folder in folders for file in folder.rglob("*"))


def _size(path: Path) -> int:
    """Give the bytes of a file; none if it has gone: nats-server and SQLite make and delete some all the time."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0

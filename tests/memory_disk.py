"""Where the tests' files lie: in memory, if there is room. Tests kill processes, not the machine that writes to a disk.

A nats-server makes some hundred files when it starts, and every command waits for a disk to have it. With a disk that
is half of the time that tests take.
"""

import os
import shutil
from pathlib import Path
from typing import Final

import psutil

MEMORY: Final = Path("/dev/shm")
VARIABLE: Final = "PYTEST_DEBUG_TEMPROOT"
"""What pytest reads: the folder below which `tmp_path` lies. Who sets it decides."""

ROOM_BYTES: Final = 4 * 1024**3
"""Bytes that must be free. A run takes at most some hundred million at a time."""


def prefer_memory() -> None:
    """Put what `tmp_path` and `tmp_path_factory` give into memory, here and in the processes of xdist."""
    if VARIABLE not in os.environ and _has_room():
        os.environ[VARIABLE] = str(MEMORY)


def _has_room() -> bool:
    """Tell whether the file system in memory is there, large enough, and one that programs may be started from."""
    if not os.access(MEMORY, os.W_OK) or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) >= ROOM_BYTES

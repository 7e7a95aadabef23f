"""A small disk of a test's own, where the platform lets us have one."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import disk_usage

import pytest

SPARE_KILOBYTES = 64
"""More than is written while the size of a disk changes: below what is used there is no size."""


class Disk:
    """A disk in memory, mounted at a folder."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._megabytes = megabytes

    def be_full(self) -> None:
        """Have room for next to nothing more than there is, until `be_roomy`, while others go on writing."""
        spare = SPARE_KILOBYTES
        while not self._remounted(f"{disk_usage(self.folder).used // 1024 + spare}k"):
            spare *= 2

    def be_roomy(self) -> None:
        assert self._remounted(f"{self._megabytes}m")

    def _remounted(self, size: str) -> bool:
        command = ["mount", "-o", f"remount,size={size}", str(self.folder)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


def mounted(folder: Path, megabytes: int) -> Disk | None:
    """Mount a disk of so many megabytes at a new folder; None where that is not permitted."""
    folder.mkdir()
    if sys.platform != "linux":
        return None
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
        return None
    return Disk(folder, megabytes)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk of so many megabytes. Skips the test where that is not permitted."""
    disk = mounted(folder, megabytes)
    if disk is None:
        pytest.skip("this user may not mount a small disk, or this is not Linux")
    try:
        yield folder
    finally:
        disk.unmount()


def fill(disk: Path, leave_bytes: int) -> Path:
    """Fill a disk but for so many bytes, and give the file that may be deleted to make room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while disk_usage(disk).free > leave_bytes:
            file.write(bytes(min(65536, disk_usage(disk).free - leave_bytes)))
    return filler

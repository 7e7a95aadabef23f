"""The spools in a folder, as files: whose they are, and how to remove those of one person."""

import contextlib
import os
from pathlib import Path

from sensors.errors import SensorError
from sensors.spool import Spool

_SUFFIXES = (".spool", ".spool-wal", ".spool-shm", ".lock")


def spools_of(folder: Path, user: str) -> list[Path]:
    """List the files of a user's spools: they are named `<user>.<app>` and neither id has a dot."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.glob(f"{user}.*") if path.suffix in _SUFFIXES)


def remove_spools(folder: Path, user: str) -> int:
    """Remove a user's spools and give the number of entries that were waiting in them.

    Raises `SensorError` while a sensor is running with one of them: it would go on telling.
    """
    waiting = 0
    for name in sorted({path.name.rpartition(".")[0] for path in spools_of(folder, user)}):
        with Spool(folder, name) as spool:
            waiting += len(spool)
    for path in spools_of(folder, user):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
    return waiting


def check_no_sensor_runs(folder: Path, user: str) -> None:
    """Raise `SensorError` while a sensor is running with one of the user's spools."""
    for name in sorted({path.name.rpartition(".")[0] for path in spools_of(folder, user)}):
        try:
            Spool(folder, name).close()
        except SensorError as error:
            raise SensorError(f"a sensor of {user} is running ({error})", "stop it, then forget the person") from error

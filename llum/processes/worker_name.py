"""The name of a worker: made with its folder of shards, and kept there, so that it gets the same partitions again."""

import secrets
from pathlib import Path
from typing import Final

import msgspec

from llum.failures import Fault
from llum.processes.running import unwritable, write_atomically

NAME_FILE: Final = "worker.json"


class _Kept(msgspec.Struct, frozen=True):
    id: str
    draining: bool = False


class WorkerName:
    """What is kept of a worker. `id`: its name; `draining`: whether an operator wants it to serve nothing."""

    def __init__(self, path: Path) -> None:
        """Read it, or make it. Raises a `Fault`."""
        self._path = path
        try:
            self._kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            self._kept = _Kept(secrets.token_hex(6))
            write_atomically(path, self._kept)
        except msgspec.DecodeError as error:
            raise Fault(f"{path} cannot be read: {error}", "Delete it: the worker then gets a new name.") from error
        except OSError as error:
            raise unwritable(path, error) from error
        self.id = self._kept.id
        self.draining = self._kept.draining

    def keep_draining(self, drain: bool) -> None:
        """Know also next time what an operator wants. Raises a `Fault`."""
        self.draining = drain
        self._kept = _Kept(self.id, drain)
        write_atomically(self._path, self._kept)

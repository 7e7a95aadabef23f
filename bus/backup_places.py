"""Where backups of an installation are: each of them is to learn of who is forgotten after it was made."""

import hashlib

import msgspec

from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import FORGOTTEN_BUCKET

_PLACES = "place"
"""What keys of the bucket begin with that stand for a place."""


class BackupPlace(msgspec.Struct, frozen=True):
    """Where a backup is."""

    where: str
    """A folder's path, or the address of an object store with the login for it."""
    host: str = ""
    """The machine whose folder it is."""
    beside: int = 0
    """The number of the inode of the folder in which it is. If that is another one, a disk is not there."""


async def remember(bus: Bus, place: BackupPlace) -> None:
    """Remember a place. Raises `Transient`, `ApiError`."""
    await Bucket(bus, FORGOTTEN_BUCKET).put(_key(place), msgspec.json.encode(place))


async def drop(bus: Bus, place: BackupPlace) -> None:
    """Forget a place at which no backup is any more. Raises `Transient`, `ApiError`."""
    await Bucket(bus, FORGOTTEN_BUCKET).delete(_key(place))


async def places(bus: Bus) -> list[BackupPlace]:
    """Give all places that are remembered. Raises `Transient`, `ApiError`."""
    found = await Bucket(bus, FORGOTTEN_BUCKET).list(f"{_PLACES}.*")
    return [msgspec.json.decode(entry.value, type=BackupPlace) for entry in found]


def _key(place: BackupPlace) -> str:
    return f"{_PLACES}.{hashlib.sha256(f'{place.host} {place.where}'.encode()).hexdigest()}"

"""The bucket of the preferences service, and what is read of it, kept in memory while nobody changes it.

    key.<hash of the key>                               a key that was loaded, joined or revoked
    of.<user>.<hash of the key>                         that a record names this user: `forget` finds it by that
    client.<hash of the id>                             a program that was installed somewhere
    credential.<hash of the client id>.<hash of the id> what such a program shows who it is with
    joining.<user>                                      that somebody joins this safe, until it is done
    token.<hash of the key>.<hash of the token>         a token for a key; nats-server forgets it when it has expired

Also that there is nothing is kept: most keys have no record, and each request would ask for it.
"""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from bus.connection import Bus
from bus.kv import Bucket, KeyValue
from bus.subjects import PREFERENCE_BUCKET
from bus.watched_bucket import WatchedBucket
from schemas.recent import Recent

CACHE_ENTRIES: Final = 10_000
"""Entries of the bucket that one process remembers, about 8 MB; and as many names of which there is no entry."""

TOKEN: Final = "token"  # noqa: S105 - the name of a kind of entries

_BY_LAST_PART: Final = (TOKEN, "credential")
"""Kinds of entries that are found by the last part of their key alone."""


class _Looked(NamedTuple):
    entry: KeyValue | None
    epoch: int


class PreferenceStore:
    """Reads entries, and remembers them. Run `run()` for that; without it each is read anew."""

    def __init__(self, bus: Bus, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._watched = WatchedBucket(bus, PREFERENCE_BUCKET, (">",), monotonic)
        self.bucket = self._watched.bucket
        self._there: Recent[str, _Looked] = Recent(CACHE_ENTRIES)
        self._absent: Recent[str, _Looked] = Recent(CACHE_ENTRIES)
        """Kept apart: whoever makes up keys pushes out none that is there."""
        self._changes: Recent[str, int] = Recent(CACHE_ENTRIES)
        """How often an entry was seen to change."""

    async def run(self) -> None:
        """Watch until cancelled for entries that are changed here or elsewhere."""
        await self._watched.run(self._changed)

    @property
    def is_live(self) -> bool:
        """Tell whether changes are heard of now."""
        return self._watched.epoch is not None

    async def find(self, key: str) -> KeyValue | None:
        """Give an entry; a token is asked for as `token.*.<hash>`, a credential as `credential.*.<hash>`.

        Raises `Transient`, `ApiError`.
        """
        looked = self._there.get(key) or self._absent.get(key)
        if looked is not None and looked.epoch == self._watched.epoch:
            return looked.entry
        epoch, changes = self._watched.epoch, self._changes.get(key)
        entry = await self._watched.find(key)
        if entry is None and changes is not None:
            # A replica that lags may not have yet what the watch has told.
            entry = await self.bucket.find_at_leader(key)
        if epoch is not None and changes == self._changes.get(key):
            self._remember(key, _Looked(entry, epoch))
        return entry

    def let_go(self, key: str) -> None:
        """Remember nothing of an entry that is being changed here: the watch tells of it only a moment later."""
        self._changed(key)

    async def erase_tokens_of(self, key_hash: str) -> None:
        """Erase the tokens for a key. They end first: what is merely erased is told to nobody who remembers it."""
        for entry in await self.bucket.list(f"{TOKEN}.{key_hash}.*", is_whole=True):
            await self.bucket.delete(entry.key)
            self.let_go(entry.key)
        await self.bucket.erase(f"{TOKEN}.{key_hash}.*")

    def _remember(self, key: str, looked: _Looked) -> None:
        known, other = (self._absent, self._there) if looked.entry is None else (self._there, self._absent)
        known[key] = looked
        other.discard(key)

    def _changed(self, key: str) -> None:
        name = _looked_up_as(key)
        self._changes[name] = (self._changes.get(name) or 0) + 1
        self._there.discard(name)
        self._absent.discard(name)


async def is_joining(bus: Bus) -> bool:
    """Tell whether somebody joins a safe to their model, or has broken that off. Raises `Transient`, `ApiError`."""
    return bool(await Bucket(bus, PREFERENCE_BUCKET).list("joining.*"))


def _looked_up_as(key: str) -> str:
    """Give the name by which an entry is asked for: nobody knows of a token of which key it is."""
    kind, _, rest = key.partition(".")
    return f"{kind}.*.{rest.rpartition('.')[2]}" if kind in _BY_LAST_PART else key

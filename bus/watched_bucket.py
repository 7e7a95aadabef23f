"""A bucket whose changes are watched, for those who keep in memory what they have read from it.

What was read in an epoch may be believed until that epoch ends: the watch was live when it was read, and has missed
nothing since.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from bus.connection import Bus
from bus.kv import Bucket, KeyValue
from bus.subjects import bucket_key, bucket_stream
from bus.watching import Watch
from schemas.recent import Recent

CHANGES: Final = 10_000
"""Changed keys remembered by one process, about 2 MB: a replica that lags further behind has long been left out."""


class WatchedBucket:
    """Reads keys, and calls `on_change` with each that is written or deleted, here or elsewhere. Run `run()`."""

    def __init__(
        self,
        bus: Bus,
        name: str,
        keys: Sequence[str],
        on_change: Callable[[str], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keys` hold wildcards: together they name all keys of the bucket, so that none is missed unnoticed."""
        self.bucket = Bucket(bus, name)
        self._prefix_size = len(bucket_key(name, ""))
        self._on_change = on_change
        self.on_begin: list[Callable[[], None]] = []
        """Called when a new watch begins: changes may have been missed before. They must not block."""
        self._changed: Recent[str, int] = Recent(CHANGES)
        """When a key was changed last, as a place in the stream."""
        self._epoch = 0
        self._watch = Watch(
            bus, bucket_stream(name), [bucket_key(name, one) for one in keys], self._take, self._begin, monotonic
        )

    async def run(self) -> None:
        """Watch until cancelled. Without that there is no epoch, and all is read anew."""
        await self._watch.run()

    @property
    def epoch(self) -> int | None:
        """Name the time in which no change has been missed; None: one may just now have been."""
        return self._epoch if self._watch.is_live else None

    async def find(self, keys: str) -> KeyValue | None:
        """Read the newest value of keys that may hold wildcards, never one that is known to be outdated.

        Raises `Transient`, `ApiError`.
        """
        found = await self.bucket.find(keys)
        if found is not None and found.seq < (self._changed.get(found.key) or 0):
            return await self.bucket.find_at_leader(keys)
        return found

    def _begin(self) -> None:
        self._epoch += 1
        for hook in self.on_begin:
            hook()

    def _take(self, subject: bytes, _headers: bytes, _data: bytes, seq: int) -> None:
        key = subject[self._prefix_size :].decode("utf-8", "replace")
        self._changed[key] = seq
        self._on_change(key)

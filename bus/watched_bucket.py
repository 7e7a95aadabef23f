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
    """Reads keys, and tells of each that is written or deleted, here or elsewhere, for as long as `run` does.

    Many are made to read a few keys, and let go: as long as one is not watched it is in no cycle of references.
    """

    def __init__(
        self, bus: Bus, name: str, keys: Sequence[str], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`keys` hold wildcards: together they name all keys of the bucket, so that none is missed unnoticed."""
        self.bucket = Bucket(bus, name)
        self._bus = bus
        self._monotonic = monotonic
        self._stream = bucket_stream(name)
        self._subjects = [bucket_key(name, one) for one in keys]
        self._prefix_size = len(bucket_key(name, ""))
        self._on_change: Callable[[str], None] = lambda _: None
        self.on_begin: list[Callable[[], None]] = []
        """Called when a new watch begins: changes may have been missed before. They must not block."""
        self._changed: Recent[str, int] = Recent(CHANGES)
        """When a key was changed last, as a place in the stream."""
        self._epoch = 0
        self._watch: Watch | None = None

    async def run(self, on_change: Callable[[str], None]) -> None:
        """Watch until cancelled, and call `on_change` with each key that has changed.

        Without that there is no epoch, and all is read anew.
        """
        self._on_change = on_change
        self._watch = Watch(self._bus, self._stream, self._subjects, self._take, self._begin, self._monotonic)
        try:
            await self._watch.run()
        finally:
            self._watch = None
            self._on_change = lambda _: None

    @property
    def epoch(self) -> int | None:
        """Name the time in which no change has been missed; None: one may just now have been."""
        return self._epoch if self._watch is not None and self._watch.is_live else None

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

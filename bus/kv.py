"""Key-value buckets: what llum needs of them, straight on their streams."""

import math
from typing import Any, Final

from bus import erasing, subjects
from bus.connection import Bus
from bus.erasing import Choice
from bus.inbox import header
from bus.jetstream import WRONG_LAST_SEQUENCE, ApiError, JetStream

MARKER_LIFETIME_S: Final = 3600
"""Seconds that nats-server keeps the marker of a deleted key: long enough for every watcher to see it."""


class Bucket:
    """One bucket. Keys are subject tokens without dots."""

    def __init__(self, bus: Bus, name: str) -> None:
        self._bus = bus
        self._jetstream = JetStream(bus)
        self._stream = subjects.bucket_stream(name)
        self._prefix = subjects.bucket_key(name, "")

    async def get(self, key: str) -> bytes | None:
        """Read a value; None if there is none. Raises `Transient`."""
        found = await self._jetstream.direct_last(self._stream, self._prefix + key)
        if found is None or header(found.headers, b"KV-Operation") is not None:
            return None
        return found.data

    async def put(self, key: str, value: bytes, lifetime_s: float | None = None) -> None:
        """Write a value; nats-server forgets it after `lifetime_s`. Raises `Transient`, or `ApiError`."""
        headers = None if lifetime_s is None else {"Nats-TTL": f"{max(1, math.ceil(lifetime_s))}s"}
        await self._publish(key, value, headers)

    async def create(self, key: str, value: bytes) -> bool:
        """Write a value unless the key was ever written; tell whether it was written now. Raises `Transient`."""
        try:
            await self._publish(key, value, {"Nats-Expected-Last-Subject-Sequence": "0"})
        except ApiError as error:
            if error.err_code == WRONG_LAST_SEQUENCE:
                return False
            raise
        return True

    async def delete(self, key: str) -> None:
        """Drop a key and its history. Raises `Transient`."""
        marker = {"KV-Operation": "PURGE", "Nats-Rollup": "sub", "Nats-TTL": f"{MARKER_LIFETIME_S}s"}
        await self._publish(key, b"", marker)

    async def erase(self, keys: str = "*", which: Choice | None = None) -> int:
        """Erase values, of keys that may hold wildcards and that `which` chooses, and give their number.

        None of their bytes is left on the disk. Raises `Transient`.
        """
        return await erasing.erase(self._bus, self._stream, self._prefix + keys, which=which)

    async def count(self, keys: str = "*", which: Choice | None = None) -> int:
        """Count values, with those that were deleted lately unless `which` leaves them out. Raises `Transient`."""
        if which is None:
            return await self._jetstream.count(self._stream, self._prefix + keys)
        return await erasing.count(self._bus, self._stream, self._prefix + keys, which)

    async def _publish(self, key: str, value: bytes, headers: dict[str, str] | None) -> None:
        await self._jetstream.publish(self._prefix + key, value, headers)


def bucket_stream(name: str) -> dict[str, Any]:
    """Give the stream that is a bucket: one value per key, kept for ever unless its key has a lifetime."""
    return {
        "name": subjects.bucket_stream(name),
        "subjects": [subjects.bucket_key(name, ">")],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "max_msgs_per_subject": 1,
        "allow_rollup_hdrs": True,
        "allow_direct": True,
        "allow_msg_ttl": True,
    }

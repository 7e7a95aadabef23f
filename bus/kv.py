"""Key-value buckets: what llum needs of them, straight on their streams."""

import math
from typing import Final, NamedTuple

from bus import erasing, subjects
from bus.connection import Bus
from bus.inbox import header
from bus.jetstream import WRONG_LAST_SEQUENCE, ApiError, JetStream, Stored

MARKER_LIFETIME_S: Final = 3600
"""Seconds that nats-server keeps the marker of a deleted key: long enough for every watcher to see it."""

CLAIM_ATTEMPTS: Final = 3
"""Attempts to claim a key: another one is worth it only when what was there has just been deleted or erased."""

_LIFETIME: Final = "Nats-TTL"
_EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"
_EXPECTED_OF: Final = "Nats-Expected-Last-Subject-Sequence-Subject"


class KeyValue(NamedTuple):
    """A key of a bucket with its value."""

    key: str
    value: bytes
    seq: int
    """Its place in the bucket's stream: a later write has a larger one."""


class Bucket:
    """One bucket. Keys are subject tokens with dots between."""

    def __init__(self, bus: Bus, name: str) -> None:
        self._bus = bus
        self._jetstream = JetStream(bus)
        self._stream = subjects.bucket_stream(name)
        self._prefix = subjects.bucket_key(name, "")

    async def get(self, key: str) -> bytes | None:
        """Read a value; None if there is none. Raises `Transient`."""
        found = await self.find(key)
        return None if found is None else found.value

    async def find(self, keys: str) -> KeyValue | None:
        """Read the newest value of keys that may hold wildcards; None if that was deleted. Raises `Transient`."""
        found = await self._jetstream.direct_last(self._stream, self._prefix + keys)
        if found is None and self._bus.in_cluster:
            # Any replica has answered. What was written a moment ago may not have come to that one.
            return await self.find_at_leader(keys)
        return None if found is None or is_marker(found.headers) else self._entry(found)

    async def find_at_leader(self, keys: str) -> KeyValue | None:
        """Read the same from the bucket's leader, which never lags. Raises `Transient`, `ApiError`."""
        found = await self._jetstream.last(self._stream, self._prefix + keys)
        return None if found is None or is_marker(found.headers) else self._entry(found)

    async def find_listed(self, key: str) -> KeyValue | None:
        """Read as `find_at_leader` does, for less where many look for keys at the same time that are not there.

        The bucket's leader lists the keys once for all of them. So the bucket must not have many keys.
        """
        listed = await self._jetstream.listed(self._stream, f"{self._prefix}*")
        return await self.find_at_leader(key) if self._prefix + key in listed else None

    async def list(self, keys: str, *, is_whole: bool = False) -> list[KeyValue]:
        """Read all values of keys that may hold wildcards. Raises `Transient`, `ApiError`.

        `is_whole`: miss none that was written before, also where a replica is behind. For whoever takes something away
        from all; it needs the bucket's leader.
        """
        return [
            self._entry(found)
            async for page in erasing.pages(self._jetstream, self._stream, self._prefix + keys, is_whole=is_whole)
            for found in page
            if not is_marker(found.headers)
        ]

    async def put(self, key: str, value: bytes, lifetime_s: float | None = None) -> None:
        """Write a value; nats-server forgets it after `lifetime_s`. Raises `Transient`, or `ApiError`."""
        await self._publish(key, value, _lifetime_header(lifetime_s))

    def put_soon(self, key: str, value: bytes, lifetime_s: float | None = None) -> None:
        """Write a value that need not arrive, and wait for nothing."""
        headers = b"" if lifetime_s is None else f"NATS/1.0\r\n{_LIFETIME}: {_lifetime(lifetime_s)}\r\n\r\n".encode()
        self._bus.publish_soon((self._prefix + key).encode(), value, b"", headers)

    async def create(self, key: str, value: bytes) -> bool:
        """Write a value unless the key was ever written; tell whether it was written now. Raises `Transient`."""
        return await self._publish_expected(key, value, {_EXPECTED: "0"}) is not None

    async def claim(
        self, key: str, value: bytes, unique: str | None = None, lifetime_s: float | None = None
    ) -> KeyValue | None:
        """Write a value unless there is one, and give it; None: there is. Of many who do so at once, one writes.

        `unique`: keys, with wildcards, of which only one may have a value. A value that was deleted is none. Raises
        `Transient`.
        """
        unique, seq = unique or key, 0
        for _ in range(CLAIM_ATTEMPTS):
            expected = {_EXPECTED: str(seq), _EXPECTED_OF: self._prefix + unique}
            claimed = await self._publish_expected(key, value, expected | _lifetime_header(lifetime_s))
            if claimed is not None:
                return KeyValue(key, value, claimed)
            last = await self._jetstream.last(self._stream, self._prefix + unique)
            if last is not None and not is_marker(last.headers):
                return None
            seq = last.seq if last is not None else 0
        return None

    async def replace(self, entry: KeyValue, value: bytes, lifetime_s: float | None = None) -> bool:
        """Write a value in place of one that was read; tell whether that was still the newest. Raises `Transient`."""
        return await self.swap(entry, value, lifetime_s) is not None

    async def swap(self, entry: KeyValue, value: bytes, lifetime_s: float | None = None) -> KeyValue | None:
        """Do the same, and give what is there now, to be swapped in turn; None: it was not the newest any more."""
        expected = {_EXPECTED: str(entry.seq)} | _lifetime_header(lifetime_s)
        seq = await self._publish_expected(entry.key, value, expected)
        return None if seq is None else KeyValue(entry.key, value, seq)

    async def take(self, entry: KeyValue) -> bool:
        """Drop a value that was read; tell whether it was still the newest: of many who take it, one does.

        Raises `Transient`.
        """
        return await self._publish_expected(entry.key, b"", {**_marker(), _EXPECTED: str(entry.seq)}) is not None

    async def delete(self, key: str) -> None:
        """Drop a key and its history. Raises `Transient`."""
        await self._publish(key, b"", _marker())

    async def erase(self, keys: str) -> int:
        """Erase values, of keys that may hold wildcards, and give their number.

        None of their bytes is left on the disk. Raises `Transient`.
        """
        return await erasing.erase(self._bus, self._stream, self._prefix + keys)

    async def count(self, keys: str) -> int:
        """Count values, with those that were deleted lately. Raises `Transient`."""
        return await self._jetstream.count(self._stream, self._prefix + keys)

    def _entry(self, found: Stored) -> KeyValue:
        return KeyValue(found.subject.removeprefix(self._prefix), found.data, found.seq)

    async def _publish_expected(self, key: str, value: bytes, headers: dict[str, str]) -> int | None:
        """Publish if the newest is what the headers say, and give the place; None: it is not."""
        try:
            return await self._publish(key, value, headers)
        except ApiError as error:
            if error.err_code == WRONG_LAST_SEQUENCE:
                return None
            raise

    async def _publish(self, key: str, value: bytes, headers: dict[str, str]) -> int:
        return await self._jetstream.publish(self._prefix + key, value, headers or None)


def is_marker(headers: bytes) -> bool:
    """Tell by its headers whether a message stands for a key that was deleted."""
    return header(headers, b"KV-Operation") is not None


def _marker() -> dict[str, str]:
    return {"KV-Operation": "PURGE", "Nats-Rollup": "sub", _LIFETIME: _lifetime(MARKER_LIFETIME_S)}


def _lifetime_header(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {_LIFETIME: _lifetime(seconds)}


def _lifetime(seconds: float) -> str:
    return f"{max(1, math.ceil(seconds))}s"

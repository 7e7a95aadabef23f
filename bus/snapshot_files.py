"""The files of snapshots: how they are packed for the object store, unpacked again, and seen to be what was packed.

All of this reads and writes whole files: call it in a thread.
"""

import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bus.log_format import LOG_FORMAT
from bus.objects import CHUNK_BYTES
from bus.shard_snapshots import SnapshotManifest
from schemas.names import UNICODE_VERSION

READ_BYTES: Final = 1024 * 1024
"""Bytes that are read from a file at a time."""

_LEVEL: Final = 1
"""Of zlib, the fastest: a shard becomes a quarter of its size. The best makes it a fifth, in eight times the time."""


class SnapshotUnusable(Exception):  # noqa: N818 - says what the snapshot is
    """A snapshot that is not to be restored. The text says why."""


def check_current(manifest: SnapshotManifest, erased_seq: int, *, is_needed: bool = False) -> None:
    """Raise `SnapshotUnusable` if a snapshot is of another log or Unicode, or may hold what was forgotten.

    `is_needed`: the log was cut since. Then one of another Unicode is used, as there is nothing to make it anew from.
    """
    if manifest.log_format != LOG_FORMAT:
        raise SnapshotUnusable(f"it is of a log of format {manifest.log_format}, this llum has {LOG_FORMAT}")
    if manifest.unicode != UNICODE_VERSION and not is_needed:
        raise SnapshotUnusable(f"it was made with Unicode {manifest.unicode}, this llum has {UNICODE_VERSION}")
    if manifest.erased_seq < erased_seq:
        raise SnapshotUnusable(f"it may hold what was forgotten at {erased_seq}")


class Packing:
    """Gives a file in compressed chunks."""

    def __init__(self, path: Path) -> None:
        self._chunks = self._packed(path)
        self._digest = hashlib.sha256()
        self.bytes = 0
        """Of the file, as far as it has been read."""

    @property
    def sha256(self) -> str:
        """The digest of the file, hexadecimal, once all chunks have been given."""
        return self._digest.hexdigest()

    def next(self) -> bytes:
        """Give the next chunk; empty: there is none."""
        return next(self._chunks, b"")

    def _packed(self, path: Path) -> Iterator[bytes]:
        packer, ready = zlib.compressobj(_LEVEL), bytearray()
        with path.open("rb") as file:
            while read := file.read(READ_BYTES):
                self._digest.update(read)
                self.bytes += len(read)
                ready += packer.compress(read)
                while len(ready) >= CHUNK_BYTES:
                    yield bytes(ready[:CHUNK_BYTES])
                    del ready[:CHUNK_BYTES]
        ready += packer.flush()
        for start in range(0, len(ready), CHUNK_BYTES):
            yield bytes(ready[start : start + CHUNK_BYTES])


class Unpacking:
    """Writes a file from compressed chunks, and sees that it is the one that was packed."""

    def __init__(self, path: Path, manifest: SnapshotManifest) -> None:
        self._file = path.open("wb")
        self._manifest = manifest
        self._unpacker = zlib.decompressobj()
        self._digest = hashlib.sha256()
        self._bytes = 0

    def take(self, chunk: bytes) -> None:
        """Write what is in a chunk. Raises `SnapshotUnusable`, `OSError`."""
        try:
            while chunk:
                # However much a chunk claims to hold, little of it is in memory.
                self._write(self._unpacker.decompress(chunk, READ_BYTES))
                chunk = self._unpacker.unconsumed_tail
        except zlib.error as error:
            raise SnapshotUnusable(f"it cannot be unpacked: {error}") from error

    def check(self) -> None:
        """See, when all chunks have been taken, that the file is the one that was packed. Raises `SnapshotUnusable`."""
        self._write(self._unpacker.flush())
        if (self._bytes, self._digest.hexdigest()) != (self._manifest.bytes, self._manifest.sha256):
            raise SnapshotUnusable("it holds other bytes than its manifest says")

    def end(self) -> None:
        """Do the same, and have the file on the disk. Raises `SnapshotUnusable`, `OSError`."""
        self.check()
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def _write(self, data: bytes) -> None:
        if self._bytes + len(data) > self._manifest.bytes:
            raise SnapshotUnusable("it holds more than its manifest says")
        self._file.write(data)
        self._digest.update(data)
        self._bytes += len(data)

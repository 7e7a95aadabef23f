"""Digests of commands: they tell whether two copies of the log, or of what follows from it, are the same.

The key is a secret of the installation, so that nobody can look for a command that fits a digest, and a digest tells
nothing about who was forgotten. A command's digest covers what the log holds of it: raw body, subject, sequence, time.
The body alone has one, too: it tells a repeat from another command with the same id.

Theory: both come from one pass. What follows the body ends with the body's length, so no two commands are one text.
"""

import hashlib
import importlib.metadata
import struct
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

from actors.store.sql import SCHEMA_VERSION
from bus.log import LogMessage
from schemas.names import UNICODE_VERSION

DIGEST_BYTES: Final = 16
BODY_DIGEST_BYTES: Final = 8
"""Enough: a mistake would take one sender's command for the repeat of another of its own."""

MODULUS: Final = 1 << (8 * DIGEST_BYTES)
"""Sums of digests are kept modulo this number."""

_behind_body: Final = struct.Struct("<QQQ").pack


class Landmark(NamedTuple):
    """A command of the log, and how to know it again."""

    seq: int
    time_us: int
    digest: bytes


class Digests:
    """Makes digests with one key. Without a key they are no secret, as in tests."""

    def __init__(self, key: bytes = b"") -> None:
        self._new: Callable[[], hashlib.blake2b] = hashlib.blake2b(key=key, digest_size=DIGEST_BYTES).copy
        fingerprint = hashlib.blake2b(key=key, digest_size=8, person=b"fingerprint").digest()
        self.fingerprint = int.from_bytes(fingerprint, "little", signed=True)
        """Tells keys apart, and says nothing else about them. 64 bits, signed."""

    def of(self, message: LogMessage) -> tuple[bytes, int]:
        """Give the digest of a command, and that of its body alone (64 bits, signed)."""
        state, data = self._new(), message.data
        state.update(data)
        body = int.from_bytes(state.digest()[:BODY_DIGEST_BYTES], "little", signed=True)
        state.update(message.subject.encode() + _behind_body(message.seq, message.time_us, len(data)))
        return state.digest(), body


class StateSum(NamedTuple):
    """The sum of the checksums of all rows that models are made of, as of a sequence."""

    seq: int
    rows: int
    made_by: str
    """Schema, Unicode and code by which the state was made: other ones may make another state of the same log."""

    def agrees_with(self, other: "StateSum") -> bool | None:
        """Tell whether two copies hold the same; None where they cannot be compared."""
        if (self.seq, self.made_by) != (other.seq, other.made_by):
            return None
        return self.rows == other.rows


@cache
def made_by() -> str:
    """Name the schema, the Unicode and the code by which states are made here."""
    return f"{SCHEMA_VERSION} {UNICODE_VERSION} {importlib.metadata.version('llum')}"


def added(total: int, digest: bytes) -> int:
    """Add a digest to a sum."""
    return (total + int.from_bytes(digest, "little")) % MODULUS


def stored(total: int) -> bytes:
    """Write a sum as the shard stores it."""
    return total.to_bytes(DIGEST_BYTES, "little")

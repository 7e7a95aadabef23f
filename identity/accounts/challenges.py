"""Challenges that authenticators sign: each is good for one ceremony of one kind, for a few minutes, and once.

A challenge proves itself that llum has made it, so showing a page stores nothing. What is stored is that one has been
used: in the bucket of accounts, by a hash of it, until its time is over. So it is good once at all edges together.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

from bus.connection import Bus
from bus.key_rings import CHALLENGE_KEYS, KeyRings, RingKey
from bus.kv import Bucket
from bus.subjects import ACCOUNT_BUCKET

LIFETIME_S: Final = 600
"""Seconds for a ceremony: to find one's key, or to choose among devices."""

_NONCE_BYTES: Final = 16
_TIME_BYTES: Final = 5
_PROOF_BYTES: Final = 16


class Challenges:
    """Makes and takes challenges. All methods raise `Transient`, `ApiError`."""

    def __init__(self, bus: Bus, now: Callable[[], float] = time.time) -> None:
        self._rings = KeyRings(bus)
        self._bucket = Bucket(bus, ACCOUNT_BUCKET)
        self._now = now

    async def make(self, ceremony: str) -> bytes:
        """Make a challenge for a ceremony: a text that says of what kind it is, and for whom."""
        expires = int(self._now()) + LIFETIME_S
        head = secrets.token_bytes(_NONCE_BYTES) + expires.to_bytes(_TIME_BYTES)
        ring = await self._rings.read(CHALLENGE_KEYS)
        return head + _proof(ring.used(self._now()), head, ceremony)

    async def take(self, challenge: bytes, ceremony: str) -> bool:
        """Use a challenge up; tell whether it is one of this ceremony, still good, and was not used before."""
        if len(challenge) != _NONCE_BYTES + _TIME_BYTES + _PROOF_BYTES:
            return False
        head, proof = challenge[:-_PROOF_BYTES], challenge[-_PROOF_BYTES:]
        keys = (await self._rings.read(CHALLENGE_KEYS)).accepted(self._now())
        if not any(hmac.compare_digest(proof, _proof(key, head, ceremony)) for key in keys):
            return False
        left_s = int.from_bytes(head[_NONCE_BYTES:]) - self._now()
        if left_s <= 0:
            return False
        key = f"spent.{hashlib.sha256(challenge).hexdigest()}"
        return await self._bucket.claim(key, b"1", lifetime_s=left_s + LIFETIME_S) is not None


def _proof(key: RingKey, head: bytes, ceremony: str) -> bytes:
    return hashlib.blake2b(head + ceremony.encode(), digest_size=_PROOF_BYTES, key=key.bytes).digest()

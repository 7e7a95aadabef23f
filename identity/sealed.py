"""What is kept for a few minutes under a secret that only the other side has: found by its hash, opened by itself.

So nobody reads in the bucket, or in a copy of it, what is on its way, and nothing of a person is left there that would
have to be erased.
"""

import hmac
import secrets
from typing import Final, NamedTuple

from bus.connection import Bus
from bus.kv import Bucket, KeyValue
from bus.subjects import FLOW_BUCKET

SECRET_BYTES: Final = 32


def new_secret() -> str:
    """Make a secret, which may stand in a cookie or an address."""
    return secrets.token_urlsafe(SECRET_BYTES)


class FoundSealed(NamedTuple):
    """An entry that was opened, and where it is."""

    content: bytes
    entry: KeyValue


class SealedEntries:
    """Keeps entries in the bucket of what is on its way. `kind` keeps those of one purpose apart from others."""

    def __init__(self, bus: Bus, kind: str) -> None:
        self._bucket = Bucket(bus, FLOW_BUCKET)
        self._kind = kind

    async def put(self, secret: str, content: bytes, lifetime_s: float) -> None:
        """Keep an entry. Raises `Transient`."""
        await self._bucket.put(self._name(secret), self._seal(secret, content), lifetime_s)

    async def read(self, secret: str) -> bytes | None:
        """Give an entry; None if there is none (any more). Raises `Transient`."""
        return self._open(secret, await self._bucket.get(self._name(secret)))

    async def take(self, secret: str) -> bytes | None:
        """Give an entry and drop it: of several who do so at once, one gets it. Raises `Transient`."""
        entry = await self._bucket.find_at_leader(self._name(secret))
        if entry is None or not await self._bucket.take(entry):
            return None
        return self._open(secret, entry.value)

    async def find(self, secret: str) -> "FoundSealed | None":
        """Give an entry as the bucket's leader has it, to be replaced; None if there is none. Raises `Transient`."""
        entry = await self._bucket.find_at_leader(self._name(secret))
        content = None if entry is None else self._open(secret, entry.value)
        return None if entry is None or content is None else FoundSealed(content, entry)

    async def replace(self, secret: str, found: "FoundSealed", content: bytes, lifetime_s: float) -> bool:
        """Put another content in place of one that was found; tell whether it was there still. Raises `Transient`."""
        return await self._bucket.replace(found.entry, self._seal(secret, content), lifetime_s)

    def _name(self, secret: str) -> str:
        return f"{self._kind}.{_derived(secret, 'name of ' + self._kind).hex()}"

    def _seal(self, secret: str, content: bytes) -> bytes:
        from nacl.secret import SecretBox

        return bytes(SecretBox(_derived(secret, "key of " + self._kind)).encrypt(content))

    def _open(self, secret: str, sealed: bytes | None) -> bytes | None:
        if sealed is None:
            return None
        from nacl.secret import SecretBox

        return SecretBox(_derived(secret, "key of " + self._kind)).decrypt(sealed)


def _derived(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), purpose.encode(), "sha256")

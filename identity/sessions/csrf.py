"""What shows that a request comes from a page of llum: a keyed hash of what the browser's cookie says.

Another site can have a browser send the cookie, but cannot read it, nor llum's pages. So it cannot know the hash.
"""

import functools
import hashlib
import hmac
from typing import Final

from bus.key_rings import WatchedRing
from schemas.recent import CHEAP_RESULTS

_TOKEN_BYTES: Final = 16


class CsrfTokens:
    """Makes and checks the tokens. They are the same on every edge, and live as long as the cookie they are made of."""

    def __init__(self, ring: WatchedRing) -> None:
        """`ring`: the installation's `SESSION_KEYS`."""
        self._ring = ring
        self._made = functools.lru_cache(maxsize=CHEAP_RESULTS)(self._make)

    async def load(self) -> None:
        """Read the keys of the installation, and hear of new ones until `close`. Raises `Transient`."""
        if not self._ring.is_open:
            await self._ring.open()

    def close(self) -> None:
        """Hear of nothing more."""
        self._ring.close()

    def make(self, cookie: str) -> str:
        """Make the token of a cookie's value; an empty text, which is never right, before `load`."""
        return self._made(cookie, self._ring.used) if self._ring.is_open else ""

    def is_right(self, cookie: str, token: str) -> bool:
        """Tell whether a token is that of a cookie's value. Before `load` none is."""
        ring = self._ring
        if not ring.is_open or not token.isascii():
            return False
        # Nearly all are of the key that is used now.
        if hmac.compare_digest(self._made(cookie, ring.used), token):
            return True
        return any(hmac.compare_digest(self._made(cookie, key), token) for key in ring.accepted)

    @staticmethod
    def _make(cookie: str, key: bytes) -> str:
        return hashlib.blake2b(cookie.encode(), digest_size=_TOKEN_BYTES, key=key, person=b"llum csrf").hexdigest()

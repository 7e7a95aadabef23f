"""Opaque bearer tokens. Only a token's hash is stored, and neither token nor hash is ever logged."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from typing import Final

import msgspec

from bus.connection import Bus
from bus.jetstream import Stored
from bus.kv import Bucket
from bus.subjects import TOKEN_BUCKET
from schemas.paths import check_token
from schemas.recent import Recent

CACHE_ENTRIES: Final = 10_000
"""Tokens remembered by one process, about 3 MB."""

CACHE_AGE_S: Final = 5.0
"""Seconds that a remembered token is believed: so long a token revoked by another process may still work."""

GRACE_S: Final = 60
"""Seconds that nats-server keeps a token after its expiry, so that clocks may differ."""

_FORM: Final = re.compile(r"llum_[A-Za-z0-9_-]{43}")


class Identity(msgspec.Struct, frozen=True):
    """Who a token stands for, and until when (seconds since 1970)."""

    user: str
    app: str
    expires: float


_decoder: Final = msgspec.json.Decoder(Identity)


class Tokens:
    """Issues, looks up and revokes tokens. Unknown tokens are not remembered: they could push out the known ones."""

    def __init__(
        self, bus: Bus, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._bucket = Bucket(bus, TOKEN_BUCKET)
        self._now = now
        self._monotonic = monotonic
        self._cache: Recent[str, tuple[float, Identity]] = Recent(CACHE_ENTRIES)
        bus.on_disconnect.append(self._cache.clear)

    async def issue(self, user: str, app: str, lifetime_s: float) -> str:
        """Make a token. Raises `Refusal` for ids that cannot be, `Transient`."""
        identity = Identity(check_token(user, "user"), check_token(app, "app"), self._now() + lifetime_s)
        token = "llum_" + secrets.token_urlsafe(32)
        await self._bucket.put(_key(token), msgspec.json.encode(identity), lifetime_s + GRACE_S)
        return token

    async def look_up(self, token: str) -> Identity | None:
        """Tell who a token stands for; None if it is unknown, revoked or has expired. Raises `Transient`."""
        if not _FORM.fullmatch(token):
            return None
        key = _key(token)
        identity = self._remembered(key) or await self._fetch(key)
        return identity if identity and identity.expires > self._now() else None

    async def revoke(self, token: str) -> None:
        """Make a token worthless: here at once, elsewhere within `CACHE_AGE_S`. Raises `Transient`."""
        key = _key(token)
        self._cache.discard(key)
        await self._bucket.delete(key)
        self._cache.discard(key)

    async def forget(self, user: str) -> int:
        """Erase all tokens of a user and give their number: elsewhere they are believed for `CACHE_AGE_S` more.

        Reads every token there is. Raises `Transient`, `ApiError`.
        """
        self._cache.clear()
        return await self._bucket.erase(which=_belongs_to(user))

    async def count(self, user: str) -> int:
        """Count the tokens of a user. Raises `Transient`, `ApiError`."""
        return await self._bucket.count(which=_belongs_to(user))

    def _remembered(self, key: str) -> Identity | None:
        entry = self._cache.get(key)
        if entry is None or self._monotonic() - entry[0] > CACHE_AGE_S:
            return None
        return entry[1]

    async def _fetch(self, key: str) -> Identity | None:
        started = self._monotonic()
        value = await self._bucket.get(key)
        if value is None:
            self._cache.discard(key)
            return None
        identity = _decoder.decode(value)
        self._cache[key] = (started, identity)
        return identity


def _belongs_to(user: str) -> Callable[[Stored], bool]:
    """Choose a user's tokens. What marks a deleted key holds nothing."""
    return lambda message: bool(message.data) and _decoder.decode(message.data).user == user


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

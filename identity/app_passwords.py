"""Passwords of apps that cannot do more than send one: small devices. Only an argon2id hash is stored, never logged.

A password is bound to one registration of its app, as a token is. One that was right is remembered for a while under a
keyed hash of it, together with what is stored. Within `CACHE_AGE_S` it is believed; after that the stored hash is read
again, and if it is still the same nothing need be computed. So a device that reports every second costs one argon2 in
ten minutes, and a password that is changed or deleted anywhere stops working within seconds.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import APP_PASSWORD_BUCKET
from identity.hashing import Hashing
from identity.names import check_names
from identity.throttle import Throttle
from schemas.errors import Code, Refusal
from schemas.paths import check_token, is_token
from schemas.recent import Recent

CACHE_AGE_S: Final = 5.0
"""Seconds that a right password is believed without a look at the bucket, as a token is."""

REMEMBERED_S: Final = 600.0
"""Seconds after which argon2 must say again that a password is right, although the stored hash is the same.

Each time it says so, the use of the password is noted.
"""

CACHE_ENTRIES: Final = 10_000
"""Right passwords remembered by one process, about 3 MB."""

MAX_PASSWORD_CHARACTERS: Final = 1024
"""Characters of a password: longer ones only cost time."""

_SHOWN_CHARACTERS: Final = 16
"""Characters of a hash by which people name a password."""


class _Stored(msgspec.Struct, frozen=True):
    hash: str
    """Argon2id's own text: parameters, salt and hash."""
    registration: int
    made: float


class StoredPassword(NamedTuple):
    """What can be told of a password: not the password itself. Times are seconds since 1970."""

    id: str
    """The beginning of a hash of what is stored."""
    app: str
    registration: int
    made: float
    used: float | None
    """When it was used last, give or take `REMEMBERED_S`; None: never."""


_decoder: Final = msgspec.json.Decoder(_Stored)


class AppPasswords:
    """Keeps and checks the passwords of apps. Each app of a user has one at most."""

    def __init__(
        self, bus: Bus, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._bucket = Bucket(bus, APP_PASSWORD_BUCKET)
        self._now = now
        self._monotonic = monotonic
        self._hashing = Hashing()
        self._throttle = Throttle(monotonic)
        self._secret = secrets.token_bytes(32)
        self._known: Recent[bytes, _Known] = Recent(CACHE_ENTRIES)
        self._writes = 0
        bus.on_disconnect.append(self._known.clear)

    async def hashed(self, password: str) -> str:
        """Prepare a password for `store`. Raises `Refusal` for one that cannot be, `Transient`."""
        encoded = _encoded(password)
        if encoded is None:
            raise Refusal(
                Code.BAD_FIELD, f"a password has 1 to {MAX_PASSWORD_CHARACTERS} characters of Unicode", "password"
            )
        return await self._hashing.make(encoded)

    async def store(self, user: str, app: str, registration: int, hashed: str) -> None:
        """Set or replace the password of a registration. Raises `Refusal` for ids that get none, `Transient`."""
        check_names(user, app)
        await self._write(_key(user, app), msgspec.json.encode(_Stored(hashed, registration, self._now())))

    async def delete(self, user: str, app: str, before: int | None = None) -> None:
        """Drop a password, if there is one: here at once, elsewhere within `CACHE_AGE_S`. Raises `Transient`.

        With `before` only that of a registration before this sequence.
        """
        key = _key(user, app)
        value = await self._bucket.get(key)
        if value is not None and (before is None or _decoder.decode(value).registration < before):
            await self._write(key, None)

    async def list(self, user: str) -> list[StoredPassword]:
        """List the passwords of a user's apps, by app. Raises `Transient`, `ApiError`."""
        check_token(user, "user")
        used = {key: float(value) for key, value in await self._bucket.list(f"{user}.*.used")}
        return sorted(
            (_listed(*entry, used) for entry in await self._bucket.list(f"{user}.*")), key=lambda one: one.app
        )

    async def erase_user(self, user: str) -> int:
        """Erase the passwords of all apps of a user, and give their number. Raises `Transient`, or `ApiError`."""
        check_token(user, "user")
        try:
            await self._bucket.erase(f"{user}.*.used")
            return await self._bucket.erase(f"{user}.*")
        finally:
            self._writes += 1
            self._known.clear()

    async def count(self, user: str) -> int:
        """Count what is stored of the passwords of a user's apps. Raises `Transient`, `ApiError`."""
        return await self._bucket.count(f"{user}.>")

    async def verify(self, user: str, app: str, password: str) -> int | None:
        """Give the registration that this is a password of; None if it is wrong. It takes as long if there is none.

        Whether the app is still registered is not looked at. Raises `Transient`: `rate_limited` after too many wrong
        ones, `unavailable`.
        """
        encoded = _encoded(password)
        if encoded is None or not (is_token(user) and is_token(app)):
            return None
        tag = self._tag(user, app, encoded)
        known = self._known.get(tag)
        if known is None or self._monotonic() - known.seen >= CACHE_AGE_S:
            known = await self._look(user, app, encoded, tag, known)
        return known.registration if known else None

    async def _look(self, user: str, app: str, password: bytes, tag: bytes, known: "_Known | None") -> "_Known | None":
        started = self._monotonic()
        value = await self._bucket.get(_key(user, app))
        if known is not None and started - known.computed < REMEMBERED_S and value == known.value:
            known.seen = started
            return known
        self._known.discard(tag)
        return await self._compute(user, app, password, tag, value, started)

    async def _compute(
        self, user: str, app: str, password: bytes, tag: bytes, value: bytes | None, started: float
    ) -> "_Known | None":
        self._throttle.take((user, app))
        writes = self._writes
        stored = None if value is None else _decoder.decode(value)
        right = await self._hashing.matches(stored.hash if stored else None, password)
        if not right or stored is None or value is None:
            return None
        self._throttle.give_back((user, app))
        self._bucket.put_soon(f"{_key(user, app)}.used", b"%d" % self._now())
        known = _Known(value, stored.registration, started)
        if writes == self._writes:
            self._known[tag] = known
        return known

    async def _write(self, key: str, stored: bytes | None) -> None:
        """Write or delete a hash. What is being verified meanwhile is not remembered."""
        try:
            await self._bucket.delete(f"{key}.used")
            await (self._bucket.delete(key) if stored is None else self._bucket.put(key, stored))
        finally:
            self._writes += 1
            self._known.clear()

    def _tag(self, user: str, app: str, password: bytes) -> bytes:
        return hmac.digest(self._secret, f"{user}.{app} ".encode() + password, hashlib.sha256)


class _Known:
    """A right password: what is stored of it, when argon2 said that it is right, when the bucket last held that."""

    __slots__ = ("computed", "registration", "seen", "value")

    def __init__(self, value: bytes, registration: int, now: float) -> None:
        self.value = value
        self.registration = registration
        self.computed = self.seen = now


def _listed(key: str, value: bytes, used: dict[str, float]) -> StoredPassword:
    stored = _decoder.decode(value)
    shown = hashlib.sha256(stored.hash.encode()).hexdigest()[:_SHOWN_CHARACTERS]
    return StoredPassword(shown, key.partition(".")[2], stored.registration, stored.made, used.get(f"{key}.used"))


def _key(user: str, app: str) -> str:
    return f"{check_token(user, 'user')}.{check_token(app, 'app')}"


def _encoded(password: str) -> bytes | None:
    if not 1 <= len(password) <= MAX_PASSWORD_CHARACTERS:
        return None
    try:
        return password.encode()
    except UnicodeEncodeError:
        return None

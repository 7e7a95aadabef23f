"""Passwords of apps that cannot do more than send one: small devices. Only an argon2id hash is stored, never logged.

A password that was right is remembered for a while under a keyed hash of it, together with the stored hash that it
matched. Within `CACHE_AGE_S` it is believed; after that the stored hash is read again, and if it is still the same
nothing need be computed. So a device that reports every second costs one argon2 in ten minutes, and a password that is
changed or deleted anywhere stops working within seconds.
"""

import asyncio
import hashlib
import hmac
import math
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import argon2

from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import APP_KEY_BUCKET
from schemas.errors import Code, Refusal, Transient
from schemas.paths import check_token, is_token
from schemas.recent import Recent

CACHE_AGE_S: Final = 5.0
"""Seconds that a right password is believed without a look at the bucket, as a token is."""

REMEMBERED_S: Final = 600.0
"""Seconds after which argon2 must say again that a password is right, although the stored hash is the same."""

CACHE_ENTRIES: Final = 10_000
"""Right passwords remembered by one process, about 3 MB."""

MAX_PASSWORD_CHARACTERS: Final = 1024
"""Characters of a password: longer ones only cost time."""

MAX_AT_ONCE: Final = 2
"""Passwords hashed at the same time. Each takes about 20 ms of a core and 19 MiB."""

MAX_WAITING: Final = 32
"""Passwords that may wait to be hashed, less than a second's work; further callers are told to come again."""

ATTEMPTS: Final = 10
"""Wrong passwords that one app may send at once; then one more every `ATTEMPT_EVERY_S`."""

ATTEMPT_EVERY_S: Final = 6.0
"""Seconds for one attempt to come back: 14,400 guesses a day, which any password worth the name withstands."""

MAX_COUNTED: Final = 10_000
"""Apps whose wrong passwords are counted, the latest ones."""

_MEMORY_KIB: Final = 19 * 1024
_PASSES: Final = 2
_LANES: Final = 1
"""OWASP's parameters for argon2id with little memory: as strong as those with more memory and fewer passes."""

T = TypeVar("T")


class AppKeys:
    """Keeps and checks the passwords of apps. A user and an app name a key; the app need not be registered."""

    def __init__(self, bus: Bus, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._bucket = Bucket(bus, APP_KEY_BUCKET)
        self._monotonic = monotonic
        self._hashing = _Hashing()
        self._attempts = _Attempts(monotonic)
        self._secret = secrets.token_bytes(32)
        self._known: Recent[bytes, _Known] = Recent(CACHE_ENTRIES)
        self._writes = 0
        bus.on_disconnect.append(self._known.clear)

    async def set_password(self, user: str, app: str, password: str) -> bytes | None:
        """Set or replace a password, and give what `restore` needs to undo that.

        Raises `Refusal` for a password or ids that cannot be, `Transient`.
        """
        key, encoded = _key(user, app), _encoded(password)
        if encoded is None:
            raise Refusal(
                Code.BAD_FIELD, f"a password has 1 to {MAX_PASSWORD_CHARACTERS} characters of Unicode", "password"
            )
        stored = await self._hashing.make(encoded)
        before = await self._bucket.get(key)
        await self._write(key, stored)
        return before

    async def restore(self, user: str, app: str, before: bytes | None) -> None:
        """Undo a `set_password`, whose result this takes. Raises `Transient`."""
        await self._write(_key(user, app), before)

    async def has_password(self, user: str, app: str) -> bool:
        """Tell whether there is a password. Raises `Refusal` for ids that cannot be, `Transient`."""
        return await self._bucket.get(_key(user, app)) is not None

    async def delete(self, user: str, app: str) -> None:
        """Drop a password, if there is one: here at once, elsewhere within `CACHE_AGE_S`. Raises `Transient`."""
        await self._write(_key(user, app), None)

    async def forget(self, user: str) -> int:
        """Erase the passwords of all apps of a user, and give their number. Raises `Transient`, or `ApiError`."""
        keys = f"{check_token(user, 'user')}.*"
        try:
            return await self._bucket.erase(keys)
        finally:
            self._writes += 1
            self._known.clear()

    async def count(self, user: str) -> int:
        """Count the passwords of a user's apps, with those that were deleted lately. Raises `Transient`, `ApiError`."""
        return await self._bucket.count(f"{user}.*")

    async def verify(self, user: str, app: str, password: str) -> bool:
        """Tell whether this is the app's password; it takes as long if there is none.

        Raises `Transient`: `rate_limited` after too many wrong ones, `unavailable`.
        """
        encoded = _encoded(password)
        if encoded is None or not (is_token(user) and is_token(app)):
            return False
        tag = self._tag(user, app, encoded)
        known = self._known.get(tag)
        if known is not None and self._monotonic() - known.seen < CACHE_AGE_S:
            return True
        return await self._look(user, app, encoded, tag, known)

    async def _look(self, user: str, app: str, password: bytes, tag: bytes, known: "_Known | None") -> bool:
        started = self._monotonic()
        stored = await self._bucket.get(_key(user, app))
        if known is not None and started - known.computed < REMEMBERED_S and stored == known.stored:
            known.seen = started
            return True
        self._known.discard(tag)
        self._attempts.take((user, app))
        writes = self._writes
        right = await self._hashing.matches(stored, password)
        if right and stored is not None:
            self._attempts.give_back((user, app))
            if writes == self._writes:
                self._known[tag] = _Known(stored, started)
        return right

    async def _write(self, key: str, stored: bytes | None) -> None:
        """Write or delete a hash. What is being verified meanwhile is not remembered."""
        try:
            await (self._bucket.delete(key) if stored is None else self._bucket.put(key, stored))
        finally:
            self._writes += 1
            self._known.clear()

    def _tag(self, user: str, app: str, password: bytes) -> bytes:
        return hmac.digest(self._secret, f"{user}.{app} ".encode() + password, hashlib.sha256)


class _Known:
    """A right password: the stored hash that it matched, when argon2 said so, when the bucket last held that hash."""

    __slots__ = ("computed", "seen", "stored")

    def __init__(self, stored: bytes, now: float) -> None:
        self.stored = stored
        self.computed = self.seen = now


class _Hashing:
    """Argon2 in threads of its own, few at a time; whoever leaves does not let more of them run."""

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher(_PASSES, _MEMORY_KIB, _LANES)
        self._threads = ThreadPoolExecutor(MAX_AT_ONCE, "llum-argon2")
        self._under_way = 0
        self._nobodys: bytes | None = None

    async def make(self, password: bytes) -> bytes:
        return (await self._run(lambda: self._hasher.hash(password))).encode()

    async def matches(self, stored: bytes | None, password: bytes) -> bool:
        """Tell whether the password matches; without a stored hash compute just as much, and say no."""
        if stored is None:
            self._nobodys = self._nobodys or await self.make(secrets.token_bytes(32))
        return await self._run(lambda: self._verify(stored or self._nobodys or b"", password)) and stored is not None

    def _verify(self, stored: bytes, password: bytes) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._under_way >= MAX_AT_ONCE + MAX_WAITING:
            raise Transient(Code.UNAVAILABLE, "too many passwords are being checked")
        self._under_way += 1
        try:
            return await asyncio.wrap_future(self._threads.submit(work))
        finally:
            self._under_way -= 1


class _Attempts:
    """Counts wrong passwords by app, as a bucket that refills: full again after `ATTEMPTS * ATTEMPT_EVERY_S`."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._full_at: Recent[tuple[str, str], float] = Recent(MAX_COUNTED)
        """When all attempts of an app will have come back."""

    def take(self, who: tuple[str, str]) -> None:
        """Take one attempt before it is made, or raise `rate_limited` when none is left."""
        now = self._monotonic()
        full_at = max(self._full_at.get(who) or now, now)
        wait_s = full_at - now - (ATTEMPTS - 1) * ATTEMPT_EVERY_S
        if wait_s > 0:
            hint = f"wait {math.ceil(wait_s)} s"
            raise Transient(Code.RATE_LIMITED, "too many wrong passwords for this app", hint, wait_s)
        self._full_at[who] = full_at + ATTEMPT_EVERY_S

    def give_back(self, who: tuple[str, str]) -> None:
        """Take an attempt for none: the password was right."""
        full_at = self._full_at.get(who)
        if full_at is not None:
            self._full_at[who] = full_at - ATTEMPT_EVERY_S


def _key(user: str, app: str) -> str:
    return f"{check_token(user, 'user')}.{check_token(app, 'app')}"


def _encoded(password: str) -> bytes | None:
    if not 1 <= len(password) <= MAX_PASSWORD_CHARACTERS:
        return None
    try:
        return password.encode()
    except UnicodeEncodeError:
        return None

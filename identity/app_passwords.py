"""Passwords of apps that cannot do more than send one: small devices. Only an argon2id hash is stored, never logged.

A password is bound to one registration of its app, as a token is. One that was right is remembered for a while under a
keyed hash of it, together with what is stored. Within `CACHE_AGE_S` it is believed; after that the stored hash is read
again, and if it is still the same nothing need be computed. So a device that reports every second costs one argon2 in
ten minutes, and a password that is changed or deleted anywhere stops working within seconds.

Guesses are counted by the address that they come from, before anything is computed. A password that was right before
is not a guess: as long as the same hash is stored, nobody's guesses keep the device out that has it.
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
from identity.throttle import ATTEMPT_EVERY_S, ATTEMPTS, SOURCE_ATTEMPT_EVERY_S, SOURCE_ATTEMPTS, Throttle
from schemas.errors import Code, Refusal, Transient
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
        self._of_source = Throttle(monotonic, SOURCE_ATTEMPTS, SOURCE_ATTEMPT_EVERY_S, "from this address")
        self._of_source_and_app = Throttle(monotonic, ATTEMPTS, ATTEMPT_EVERY_S, "for this app")
        self._secret = secrets.token_bytes(32)
        self._known: Recent[str, _Known] = Recent(CACHE_ENTRIES)
        """By key: an app has one password."""
        self._written: Recent[str, int] = Recent(CACHE_ENTRIES)
        """How often a password has been written or deleted here."""
        bus.on_disconnect.append(self._doubt_all)

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
            for key in self._known:
                if key.startswith(f"{user}."):
                    self._let_go(key)

    async def count(self, user: str) -> int:
        """Count what is stored of the passwords of a user's apps. Raises `Transient`, `ApiError`."""
        return await self._bucket.count(f"{user}.>")

    async def verify(self, user: str, app: str, password: str, source: str = "") -> int | None:
        """Give the registration that this is a password of; None if it is wrong. It takes as long if there is none.

        `source` is the address that it comes from. Whether the app is still registered is not looked at. Raises
        `Transient`: `rate_limited` after too many wrong ones from there, `unavailable`.
        """
        encoded = _encoded(password)
        if encoded is None or not (is_token(user) and is_token(app)):
            return None
        key = _key(user, app)
        tag = hmac.digest(self._secret, encoded, hashlib.sha256)
        known = self._known.get(key)
        if known is not None and not hmac.compare_digest(known.tag, tag):
            known = None
        if known is None or self._monotonic() - known.seen >= CACHE_AGE_S:
            known = await self._look(_Attempt(key, encoded, tag, source), known)
        return known.registration if known else None

    async def _look(self, attempt: "_Attempt", known: "_Known | None") -> "_Known | None":
        started = self._monotonic()
        value = await self._bucket.get(attempt.key)
        if known is not None and value == known.value:
            if started - known.computed < REMEMBERED_S:
                known.seen = started
                return known
            return await self._compute(attempt, value, started, known=True)
        if known is not None:
            self._known.discard(attempt.key)
        return await self._guess(attempt, value, started)

    async def _guess(self, attempt: "_Attempt", value: bytes | None, started: float) -> "_Known | None":
        """Check a password that may be a guess."""
        both = (attempt.source, attempt.key)
        self._of_source.take(attempt.source)
        try:
            self._of_source_and_app.take(both)
        except Transient:
            self._of_source.give_back(attempt.source)
            raise
        found = await self._compute(attempt, value, started)
        if found is not None:
            self._of_source.give_back(attempt.source)
            self._of_source_and_app.give_back(both)
        return found

    async def _compute(
        self, attempt: "_Attempt", value: bytes | None, started: float, *, known: bool = False
    ) -> "_Known | None":
        if value is None:
            await self._hashing.match_nothing(attempt.password)
            return None
        key, written = attempt.key, self._written.get(attempt.key)
        stored = _decoder.decode(value)
        if not await self._hashing.matches(stored.hash, attempt.password, known=known):
            return None
        self._bucket.put_soon(f"{key}.used", b"%d" % self._now())
        found = _Known(value, attempt.tag, stored.registration, started)
        if written == self._written.get(key):
            self._known[key] = found
        return found

    async def _write(self, key: str, stored: bytes | None) -> None:
        """Write or delete a hash. What is being verified meanwhile is not remembered."""
        try:
            await self._bucket.delete(f"{key}.used")
            await (self._bucket.delete(key) if stored is None else self._bucket.put(key, stored))
        finally:
            self._let_go(key)

    def _doubt_all(self) -> None:
        """Believe no password without a look at the bucket. That it was right once still says that it is no guess."""
        for key in self._known:
            known = self._known.get(key)
            if known is not None:
                known.seen = float("-inf")

    def _let_go(self, key: str) -> None:
        """Remember nothing of this password, and of no other one less."""
        self._written[key] = (self._written.get(key) or 0) + 1
        self._known.discard(key)


class _Attempt(NamedTuple):
    """A password that somebody has sent, and from where."""

    key: str
    password: bytes
    tag: bytes
    source: str


class _Known:
    """A right password: what is stored of it, when argon2 said that it is right, when the bucket last held that."""

    __slots__ = ("computed", "registration", "seen", "tag", "value")

    def __init__(self, value: bytes, tag: bytes, registration: int, now: float) -> None:
        self.value = value
        self.tag = tag
        """A keyed hash of it."""
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

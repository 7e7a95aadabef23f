"""Passwords of apps that cannot do more than send one: small devices. Only an argon2id hash is stored, never logged.

A password is bound to one registration of its app, as a token is. One that was right is remembered for a while under a
keyed hash of it, together with what is stored. While the bucket is watched it is believed; otherwise the stored hash is
read again, and if it is still the same nothing need be computed. So a device that reports every second costs one argon2
in ten minutes, and a password that is changed or deleted anywhere stops working within a second.

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
from bus.subjects import APP_PASSWORD_BUCKET
from bus.watched_bucket import WatchedBucket
from identity.hashing import Hashing
from identity.names import check_names
from identity.throttle import ATTEMPT_EVERY_S, ATTEMPTS, SOURCE_ATTEMPT_EVERY_S, SOURCE_ATTEMPTS, Throttle
from schemas.errors import Code, Refusal, Transient
from schemas.paths import check_token, is_token
from schemas.recent import Recent

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

_USED: Final = ".used"
"""The end of the keys under which uses are noted."""


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
    """Keeps and checks the passwords of apps. Each app of a user has one at most. Run `run()` to have them watched."""

    def __init__(
        self, bus: Bus, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._watched = WatchedBucket(bus, APP_PASSWORD_BUCKET, ("*.*", "*.*.used"), monotonic)
        self._bucket = self._watched.bucket
        self._now = now
        self._monotonic = monotonic
        self._hashing = Hashing()
        self._of_source = Throttle(
            monotonic, SOURCE_ATTEMPTS, SOURCE_ATTEMPT_EVERY_S, "wrong passwords from this address"
        )
        self._of_source_and_app = Throttle(monotonic, ATTEMPTS, ATTEMPT_EVERY_S, "wrong passwords for this app")
        self._secret = secrets.token_bytes(32)
        self._known: Recent[str, _Known] = Recent(CACHE_ENTRIES)
        """By key: an app has one password."""
        self._written: Recent[str, int] = Recent(CACHE_ENTRIES)
        """How often a password has been written or deleted here."""

    async def run(self) -> None:
        """Watch until cancelled for passwords that are changed elsewhere."""
        await self._watched.run(self._changed)

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
        """Drop a password, if there is one: here at once, elsewhere as soon as the watch there hears of it.

        With `before` only that of a registration before this sequence. Raises `Transient`.
        """
        key = _key(user, app)
        value = await self._bucket.get(key)
        if value is not None and (before is None or _decoder.decode(value).registration < before):
            await self._write(key, None)

    async def list(self, user: str) -> list[StoredPassword]:
        """List the passwords of a user's apps, by app. Raises `Transient`, `ApiError`."""
        check_token(user, "user")
        used = {key: float(value) for key, value, _ in await self._bucket.list(f"{user}.*.used")}
        return sorted(
            (_listed(entry.key, entry.value, used) for entry in await self._bucket.list(f"{user}.*", is_whole=True)),
            key=lambda one: one.app,
        )

    async def erase_user(self, user: str) -> int:
        """Erase the passwords of all apps of a user, and give their number. Raises `Transient`, or `ApiError`."""
        check_token(user, "user")
        try:
            keys = [entry.key for entry in await self._bucket.list(f"{user}.*", is_whole=True)]
            # What is merely erased is told to nobody who remembers it.
            for key in keys:
                await self._bucket.delete(key)
            await self._bucket.erase(f"{user}.>")
            return len(keys)
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
        if known is None or not self._is_believed(known):
            known = await self._look(_Attempt(key, encoded, tag, source), known)
        return known.registration if known else None

    def _is_believed(self, known: "_Known") -> bool:
        if known.epoch is None or known.epoch != self._watched.epoch:
            return False
        return self._monotonic() - known.computed < REMEMBERED_S

    async def _look(self, attempt: "_Attempt", known: "_Known | None") -> "_Known | None":
        started, epoch = self._monotonic(), self._watched.epoch
        entry = await self._watched.find(attempt.key)
        looked = _Looked(None if entry is None else entry.value, started, epoch)
        if known is not None and looked.value == known.value:
            if started - known.computed < REMEMBERED_S:
                known.epoch = epoch
                return known
            return await self._compute(attempt, looked, known=True)
        if known is not None:
            self._known.discard(attempt.key)
        return await self._guess(attempt, looked)

    async def _guess(self, attempt: "_Attempt", looked: "_Looked") -> "_Known | None":
        """Check a password that may be a guess."""
        both = (attempt.source, attempt.key)
        self._of_source.take(attempt.source)
        try:
            self._of_source_and_app.take(both)
        except Transient:
            self._of_source.give_back(attempt.source)
            raise
        found = await self._compute(attempt, looked)
        if found is not None:
            self._of_source.give_back(attempt.source)
            self._of_source_and_app.give_back(both)
        return found

    async def _compute(self, attempt: "_Attempt", looked: "_Looked", *, known: bool = False) -> "_Known | None":
        value = looked.value
        if value is None:
            await self._hashing.match_nothing(attempt.password)
            return None
        key, written = attempt.key, self._written.get(attempt.key)
        stored = _decoder.decode(value)
        if not await self._hashing.matches(stored.hash, attempt.password, known=known):
            return None
        self._bucket.put_soon(f"{key}.used", b"%d" % self._now())
        found = _Known(value, attempt.tag, stored.registration, looked)
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

    def _changed(self, key: str) -> None:
        """Look again at a password that was changed, here or elsewhere. That it was right says that it is no guess."""
        if key.endswith(_USED):
            return
        self._written[key] = (self._written.get(key) or 0) + 1
        known = self._known.get(key)
        if known is not None:
            known.epoch = None

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


class _Looked(NamedTuple):
    """What the bucket holds of a password, and when somebody looked."""

    value: bytes | None
    at: float
    epoch: int | None
    """That of the watch at that time; None: what was found is not to be believed a second time."""


class _Known:
    """A right password: what is stored of it, when argon2 said that it is right, for how long the bucket holds that."""

    __slots__ = ("computed", "epoch", "registration", "tag", "value")

    def __init__(self, value: bytes, tag: bytes, registration: int, looked: _Looked) -> None:
        self.value = value
        self.tag = tag
        """A keyed hash of it."""
        self.registration = registration
        self.computed = looked.at
        self.epoch = looked.epoch


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

"""Opaque bearer tokens. Only a token's hash is stored, and neither token nor hash is ever logged.

Each is bound to one registration of an app; `identity.registrations` knows whether that still holds. The bucket's keys
are `<hash>.<user>.<app>`, so that nats-server itself finds those of a user, and beside each that was used, under
`<hash>.<user>.<app>.used`, when that was.
"""

import asyncio
import functools
import hashlib
import re
import secrets
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from bus.connection import Bus
from bus.subjects import TOKEN_BUCKET
from bus.watched_bucket import WatchedBucket
from identity.inboxes import Inboxes, WatchedInboxes, inboxes_of, new_sign_in
from identity.names import check_names
from identity.principal import Principal
from schemas.paths import check_token
from schemas.recent import CHEAP_RESULTS, Recent

CACHE_ENTRIES: Final = 10_000
"""Tokens remembered by one process, about 4 MB."""

GRACE_S: Final = 60
"""Seconds that nats-server keeps a token after its expiry, so that clocks may differ."""

USE_NOTED_EVERY_S: Final = 600.0
"""Seconds between two notes that a token was used: noting each use would cost a write each time."""

AT_ONCE: Final = 64
"""Tokens that are revoked at the same time."""

_USED: Final = ".used"
"""The end of the keys under which uses are noted."""

_FORM: Final = re.compile(r"llum_[A-Za-z0-9_-]{43}\.[0-9a-f]{16}\.[0-9a-f]{32}")
"""A secret, and the two parts of the name of the inbox: so whoever has the token knows where it is answered."""

_SHOWN_CHARACTERS: Final = 16
"""Characters of a hash by which people name a token: enough to tell all tokens apart, too few to search for."""


class _Stored(msgspec.Struct, frozen=True, omit_defaults=True):
    registration: int
    made: float
    expires: float
    sign_in: str
    audience: str = ""
    oauth: bool = False


class IssuedToken(NamedTuple):
    """What can be told of a token: not the token itself. Times are seconds since 1970."""

    id: str
    """The beginning of its hash."""
    app: str
    registration: int
    made: float
    expires: float
    used: float | None
    """When it was used last, give or take `USE_NOTED_EVERY_S`; None: never."""
    key: str
    """Under which it is stored."""
    sign_in: str
    audience: str = ""


class _Known:
    """A token that was looked up: whose it is, for how long that may be believed, when its use was last noted."""

    __slots__ = ("epoch", "expires", "key", "noted", "principal")

    def __init__(self, key: str, value: bytes, epoch: int | None) -> None:
        hashed, user, app = key.split(".")
        stored = _decoder.decode(value)
        self.key = key
        shown = hashed[:_SHOWN_CHARACTERS]
        self.principal = Principal(
            user,
            app,
            stored.registration,
            "token",
            stored.sign_in,
            shown,
            stored.expires,
            audience=stored.audience,
            oauth=stored.oauth,
        )
        self.expires = stored.expires
        self.epoch = epoch
        """That of the watch; None: it is not to be believed a second time."""
        self.noted = float("-inf")


_decoder: Final = msgspec.json.Decoder(_Stored)


class Tokens:
    """Issues, looks up, lists and revokes tokens. Run `run()` for what is looked up to be remembered.

    Unknown tokens are not remembered: they could push out the known ones.
    """

    def __init__(
        self, bus: Bus, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._watched = WatchedBucket(bus, TOKEN_BUCKET, ("*.*.*", "*.*.*.used"), monotonic)
        self._bucket = self._watched.bucket
        self._bus = bus
        self._now = now
        self._own_inboxes: WatchedInboxes | None = None
        self._cache: Recent[str, _Known] = Recent(CACHE_ENTRIES)
        """By the hash of the token."""
        self.on_change: list[Callable[[str, str, str], None]] = []
        """Called as `hook(user, app, id)` when a token was made or revoked, here or elsewhere. They must not block."""
        self.on_begin = self._watched.on_begin
        """Called when some such changes may have been missed."""

    async def run(self) -> None:
        """Watch until cancelled for tokens that are revoked elsewhere."""
        self._own_inboxes = WatchedInboxes(self._bus)
        try:
            await self._watched.run(self._changed)
        finally:
            self._own_inboxes.close()
            self._own_inboxes = None

    @property
    def epoch(self) -> int | None:
        """Name the time in which no change has been missed; None: what is looked up is not remembered now."""
        return self._watched.epoch

    async def issue(
        self,
        user: str,
        app: str,
        registration: int,
        lifetime_s: float,
        *,
        sign_in: str = "",
        audience: str = "",
        oauth: bool = False,
    ) -> str:
        """Make a token for a registration of an app. Raises `Refusal` for ids that get none, `Transient`.

        `sign_in` names the one that it comes from, else it is a new one; the others are as `Principal` has them.
        """
        check_names(user, app)
        now, sign_in = self._now(), sign_in or new_sign_in()
        proof = (await self._inboxes()).proof(user, app, sign_in)
        token = f"llum_{secrets.token_urlsafe(32)}.{sign_in}.{proof}"
        stored = _Stored(registration, now, now + lifetime_s, sign_in, audience, oauth)
        await self._bucket.put(f"{_hash(token)}.{user}.{app}", msgspec.json.encode(stored), lifetime_s + GRACE_S)
        return token

    async def renew(self, principal: Principal, lifetime_s: float) -> str:
        """Make the token that follows one of this sign-in. Its inbox is the same, so a connection can go on with it.

        The earlier one is good until it expires or is revoked. Raises as `issue`.
        """
        assert principal.sign_in, "only a token comes from a sign-in"
        return await self.issue(
            principal.user,
            principal.app,
            principal.registration,
            lifetime_s,
            sign_in=principal.sign_in,
            audience=principal.audience,
            oauth=principal.oauth,
        )

    async def take_back(self, token: str, user: str, app: str) -> None:
        """Make a token worthless, as `revoke` does. Raises `Transient`."""
        await self._drop(f"{_hash(token)}.{user}.{app}")

    async def look_up(self, token: str) -> Principal | None:
        """Tell who a token stands for; None if it is unknown, revoked or has expired. Raises `Transient`.

        Whether the app is still registered is not looked at.
        """
        principal = self.at_hand(token)
        hashed = _hash_of(token)
        if principal is not None or hashed is None:
            return principal
        known = await self._fetch(hashed, self._cache.get(hashed))
        return known.principal if known and known.expires > self._now() else None

    def at_hand(self, token: str) -> Principal | None:
        """Tell the same if it is remembered and has not been revoked anywhere. None: only `look_up` can tell."""
        hashed = _hash_of(token)
        known = self._cache.get(hashed) if hashed else None
        if known is None or known.epoch is None or known.epoch != self._watched.epoch:
            return None
        now = self._now()
        if known.expires <= now:
            return None
        if now - known.noted > USE_NOTED_EVERY_S:
            self._note_use(known, now)
        return known.principal

    async def lifetimes(self) -> list[tuple[float, float]]:
        """Give when each token of everybody was made and when it expires. Raises `Transient`, `ApiError`."""
        stored = [_decoder.decode(value) for _, value, _ in await self._bucket.list("*.*.*")]
        return [(one.made, one.expires) for one in stored]

    async def list(self, user: str) -> list[IssuedToken]:
        """List the tokens of a user that have not expired, the oldest first. Raises `Transient`, `ApiError`."""
        check_token(user, "user")
        used = {key: float(value) for key, value, _ in await self._bucket.list(f"*.{user}.*.used")}
        now = self._now()
        found = [_issued(key, value, used) for key, value, _ in await self._bucket.list(f"*.{user}.*", is_whole=True)]
        return sorted((one for one in found if one.expires > now), key=lambda one: one.made)

    async def revoke(self, token: IssuedToken) -> None:
        """Make a token worthless: here at once, elsewhere once the watch there hears of it. Raises `Transient`."""
        await self._drop(token.key)

    async def end_sign_in(self, user: str, app: str, sign_in: str) -> None:
        """Revoke all tokens of a sign-in. Raises `Transient`, `ApiError`."""
        for token in await self.list(user):
            if (token.app, token.sign_in) == (app, sign_in):
                await self.revoke(token)

    async def delete_of(self, user: str, app: str, before: int) -> None:
        """Delete the tokens of an app's registrations before a sequence. Raises `Transient`, `ApiError`."""
        for token in await self.list(user):
            if token.app == app and token.registration < before:
                await self.revoke(token)

    async def revoke_of_app(self, app: str) -> int:
        """Revoke the tokens that everybody has given an app, and give their number. Raises `Transient`, `ApiError`."""
        check_token(app, "app")
        keys = [key for key, _, _ in await self._bucket.list(f"*.*.{app}", is_whole=True)]
        for start in range(0, len(keys), AT_ONCE):
            await asyncio.gather(*map(self._drop, keys[start : start + AT_ONCE]))
        return len(keys)

    async def erase_user(self, user: str) -> int:
        """Erase all tokens of a user and give their number. Raises `Transient`, `ApiError`.

        They are revoked first: what is merely erased is told to nobody who remembers it.
        """
        check_token(user, "user")
        keys = [key for key, _, _ in await self._bucket.list(f"*.{user}.*", is_whole=True)]
        for key in keys:
            self._changed(key)
            await self._bucket.delete(key)
        await self._bucket.erase(f"*.{user}.>")
        return len(keys)

    async def count(self, user: str) -> int:
        """Count what is stored of the tokens of a user. Raises `Transient`, `ApiError`."""
        return await self._bucket.count(f"*.{user}.>")

    async def _drop(self, key: str) -> None:
        hashed = key.partition(".")[0]
        self._cache.discard(hashed)
        await self._bucket.delete(key)
        await self._bucket.delete(f"{key}{_USED}")
        self._cache.discard(hashed)

    async def _inboxes(self) -> Inboxes:
        """Give those of the installation. Whoever issues many tokens does not read the keys for each."""
        watched = self._own_inboxes
        if watched is None:
            return await inboxes_of(self._bus)
        return watched.known or await watched.open()

    def _changed(self, key: str) -> None:
        """Remember nothing of a token that was made or revoked, here or elsewhere. A use changes nothing."""
        if key.endswith(_USED):
            return
        hashed, _, whose = key.partition(".")
        self._cache.discard(hashed)
        user, _, app = whose.partition(".")
        for hook in self.on_change:
            hook(user, app, hashed[:_SHOWN_CHARACTERS])

    async def _fetch(self, hashed: str, known: _Known | None) -> _Known | None:
        epoch = self._watched.epoch
        entry = await self._watched.find(f"{hashed}.*.*")
        if entry is None:
            self._cache.discard(hashed)
            return None
        fresh = _Known(entry.key, entry.value, epoch)
        fresh.noted = known.noted if known else float("-inf")
        now = self._now()
        if now - fresh.noted > USE_NOTED_EVERY_S:
            self._note_use(fresh, now)
        self._cache[hashed] = fresh
        return fresh

    def _note_use(self, known: _Known, now: float) -> None:
        known.noted = now
        self._bucket.put_soon(f"{known.key}{_USED}", b"%d" % now, known.expires - now + GRACE_S)


def shown_id(token: str) -> str:
    """Give the id by which lists show a token."""
    return _hash(token)[:_SHOWN_CHARACTERS]


def _issued(key: str, value: bytes, used: dict[str, float]) -> IssuedToken:
    hashed, _, app = key.split(".")
    stored = _decoder.decode(value)
    last = used.get(f"{key}.used")
    return IssuedToken(
        hashed[:_SHOWN_CHARACTERS],
        app,
        stored.registration,
        stored.made,
        stored.expires,
        last,
        key,
        stored.sign_in,
        stored.audience,
    )


@functools.lru_cache(maxsize=CHEAP_RESULTS)
def _hash_of(token: str) -> str | None:
    """Give the hash of what has the form of a token. To remember it says nothing about whether it is one."""
    return _hash(token) if _FORM.fullmatch(token) else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

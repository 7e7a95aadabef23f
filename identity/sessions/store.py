"""The sessions of an installation. Only the hash of a session's id is stored, and neither is ever logged.

The bucket's keys are `<hash>.<user>`, so that nats-server itself finds those of a person, and beside each that was
used, under `<hash>.<user>.used`, when that was. What one process has looked up it remembers for as long as the watch of
the bucket says that nothing has changed: a session that is ended anywhere has ended everywhere within a second.
"""

import functools
import hashlib
import re
import time
import uuid
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from bus.connection import Bus
from bus.subjects import SESSION_BUCKET
from bus.watched_bucket import WatchedBucket
from identity.sessions.session import Session
from schemas.errors import Code, Refusal
from schemas.paths import check_token
from schemas.recent import CHEAP_RESULTS, Recent

CACHE_ENTRIES: Final = 10_000
"""Sessions remembered by one process, 2 kB each where little is known of the person, so about 20 MB."""

MAX_SESSION_BYTES: Final = 16 * 1024
"""Bytes of a session as JSON: the details of a person, but no picture of them."""

GRACE_S: Final = 60
"""Seconds that nats-server keeps a session after its expiry, so that clocks may differ."""

USE_NOTED_EVERY_S: Final = 600.0
"""Seconds between two notes that a session was used: noting each use would cost a write each time."""

_USED: Final = ".used"
"""The end of the keys under which uses are noted."""

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_SHOWN_CHARACTERS: Final = 16
"""Characters of a hash by which people name a session: enough to tell all apart, too few to search for."""

_decoder: Final = msgspec.json.Decoder(Session)


class ListedSession(NamedTuple):
    """A session as its person sees it in a list."""

    id: str
    """The beginning of the hash of its id. It opens nothing."""
    session: Session
    used: float
    """When it was used last, give or take `USE_NOTED_EVERY_S`; seconds since 1970."""
    key: str
    """Under which it is stored."""


class _KnownSession:
    """A session that was looked up, for how long that may be believed, and when its use was last noted."""

    __slots__ = ("epoch", "key", "noted", "session")

    def __init__(self, key: str, session: Session, epoch: int | None, noted: float) -> None:
        self.key = key
        self.session = session
        self.epoch = epoch
        """That of the watch; None: it is not to be believed a second time."""
        self.noted = noted


class Sessions:
    """Stores, finds, lists and ends sessions. Run `run()` for what is looked up to be remembered.

    Unknown sessions are not remembered: they could push out the known ones.
    """

    def __init__(
        self, bus: Bus, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._watched = WatchedBucket(bus, SESSION_BUCKET, ("*.*", "*.*.used"), monotonic)
        self._bucket = self._watched.bucket
        self._now = now
        self._cache: Recent[str, _KnownSession] = Recent(CACHE_ENTRIES)
        """By the hash of the id."""

    async def run(self) -> None:
        """Watch until cancelled for sessions that are changed or ended elsewhere."""
        await self._watched.run(self._changed)

    @property
    def epoch(self) -> int | None:
        """Name the time in which no change has been missed; None: what is looked up is not remembered now."""
        return self._watched.epoch

    async def set_session(self, sid: str, session: Session) -> None:
        """Store a session under an id, in place of what was there. It ends by itself when it expires.

        Raises `Refusal` for an id that is none, `Transient`.
        """
        hashed, value = hash_of(sid), msgspec.json.encode(session)
        if len(value) > MAX_SESSION_BYTES:
            raise Refusal(Code.TOO_LARGE, f"a session has at most {MAX_SESSION_BYTES} bytes", "details")
        key = f"{hashed}.{check_token(session.user, 'user')}"
        there = await self._watched.find(f"{hashed}.*")
        try:
            if there is not None and there.key != key:
                await self._drop(there.key)
            await self._bucket.put(key, value, session.expires - self._now() + GRACE_S)
        finally:
            self._cache.discard(hashed)

    async def get_session(self, sid: str) -> Session | None:
        """Give the session of an id; None if it has ended or never was. Raises `Refusal` for an id that is none.

        Raises `Transient`, too: that nobody can be asked does not say that there is none.
        """
        hashed = hash_of(sid)
        session = self._at_hand(hashed)
        if session is not None:
            return session
        known = await self._fetch(hashed)
        return known.session if known and known.session.expires > self._now() else None

    def at_hand(self, sid: str) -> Session | None:
        """Give the same if it is remembered and has not been changed anywhere. None: only `get_session` can tell."""
        return self._at_hand(hash_of(sid))

    async def delete_session(self, sid: str) -> None:
        """End a session, if there is one: here at once, elsewhere once the watch there hears of it.

        Raises `Refusal` for an id that is none, `Transient`.
        """
        hashed = hash_of(sid)
        self._cache.discard(hashed)
        there = await self._watched.find(f"{hashed}.*")
        if there is not None:
            await self._drop(there.key)

    async def sessions_of(self, user: str) -> list[ListedSession]:
        """List the sessions of a person that have not expired, the latest first. Raises `Transient`, `ApiError`."""
        check_token(user, "user")
        used = {key: float(value) for key, value, _ in await self._bucket.list(f"*.{user}.used")}
        now = self._now()
        found = [_listed(key, value, used) for key, value, _ in await self._bucket.list(f"*.{user}", is_whole=True)]
        return sorted((one for one in found if one.session.expires > now), key=lambda one: -one.session.made)

    async def end(self, user: str, shown_id: str) -> bool:
        """End the session of a person that the list names so, and tell whether there was one. Raises `Transient`."""
        for one in await self.sessions_of(user):
            if one.id == shown_id:
                await self._drop(one.key)
                return True
        return False

    async def end_all(self, user: str, but: str | None = None) -> int:
        """End all sessions of a person, except the one of the id `but`; give their number. Raises `Transient`."""
        kept = None if but is None else hash_of(but)
        ended = [one for one in await self.sessions_of(user) if one.key.partition(".")[0] != kept]
        for one in ended:
            await self._drop(one.key)
        return len(ended)

    async def erase_user(self, user: str) -> int:
        """Erase all sessions of a person and give their number. Raises `Transient`, `ApiError`.

        They are ended first: what is merely erased is told to nobody who remembers it.
        """
        check_token(user, "user")
        keys = [key for key, _, _ in await self._bucket.list(f"*.{user}", is_whole=True)]
        for key in keys:
            await self._drop(key)
        await self._bucket.erase(f"*.{user}.>")
        await self._bucket.erase(f"*.{user}")
        return len(keys)

    async def count(self, user: str) -> int:
        """Count what is stored of the sessions of a person. Raises `Transient`, `ApiError`."""
        return await self._bucket.count(f"*.{user}") + await self._bucket.count(f"*.{user}.>")

    async def _drop(self, key: str) -> None:
        self._changed(key)
        await self._bucket.delete(key)
        await self._bucket.delete(f"{key}{_USED}")
        self._changed(key)

    def _changed(self, key: str) -> None:
        """Remember nothing of a session that was changed or ended, here or elsewhere. A use changes nothing."""
        if not key.endswith(_USED):
            self._cache.discard(key.partition(".")[0])

    def _at_hand(self, hashed: str) -> Session | None:
        known = self._cache.get(hashed)
        if known is None or known.epoch is None or known.epoch != self._watched.epoch:
            return None
        now = self._now()
        if known.session.expires <= now:
            return None
        if now - known.noted > USE_NOTED_EVERY_S:
            self._note_use(known, now)
        return known.session

    async def _fetch(self, hashed: str) -> _KnownSession | None:
        epoch, before = self._watched.epoch, self._cache.get(hashed)
        entry = await self._watched.find(f"{hashed}.*")
        if entry is None:
            self._cache.discard(hashed)
            return None
        session = _decoder.decode(entry.value)
        fresh = _KnownSession(entry.key, session, epoch, before.noted if before else session.made)
        now = self._now()
        if now - fresh.noted > USE_NOTED_EVERY_S:
            self._note_use(fresh, now)
        self._cache[hashed] = fresh
        return fresh

    def _note_use(self, known: _KnownSession, now: float) -> None:
        known.noted = now
        self._bucket.put_soon(f"{known.key}{_USED}", b"%d" % now, known.session.expires - now + GRACE_S)


def new_sid() -> str:
    """Make the id of a session: a UUID of 122 random bits."""
    return str(uuid.uuid4())


def is_sid(text: str) -> bool:
    """Tell whether a text has the form of a session's id."""
    return _UUID.fullmatch(text) is not None


@functools.lru_cache(maxsize=CHEAP_RESULTS)
def hash_of(sid: str) -> str:
    """Give the hash under which a session is stored. Raises `bad_field` for what is no UUID."""
    if not is_sid(sid):
        raise Refusal(Code.BAD_FIELD, "Incorrect UUID format for sessionid", "sessionid")
    return hashlib.sha256(sid.encode()).hexdigest()


def shown_id(sid: str) -> str:
    """Name a session as lists do."""
    return hash_of(sid)[:_SHOWN_CHARACTERS]


def _listed(key: str, value: bytes, used: dict[str, float]) -> ListedSession:
    session = _decoder.decode(value)
    return ListedSession(key[:_SHOWN_CHARACTERS], session, used.get(f"{key}{_USED}", session.made), key)

"""Secrets that llum's processes share and that can be replaced: rings of keys in the bucket of the installation.

A ring is one value, so a key is replaced by one write, and whoever dies meanwhile leaves the ring before or after it. A
new key is in the ring for a while before it is used. So all who watch the ring accept it by then. The one before is
accepted for as long as something that was made with it may come.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Final

import msgspec

from bus.connection import Bus
from bus.kv import Bucket, KeyValue
from bus.retrying import retrying
from bus.subjects import INSTALLATION_BUCKET, bucket_key, bucket_stream
from bus.watching import Watch
from schemas.errors import Code, Refusal, Transient

SECRET_BYTES: Final = 32

NOTICE_KEYS: Final = "notice_keys"
"""The keys that notices are signed with are derived from it."""

INBOX_KEYS: Final = "inbox_keys"
"""The names of apps' inboxes are proven with it."""

SESSION_KEYS: Final = "session_keys"
"""Proofs that a form comes from one of our own pages are made with it."""

CHALLENGE_KEYS: Final = "challenge_keys"
"""What authenticators are to sign is proven with it to be llum's."""

REFRESH_KEYS: Final = "refresh_keys"
"""The successors of refresh tokens are computed with it."""

HEARD_OF_WITHIN_S: Final = 10.0
"""Seconds after which everybody has heard of a new key: watches need less than a second, and some are being mended."""

MAX_KEYS: Final = 16
"""Keys of a ring: each is tried with what comes."""


class RingKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A secret of a ring, as hexadecimal text. Times are seconds since 1970."""

    secret: str
    made: float
    used_from: float = 0.0
    """Before that it is accepted, and not used."""
    until: float | None = None
    """After that it is not accepted; None: as long as it is in the ring."""

    @property
    def bytes(self) -> bytes:
        """What is computed with: the text itself."""
        return self.secret.encode()


class Ring(msgspec.Struct, frozen=True):
    """Keys for one purpose, the newest first. There is always one that is used."""

    keys: tuple[RingKey, ...]

    def used(self, now: float) -> RingKey:
        """Give the key that is used at this time."""
        return next((key for key in self.keys if key.used_from <= now), self.keys[-1])

    def coming(self, now: float) -> RingKey | None:
        """Give the key that will be used later, if there is one."""
        return self.keys[0] if self.keys[0].used_from > now else None

    def accepted(self, now: float) -> tuple[RingKey, ...]:
        """Give all keys that something may have been made with, the used one first."""
        used = self.used(now)
        others = (key for key in self.keys if key is not used and (key.until is None or key.until > now))
        return (used, *others)


def new_ring(now: float) -> Ring:
    """Make a ring with one key."""
    return Ring((RingKey(secrets.token_hex(SECRET_BYTES), now),))


def replaced(ring: Ring, now: float, used_after_s: float, accepted_s: float | None) -> Ring:
    """Give the ring with a new key, which is used after so many seconds; the one before is accepted for so many more.

    None: until somebody drops it. Raises `Refusal` while another new key waits, or when there are too many.
    """
    if ring.coming(now) is not None:
        raise Refusal(Code.ALREADY_EXISTS, "another new key waits to be used", None, "wait until then")
    used_from = now + used_after_s
    until = None if accepted_s is None else used_from + accepted_s
    used, *older = ring.accepted(now)
    if len(older) + 2 > MAX_KEYS:
        raise Refusal(Code.QUOTA, f"{MAX_KEYS} keys are still accepted", None, "wait until what they made has expired")
    fresh = RingKey(secrets.token_hex(SECRET_BYTES), now, used_from)
    return Ring((fresh, msgspec.structs.replace(used, until=until), *older))


class KeyRings:
    """The rings of an installation, read and written one by one."""

    def __init__(self, bus: Bus) -> None:
        self._bucket = Bucket(bus, INSTALLATION_BUCKET)

    async def read(self, name: str) -> Ring:
        """Read a ring; it is made when it is first wanted. Raises `Transient`."""
        return _rings.decode((await self._find(name)).value)

    async def change(self, name: str, change: Callable[[Ring], Ring]) -> Ring:
        """Write what a function makes of a ring. When somebody else does so at once, it is called again.

        Raises `Transient`, and what the function raises.
        """
        while True:
            entry = await self._find(name)
            changed = change(_rings.decode(entry.value))
            if await self._bucket.replace(entry, msgspec.json.encode(changed)):
                return changed

    async def _find(self, name: str) -> KeyValue:
        found = await self._bucket.find_at_leader(name)
        if found is None:
            await self._bucket.create(name, msgspec.json.encode(new_ring(time.time())))
            found = await self._bucket.find_at_leader(name)
        if found is None:
            raise Transient(Code.UNAVAILABLE, "the keys of the installation cannot be read now")
        return found


class WatchedRing:
    """A ring that is always the newest one, from `open` to `close`. `on_change` are called when it is another one."""

    def __init__(self, bus: Bus, name: str, now: Callable[[], float] = time.time) -> None:
        self._rings = KeyRings(bus)
        self._name = name
        self._now = now
        self._stale = asyncio.Event()
        subjects = [bucket_key(INSTALLATION_BUCKET, name)]
        stream = bucket_stream(INSTALLATION_BUCKET)
        self._watch = Watch(bus, stream, subjects, lambda *_: self._stale.set(), self._stale.set)
        self.on_change: list[Callable[[], None]] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Read the ring, and hear of changes from now on. Raises `Transient`."""
        self._ring = await self._rings.read(self._name)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._watch.run()), asyncio.create_task(self._read_on())]

    @property
    def is_open(self) -> bool:
        return bool(self._tasks)

    def close(self) -> None:
        """Hear of nothing more."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    @property
    def used(self) -> bytes:
        """The key to make something with now."""
        return self._ring.used(self._now()).bytes

    @property
    def coming(self) -> bytes | None:
        """The key that will be used later, if there is one."""
        key = self._ring.coming(self._now())
        return None if key is None else key.bytes

    @property
    def accepted(self) -> tuple[bytes, ...]:
        """The keys to check something with, the used one first."""
        return tuple(key.bytes for key in self._ring.accepted(self._now()))

    async def _read_on(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            await retrying(self._read, "keys_not_read", ring=self._name)

    async def _read(self) -> None:
        self._ring = await self._rings.read(self._name)
        for hook in self.on_change:
            hook()


_rings: Final = msgspec.json.Decoder(Ring)

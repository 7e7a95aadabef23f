"""Keys of preferences: whose model a key opens, at which place in it, and as which app.

A key is any text that somebody holds who wants their preferences. The safe of a key without a record is the model of
its own that is named by a keyed hash of the key. So whoever reads names of models learns no key, and making a safe is
one command: no table grows with it. Only a key that is something else has a record: one that was loaded from the
original's documents, that a person has joined to their model, or that was revoked.
"""

import builtins
import hashlib
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from bus.connection import Bus
from bus.secret import secret
from identity.preferences.store import PreferenceStore
from schemas.apps import PREFERENCES_APP
from schemas.errors import Code, Refusal
from schemas.paths import check_path, check_token
from schemas.preferences import PREFERENCES_PLACE

MAX_KEY_CHARACTERS: Final = 1024
"""Characters of a key: any text a person may have been given, and still a short line of a request."""

OWN_PLACE: Final = PREFERENCES_PLACE
"""Where a safe is that is a model of its own."""

JOINED: Final = "_joined"
"""The context below a person's preferences that has the safes which they have joined."""

SECRET_NAME: Final = "preference_keys"  # noqa: S105 - the name of a secret of the installation

SAFE_PREFIX: Final = "_safe-"

KEY_APP_PREFIX: Final = "key-"

_HASH_BYTES: Final = 20
"""Bytes of a hash: 160 bits, so that nobody finds two keys with one."""

_NOBODY: Final = f"{SAFE_PREFIX}forgotten"
"""The model, which nobody has, of a key whose person was forgotten."""

_APP_CHARACTERS: Final = 16

_NO_KEY: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no key has: control characters, and halves of surrogate pairs."""


class KeyRecord(NamedTuple):
    """What a key opens."""

    key: str
    user: str
    """Whose model; it need not be there."""
    place: tuple[str, ...]
    """The path of the safe in it."""
    app: str
    """As whom the holder of the key acts there."""
    revoked: bool
    reason: str | None
    """Why it was revoked, if somebody has said so."""
    has_safe: bool
    """False: the key was stored without a safe; where its model is not there, a GET is answered with nothing."""
    known: bool
    """There is a record. False: the key is one only if its model is there."""

    @property
    def is_joined(self) -> bool:
        """The safe is a part of a person's model."""
        return self.place != OWN_PLACE

    def check(self) -> "KeyRecord":
        """Give it back, or raise `key_revoked`."""
        if self.revoked:
            why = f": {self.reason}" if self.reason else ""
            raise Refusal(Code.KEY_REVOKED, f"this key was revoked{why}", "gpiiKey", "ask whoever gave it out")
        return self


class StoredKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the bucket has of a key."""

    key: str
    user: str
    place: tuple[str, ...] = OWN_PLACE
    app: str = PREFERENCES_APP
    has_safe: bool = True
    revoked: bool = False
    reason: str | None = None
    document: dict[str, Any] = {}
    """The document of the original that it was loaded from; empty: none."""


_decoder: Final = msgspec.json.Decoder(StoredKey)


class PreferenceKeys:
    """Finds keys, stores what is to be known of them, and revokes them. All methods raise `Transient`, `ApiError`."""

    def __init__(self, bus: Bus, store: PreferenceStore | None = None) -> None:
        """Whoever runs the store has changes obeyed at once and others remembered."""
        self.bus = bus
        self.store = store or PreferenceStore(bus)
        self._bucket = self.store.bucket
        self._secret: bytes | None = None

    async def run(self) -> None:
        """Watch until cancelled for keys that are changed elsewhere."""
        await self.store.run()

    async def find(self, key: str) -> KeyRecord:
        """Tell what a key opens. Raises `bad_field` for what can be no key."""
        check_key(key)
        hashed = await self._hash(key)
        entry = await self.store.find(f"key.{hashed}")
        if entry is None:
            return KeyRecord(key, SAFE_PREFIX + hashed, OWN_PLACE, PREFERENCES_APP, False, None, True, False)
        return _record(key, _decoder.decode(entry.value))

    async def find_anew(self, key: str) -> KeyRecord:
        """Tell the same by what the bucket's leader says now, not by what is remembered. Raises `bad_field`."""
        stored = await self.stored(key)
        if stored is None:
            user = await self.safe_user(key)
            return KeyRecord(key, user, OWN_PLACE, PREFERENCES_APP, False, None, True, False)
        return _record(key, stored)

    async def safe_user(self, key: str) -> str:
        """Name the model of a key's own safe, whatever its record says: for a key that was made just now."""
        return SAFE_PREFIX + await self._hash(check_key(key))

    async def user_of_safe(self, safe_id: str) -> str:
        """Name the model of a safe that has an id of its own, as those of the original's documents have."""
        return SAFE_PREFIX + await self._hash(safe_id, b"safe")

    async def key_app(self, key: str) -> str:
        """Name the app as which the holder of a joined key acts in the person's model."""
        return KEY_APP_PREFIX + (await self._hash(check_key(key), b"app"))[:_APP_CHARACTERS]

    async def put_record(self, stored: StoredKey) -> None:
        """Store what is to be known of a key, in place of what was. Raises `bad_field`, `bad_path`."""
        check_key(stored.key)
        check_token(stored.user, "user")
        check_path(stored.place, "place")
        hashed = await self._hash(stored.key)
        if stored.user != SAFE_PREFIX + hashed:
            # First: an index without a record harms nobody, a record without one is never forgotten.
            await self._bucket.put(f"of.{stored.user}.{hashed}", b"key")
        await self._put(hashed, stored)

    async def lead(self, key: str, user: str, place: tuple[str, ...], app: str) -> None:
        """Have a key lead to another place; else its record stays as it is."""
        hashed = await self.hash_of(key)
        before = await self.stored(key) or StoredKey(key, SAFE_PREFIX + hashed)
        await self.put_record(msgspec.structs.replace(before, user=user, place=place, app=app, has_safe=True))
        if before.user != user:
            await self._bucket.delete(f"of.{before.user}.{hashed}")

    async def stored(self, key: str) -> StoredKey | None:
        """Give the record of a key as it is stored; None: it has none."""
        entry = await self._bucket.find_at_leader(f"key.{await self._hash(check_key(key))}")
        return None if entry is None else _decoder.decode(entry.value)

    async def list(self) -> list[StoredKey]:
        """List all keys that have a record, by key."""
        entries = await self._bucket.list("key.*")
        found = [_decoder.decode(one.value) for one in entries]
        return sorted((one for one in found if one.key), key=lambda one: one.key)

    async def of_user(self, user: str) -> Sequence[StoredKey]:
        """List the keys whose records name a user's model."""
        entries = [await self._bucket.find_at_leader(f"key.{hashed}") for hashed in await self._hashes_of(user)]
        found = [_decoder.decode(one.value) for one in entries if one is not None]
        return sorted((one for one in found if one.user == user), key=lambda one: one.key)

    async def revoke(self, key: str, reason: str | None = None) -> KeyRecord:
        """Have a key refused everywhere from now on, and give what is known of it. The safe stays as it is."""
        hashed = await self._hash(check_key(key))
        stored = await self.stored(key) or StoredKey(key, SAFE_PREFIX + hashed)
        stored = msgspec.structs.replace(stored, revoked=True, reason=reason)
        await self._put(hashed, stored)
        return _record(key, stored)

    async def erase_user(self, user: str) -> int:
        """Erase what is stored of keys that name a user's model, and of their tokens; give the number of keys.

        A key that opened a part of the model of a person is refused from now on, and only its hash says so: otherwise
        programs that hold it would make a safe of its own for whoever wants to be forgotten.
        """
        erased = [await self._erase(user, hashed) for hashed in await self._hashes_of(user)]
        # Last: by it, what was interrupted is found again.
        await self._bucket.erase(f"of.{user}.*")
        return sum(erased)

    async def count(self, user: str) -> int:
        """Count the keys that name a user's model."""
        return len(await self.of_user(user))

    async def _hashes_of(self, user: str) -> "builtins.list[str]":
        entries = await self._bucket.list(f"of.{check_token(user, 'user')}.*", is_whole=True)
        hashes = {one.key.rpartition(".")[2] for one in entries}
        return sorted(hashes | ({user.removeprefix(SAFE_PREFIX)} if user.startswith(SAFE_PREFIX) else set()))

    async def _erase(self, user: str, hashed: str) -> bool:
        key = f"key.{hashed}"
        entry = await self._bucket.find_at_leader(key)
        stored = None if entry is None else _decoder.decode(entry.value)
        is_of_user = stored is not None and stored.user == user
        if stored is not None and is_of_user:
            if stored.place == OWN_PLACE:
                await self._bucket.delete(key)
            else:
                await self._bucket.put(key, msgspec.json.encode(StoredKey("", _NOBODY, revoked=True)))
            self.store.let_go(key)
        if stored is None or is_of_user:
            # Of a safe that was joined, the tokens are those of the key, which leads elsewhere.
            await self.store.erase_tokens_of(hashed)
        return is_of_user

    async def hash_of(self, key: str) -> str:
        """Give the hash by which the bucket knows a key. Raises `bad_field`."""
        return await self._hash(check_key(key))

    async def _put(self, hashed: str, stored: StoredKey) -> None:
        try:
            await self._bucket.put(f"key.{hashed}", msgspec.json.encode(stored))
        finally:
            self.store.let_go(f"key.{hashed}")

    async def _hash(self, text: str, kind: bytes = b"key") -> str:
        if self._secret is None:
            self._secret = await secret(self.bus, SECRET_NAME)
        # A keyed hash of its own (RFC 7693), which each request pays for: a quarter of an HMAC.
        return hashlib.blake2b(text.encode(), key=self._secret, person=kind, digest_size=_HASH_BYTES).hexdigest()


def is_safe(user: str) -> bool:
    """Tell by its id whether a model is a safe, and not a person's."""
    return user.startswith(SAFE_PREFIX)


def is_key(text: str) -> bool:
    """Tell whether a text can be a key: 1 to 1,024 characters, none of them a control character."""
    return 1 <= len(text) <= MAX_KEY_CHARACTERS and _NO_KEY.search(text) is None


def check_key(text: str) -> str:
    """Return a key, or raise `bad_field`. Keys are compared as they are: nothing is folded or trimmed."""
    if not is_key(text):
        hint = f"a key has 1 to {MAX_KEY_CHARACTERS} characters, and no control characters"
        raise Refusal(Code.BAD_FIELD, "this can be no key of preferences", "gpiiKey", hint)
    return text


def _record(key: str, stored: StoredKey) -> KeyRecord:
    return KeyRecord(key, stored.user, stored.place, stored.app, stored.revoked, stored.reason, stored.has_safe, True)

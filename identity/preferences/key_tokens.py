"""Tokens for keys: 32 hexadecimal digits, of which only the hash is stored.

A token names a key and a credential, and no registration: what the key opens may not be there yet. It opens only that
key, and ends with the key or the credential, as both are looked at each time; that is remembered, and watched.
"""

import hashlib
import math
import re
import secrets
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from identity.preferences.credentials import CREDENTIAL_TYPE, ClientCredential, ClientCredentials
from identity.preferences.keys import PreferenceKeys
from identity.preferences.store import TOKEN

LIFETIME_S: Final = 3600
"""Seconds that a token is good for, as the original says."""

GRACE_S: Final = 60
"""Seconds that nats-server keeps a token after its expiry, so that clocks may differ."""

TOKEN_BYTES: Final = 16

MAX_TOKEN_CHARACTERS: Final = 256
"""Characters of a token that was loaded: what is longer is nobody's."""

_OUR_HASH: Final = re.compile(r"sha256:([0-9a-f]{64})")


class KeyGrant(NamedTuple):
    """What a token is good for."""

    key: str
    credential_id: str
    client_id: str
    """That of OAuth 2."""
    allowed: list[str] | None
    """The settings that may be written through `/:key/settings`; None: all."""
    expires: float
    """Until when, seconds since 1970."""


class StoredToken(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the bucket has of a token. Times are seconds since 1970."""

    key: str
    credential_id: str
    client_id: str
    """The id of the `InstalledClient`."""
    made: float
    expires: float
    hash: str
    """SHA-256 of the token."""
    id: str = ""
    """That of its document: an authorization."""
    revoked: bool = False
    document: dict[str, Any] = {}
    """Other members of the document that it was loaded from; empty: llum has issued it."""


_decoder: Final = msgspec.json.Decoder(StoredToken)


class KeyTokens:
    """Issues tokens, and tells what they are good for. All methods raise `Transient`, `ApiError`."""

    def __init__(
        self, keys: PreferenceKeys, credentials: ClientCredentials | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._store = keys.store
        self._credentials = credentials or ClientCredentials(keys.store)
        self._now = now

    async def issue(self, key: str, credential: ClientCredential) -> str:
        """Make a token for a key, beside those that there are. Raises `bad_field` for what can be no key."""
        token, now = secrets.token_hex(TOKEN_BYTES), self._now()
        stored = StoredToken(key, credential.id, credential.client_id, now, now + LIFETIME_S, token_hash(token))
        await self._put(stored, LIFETIME_S + GRACE_S)
        return token

    async def load(self, stored: StoredToken) -> None:
        """Store a token that the original has issued. It is good until it expires, and kept as a record after that."""
        await self._put(stored, None)

    async def list(self) -> list[StoredToken]:
        """List all tokens, by key."""
        found = [_decoder.decode(one.value) for one in await self._store.bucket.list(f"{TOKEN}.*.*")]
        return sorted(found, key=lambda one: (one.key, one.made, one.hash))

    async def grant(self, token: str) -> KeyGrant | None:
        """Tell what a token is good for; None: for nothing, or no more. What revoked key or credential it has ends it.

        Half a second before it expires it has expired: the seconds that remain are rounded, as the original does.
        """
        if not 1 <= len(token) <= MAX_TOKEN_CHARACTERS:
            return None
        entry = await self._store.find(f"{TOKEN}.*.{token_hash(token)}")
        stored = None if entry is None else _decoder.decode(entry.value)
        if stored is None or stored.revoked or math.floor(stored.expires - self._now() + 0.5) <= 0:
            return None
        credential = await self._credentials.find(stored.credential_id)
        if credential is None or credential.revoked or credential.type != CREDENTIAL_TYPE:
            return None
        if (await self._keys.find(stored.key)).revoked:
            return None
        return KeyGrant(stored.key, credential.id, credential.oauth2_client_id, credential.allowed, stored.expires)

    async def _put(self, stored: StoredToken, lifetime_s: float | None) -> None:
        name = f"{TOKEN}.{await self._keys.hash_of(stored.key)}.{stored.hash}"
        try:
            await self._store.bucket.put(name, msgspec.json.encode(stored), lifetime_s)
        finally:
            self._store.let_go(name)


def token_hash(token: str) -> str:
    """Give the hash of a token as it is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def hash_in_document(token: str) -> str:
    """Give the hash of the token in a document, which has the token or, as llum dumps it, `sha256:<hash>`.

    Whoever sends a token sends the token: its hash opens nothing.
    """
    ours = _OUR_HASH.fullmatch(token)
    return ours[1] if ours else token_hash(token)

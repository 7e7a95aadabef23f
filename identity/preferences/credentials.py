"""Programs that are installed somewhere, and the credentials by which each shows that it is one (reference: 1, 6).

The secret of a credential was chosen by people, so it is kept as a slow hash (`identity.hashing`). What a document does
not say, such as all that begins with `allowed` or `is` in those of schema 0.1, is null or false.
"""

import builtins
import hashlib
import re
from typing import Any, Final

import msgspec

from bus.kv import KeyValue
from identity.hashing import Hashing
from identity.preferences.ip_blocks import IpAddress, allows
from identity.preferences.store import PreferenceStore
from schemas.errors import Code, Refusal

CLIENT_TYPE: Final = "gpiiAppInstallationClient"

CREDENTIAL_TYPE: Final = "clientCredential"

MAX_TEXT_CHARACTERS: Final = 1024
"""Characters of an id, a client id or a secret: what is longer is nobody's."""

_OUR_HASH: Final = re.compile(
    r"\$argon2id\$v=19\$m=([0-9]{1,5}),t=([0-9]),p=([1-4])\$[A-Za-z0-9+/]{8,86}\$[A-Za-z0-9+/]{16,172}"
)
"""What `Hashing` makes; a larger one would have whoever guesses use up the memory."""


class InstalledClient(msgspec.Struct, frozen=True, omit_defaults=True):
    """A program that is installed somewhere."""

    id: str
    name: str | None = None
    type: str = CLIENT_TYPE
    document: dict[str, Any] = {}
    """Other members of the document that it was loaded from."""


class ClientCredential(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a program shows who it is with, and what it may do with keys."""

    id: str
    client_id: str
    """The `id` of its `InstalledClient`."""
    oauth2_client_id: str
    secret: str
    """A hash of its secret; "": it has none, and nobody can use it."""
    allowed_ip_blocks: Any = None
    allowed_prefs_to_write: Any = None
    """Null: all. A list: the names of the settings that it may write through `/:key/settings`."""
    may_create_keys: bool = False
    may_create_safes: bool = False
    revoked: bool = False
    reason: str | None = None
    type: str = CREDENTIAL_TYPE
    document: dict[str, Any] = {}
    """Other members of the document that it was loaded from."""

    @property
    def may_use_new_keys(self) -> bool:
        """It gets tokens for keys that are not there yet."""
        return self.may_create_keys and self.may_create_safes

    @property
    def allowed(self) -> list[str] | None:
        """The settings that it may write; None: all. What is neither null nor a list allows none."""
        listed = self.allowed_prefs_to_write
        if isinstance(listed, list):
            return [one for one in listed if isinstance(one, str)]
        return [] if listed else None

    def may_come_from(self, address: IpAddress | None) -> bool:
        """Tell whether it may be used from an address."""
        return allows(self.allowed_ip_blocks, address)


class ProvenClient(msgspec.Struct, frozen=True):
    """A credential whose secret was shown, and the program that it is of."""

    credential: ClientCredential
    client: InstalledClient

    @property
    def fits(self) -> bool:
        """Tell whether they are what they have to be, and of each other."""
        types = (self.client.type, self.credential.type)
        return types == (CLIENT_TYPE, CREDENTIAL_TYPE) and self.credential.client_id == self.client.id


_credential: Final = msgspec.json.Decoder(ClientCredential)
_client: Final = msgspec.json.Decoder(InstalledClient)


class ClientCredentials:
    """Stores, finds, proves and revokes credentials and clients. All methods raise `Transient`, `ApiError`."""

    def __init__(self, store: PreferenceStore) -> None:
        self._store = store
        self._bucket = store.bucket
        self._hashing = Hashing()

    async def hashed(self, secret: str) -> str:
        """Give the hash of a secret, or the secret itself if it is such a hash. Raises `bad_field`."""
        if _is_our_hash(secret):
            return secret
        if not 1 <= len(secret) <= MAX_TEXT_CHARACTERS:
            raise Refusal(Code.BAD_FIELD, f"a secret has 1 to {MAX_TEXT_CHARACTERS} characters", "oauth2ClientSecret")
        return await self._hashing.make(secret.encode("utf-8", "replace"))

    async def put_client(self, client: InstalledClient) -> None:
        """Store a program, in place of the one of its id."""
        await self._put(_client_key(client.id), client)

    async def put(self, credential: ClientCredential) -> None:
        """Store a credential, in place of the one of its id."""
        key = _credential_key(credential)
        for entry in await self._bucket.list(f"credential.*.{_hash(credential.id)}"):
            if entry.key != key:
                await self._bucket.delete(entry.key)
        await self._put(key, credential)

    async def find(self, credential_id: str) -> ClientCredential | None:
        """Give a credential by its id; None: there is none."""
        entry = await self._store.find(f"credential.*.{_hash(credential_id)}")
        return None if entry is None else _credential.decode(entry.value)

    async def client(self, client_id: str) -> InstalledClient | None:
        """Give a program by its id; None: there is none."""
        entry = await self._store.find(_client_key(client_id))
        return None if entry is None else _client.decode(entry.value)

    async def list(self) -> list[ClientCredential]:
        """List all credentials, by their ids."""
        found = [_credential.decode(one.value) for one in await self._bucket.list("credential.*.*")]
        return sorted(found, key=lambda one: one.id)

    async def clients(self) -> "builtins.list[InstalledClient]":
        """List all programs, by their ids."""
        found = [_client.decode(one.value) for one in await self._bucket.list("client.*")]
        return sorted(found, key=lambda one: one.id)

    async def knows(self, oauth2_client_id: str) -> bool:
        """Tell whether there is a credential of a client id, revoked or not."""
        return bool(await self._bucket.list(f"credential.{_hash(oauth2_client_id)}.*"))

    async def proven(self, oauth2_client_id: str, secret: str) -> ProvenClient | None:
        """Give the credential that is not revoked of a client id, if this is its secret. It takes as long if not."""
        entries = await self._bucket.list(f"credential.{_hash(oauth2_client_id)}.*")
        credential = _first_live(entries)
        client = None if credential is None else await self.client(credential.client_id)
        shown = secret[: MAX_TEXT_CHARACTERS + 1].encode("utf-8", "replace")
        if credential is None or client is None or not credential.secret:
            await self._hashing.match_nothing(shown)
            return None
        is_right = await self._hashing.matches(credential.secret, shown)
        return ProvenClient(credential, client) if is_right else None

    async def revoke(self, credential_id: str, reason: str | None = None) -> ClientCredential:
        """Have a credential refused from now on, and its tokens. Raises `no_such_client`."""
        credential = await self.find(credential_id)
        if credential is None:
            raise Refusal(Code.NO_SUCH_CLIENT, f"there is no credential {credential_id[:80]!r}", "id")
        revoked = msgspec.structs.replace(credential, revoked=True, reason=reason)
        await self._put(_credential_key(revoked), revoked)
        return revoked

    async def delete(self, credential_id: str) -> bool:
        """Delete a credential, which ends its tokens; tell whether it was there."""
        entries = await self._bucket.list(f"credential.*.{_hash(credential_id)}")
        for entry in entries:
            await self._bucket.delete(entry.key)
            self._store.let_go(entry.key)
        return bool(entries)

    async def _put(self, key: str, value: ClientCredential | InstalledClient) -> None:
        try:
            await self._bucket.put(key, msgspec.json.encode(value))
        finally:
            self._store.let_go(key)


def _first_live(entries: list[KeyValue]) -> ClientCredential | None:
    """Choose as the original does: by id, the first that is not revoked."""
    live = [one for one in (_credential.decode(entry.value) for entry in entries) if not one.revoked]
    return min(live, key=lambda one: one.id, default=None)


def _is_our_hash(secret: str) -> bool:
    return _OUR_HASH.fullmatch(secret) is not None


def _credential_key(credential: ClientCredential) -> str:
    return f"credential.{_hash(credential.oauth2_client_id)}.{_hash(credential.id)}"


def _client_key(client_id: str) -> str:
    return f"client.{_hash(client_id)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

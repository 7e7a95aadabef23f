"""Storing one document. Each method tells whether it has stored it: what is there already stays as it is.

So whatever was changed or revoked here since a document was loaded is not undone by loading it again.
"""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from bus.users import list_users
from identity.preferences.credentials import ClientCredentials
from identity.preferences.key_tokens import KeyTokens
from identity.preferences.keys import PreferenceKeys, StoredKey, is_safe
from llum.preferences.many import results
from llum.preferences.safes import Safes
from llum.preferences.stored import client_of, credential_of, token_of
from model.preferences.documents import Document
from model.preferences.safe_documents import safe_command
from schemas.codec import encode
from schemas.errors import Code, raised_from
from schemas.preferences import PutPreferences
from schemas.replies import Accepted

if TYPE_CHECKING:
    from llum.client import Client

MADE_WITHIN_S: Final = 60.0
"""Seconds to wait for a safe to be made: with many under way, each waits for the others."""

_SAFE_ID: Final = "prefsSafeId"
_SECRET: Final = "oauth2ClientSecret"  # noqa: S105 - the name of a member


class Putting:
    """Stores documents one by one. Make it with `Putting.beside`. All methods raise `Transient`, `ApiError`."""

    def __init__(self, client: "Client", keys: PreferenceKeys, records: Mapping[str, StoredKey]) -> None:
        self._keys = keys
        self._records = records
        """The records of the keys that are loaded."""
        self._credentials = ClientCredentials(keys.store)
        self._tokens = KeyTokens(keys, self._credentials)
        self._safes = Safes(client, keys)
        self._users: frozenset[str] = frozenset()
        self._token_hashes: frozenset[str] = frozenset()
        self._moved: frozenset[str] = frozenset()

    @classmethod
    async def beside(cls, client: "Client", keys: list[Document]) -> "Putting":
        """Look at what is there already of the keys that are to be loaded, and of all else."""
        store = PreferenceKeys(client.bus)
        found = await results([one.id for one in keys], store.stored)
        records = {key.id: record for key, record in zip(keys, found, strict=True) if record is not None}
        putting = cls(client, store, records)
        await putting._look(client, keys)
        return putting

    async def _look(self, client: "Client", keys: list[Document]) -> None:
        self._users = frozenset(await list_users(client.bus))
        self._token_hashes = frozenset(one.hash for one in await self._tokens.list())
        joined = (one.document for one in await self._keys.list() if _has_moved(one))
        known = (one.members for one in keys if one.id in self._records and _has_moved(self._records[one.id]))
        found = (members.get(_SAFE_ID) for members in (*joined, *known))
        self._moved = frozenset(safe_id for safe_id in found if safe_id is not None)

    async def put_client(self, document: Document) -> bool:
        """Store a program."""
        if await self._credentials.client(document.id) is not None:
            return False
        await self._credentials.put_client(client_of(document))
        return True

    async def put_credential(self, document: Document) -> bool:
        """Store a credential, with a hash of its secret."""
        if await self._credentials.find(document.id) is not None:
            return False
        secret = document.members.get(_SECRET)
        await self._credentials.put(credential_of(document, await self._credentials.hashed(secret) if secret else ""))
        return True

    async def make_safe(self, document: Document) -> bool:
        """Make the model of a safe; not of one that has moved to the model of a person since."""
        if document.id in self._moved:
            return False
        user = await self._user_of(document.id)
        if user in self._users and await self._safes.find(user) is not None:
            return False
        outcome = await self._safes.as_service(user).outcome(command_of(document), MADE_WITHIN_S)
        if isinstance(outcome, Accepted):
            return not outcome.repeated
        if outcome.error.code is Code.ID_REUSED:
            return False  # another document of that id came in between
        raise raised_from(outcome.error)

    async def put_key(self, document: Document) -> bool:
        """Store what a key opens; not of one that opens a safe of its own here."""
        if document.id in self._records:
            return False
        safe_id = document.members.get(_SAFE_ID)
        own = await self._keys.safe_user(document.id)
        user = own if safe_id is None else await self._user_of(safe_id)
        record = StoredKey(
            document.id,
            user,
            has_safe=safe_id is not None,
            revoked=document.members.get("revoked", False),
            reason=document.members.get("revokedReason"),
            document=document.members,
        )
        if own in self._users and not (record.revoked and user == own) and await self._safes.find(own) is not None:
            return False
        await self._keys.put_record(record)
        return True

    async def put_token(self, document: Document) -> bool:
        """Store a token, by its hash."""
        token = token_of(document)
        if token.hash in self._token_hashes:
            return False
        await self._tokens.load(token)
        return True

    async def _user_of(self, safe_id: str) -> str:
        """Name the model of a safe by the id of its document, which for a safe made here may be just that."""
        return safe_id if is_safe(safe_id) and safe_id in self._users else await self._keys.user_of_safe(safe_id)


def command_of(document: Document) -> PutPreferences:
    """Give the command that makes the safe of a document: the same id each time."""
    return safe_command(document, f"load-{hashlib.sha256(encode(document.id)).hexdigest()[:40]}")


def _has_moved(record: StoredKey) -> bool:
    """Tell whether a key leads to a person's model, or has done so before that person was forgotten."""
    return not record.key or not is_safe(record.user)

"""Documents of keys and programs, and what llum stores of them: each made of the other.

What a document says is kept with it as it was, and is what a dump gives back; but what is stored beside it counts, so
that a dump says what has happened since. Of secrets and tokens there are hashes alone.
"""

from typing import Any, Final, NamedTuple

from identity.preferences.credentials import ClientCredential, InstalledClient
from identity.preferences.key_tokens import StoredToken, hash_in_document
from identity.preferences.keys import StoredKey
from model.preferences.documents import AUTHORIZATION, CLIENT, CREDENTIAL, KEY, Document, seconds_of
from model.preferences.safe_documents import SCHEMA_VERSION
from model.safes.timestamps import timestamp_of
from schemas.preferences import DEFAULT_SET, PREFERENCES_PLACE

HASHED: Final = "sha256:"
"""What stands before the hash of a token in a dump."""

_SECRET: Final = "oauth2ClientSecret"  # noqa: S105 - the name of a member
_TOKEN: Final = "accessToken"  # noqa: S105


class Safe(NamedTuple):
    """What is known of a safe without its preferences."""

    user: str
    """Whose model it is."""
    id: str
    """That of its document: the one that it was loaded from, or else the user."""
    key: str | None
    """The key that it was made for, if that key has opened it from the first."""
    made: str | None
    """When it was made, as its document says it."""


def client_of(document: Document) -> InstalledClient:
    """Give the program of a document."""
    return InstalledClient(document.id, document.members.get("name"), document=document.members)


def credential_of(document: Document, secret: str) -> ClientCredential:
    """Give the credential of a document; `secret` is the hash of its secret."""
    members = document.members
    return ClientCredential(
        id=document.id,
        client_id=members["clientId"],
        oauth2_client_id=members["oauth2ClientId"],
        secret=secret,
        allowed_ip_blocks=members.get("allowedIPBlocks"),
        allowed_prefs_to_write=members.get("allowedPrefsToWrite"),
        may_create_keys=members.get("isCreateGpiiKeyAllowed", False),
        may_create_safes=members.get("isCreatePrefsSafeAllowed", False),
        revoked=members.get("revoked", False),
        reason=members.get("revokedReason"),
        document=_without(members, _SECRET),
    )


def token_of(document: Document) -> StoredToken:
    """Give the token of an authorization."""
    members = document.members
    return StoredToken(
        key=members["gpiiKey"],
        credential_id=members["clientCredentialId"],
        client_id=members["clientId"],
        made=_made(members),
        expires=seconds_of(members["timestampExpires"]),
        hash=hash_in_document(members[_TOKEN]),
        id=document.id,
        revoked=members.get("revoked", False),
        document=_without(members, _TOKEN),
    )


def client_document(client: InstalledClient) -> dict[str, Any]:
    """Give the document of a program."""
    return client.document or {
        "_id": client.id,
        "type": CLIENT,
        "schemaVersion": SCHEMA_VERSION,
        "name": client.name,
    }


def credential_document(credential: ClientCredential) -> dict[str, Any]:
    """Give the document of a credential, with the hash of its secret."""
    document = credential.document or {
        "_id": credential.id,
        "type": CREDENTIAL,
        "schemaVersion": SCHEMA_VERSION,
        "clientId": credential.client_id,
        "oauth2ClientId": credential.oauth2_client_id,
        "allowedIPBlocks": credential.allowed_ip_blocks,
        "allowedPrefsToWrite": credential.allowed_prefs_to_write,
        "isCreateGpiiKeyAllowed": credential.may_create_keys,
        "isCreatePrefsSafeAllowed": credential.may_create_safes,
    }
    said = with_revocation(document, credential.revoked, credential.reason)
    return {**said, _SECRET: credential.secret} if credential.secret else said


def token_document(token: StoredToken) -> dict[str, Any]:
    """Give the document of a token, with its hash."""
    document = token.document or {
        "_id": token.id or f"{HASHED}{token.hash}",
        "type": AUTHORIZATION,
        "schemaVersion": SCHEMA_VERSION,
        "clientId": token.client_id,
        "gpiiKey": token.key,
        "clientCredentialId": token.credential_id,
        "revoked": token.revoked,
        "revokedReason": None,
        "timestampCreated": timestamp(token.made),
        "timestampRevoked": None,
        "timestampExpires": timestamp(token.expires),
    }
    return {**document, _TOKEN: f"{HASHED}{token.hash}"}


def timestamp(seconds: float) -> str:
    """Write a time (seconds since 1970) as the documents have it: `2020-11-23T10:00:00.000Z`."""
    return timestamp_of(round(seconds * 1e6))


def key_document(key: StoredKey, safe: Safe | None) -> dict[str, Any]:
    """Give the document of a key, and of the safe that it opens, if that is a model of its own and there.

    Whose preferences are a part of a person's model stay with that person: such a key is written without a safe.
    """
    made = None if safe is None else safe.made
    document = key.document or {
        "_id": key.key,
        "type": KEY,
        "schemaVersion": SCHEMA_VERSION,
        "prefsSafeId": None,
        "prefsSetId": None,
        "revoked": False,
        "revokedReason": None,
        "timestampCreated": made,
        "timestampUpdated": None,
    }
    if is_joined(key):
        document = {**document, "prefsSafeId": None, "prefsSetId": None}
    elif safe is not None and document.get("prefsSafeId") != safe.id:
        updated = {"timestampUpdated": made} if key.document else {}
        document = {**document, "prefsSafeId": safe.id, "prefsSetId": DEFAULT_SET, **updated}
    return with_revocation(document, key.revoked, key.reason)


def is_joined(key: StoredKey) -> bool:
    """Tell whether a key leads to a part of a person's model."""
    return key.place != PREFERENCES_PLACE


def with_revocation(document: dict[str, Any], revoked: bool, reason: str | None) -> dict[str, Any]:
    """Say in a document whether it was revoked, and why, if it does not say so."""
    if revoked == document.get("revoked", False) and reason == document.get("revokedReason"):
        return document
    return {**document, "revoked": revoked, "revokedReason": reason}


def _without(members: dict[str, Any], secret: str) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name != secret}


def _made(members: dict[str, Any]) -> float:
    """Say when a token was made; of those whose document does not say it, that is long ago."""
    try:
        return seconds_of(members.get("timestampCreated") or "")
    except ValueError:
        return 0.0

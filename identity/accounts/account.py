"""What an account is: by what a person is known, and how they prove who they are. Times are seconds since 1970."""

import re
from typing import Final

import msgspec

from schemas.errors import Code, Refusal

LOOKS: Final = "looks"
"""The kind of identifier that holds how an id looks: no two accounts have ids that look alike."""

PASSKEY: Final = "passkey"
"""The kind of identifier of a passkey: its key is a hash of the credential's id."""

MAX_IDENTIFIERS: Final = 64
"""Identifiers of one account, passkeys among them: more than anybody has."""

_KIND: Final = re.compile(r"[a-z]{1,16}")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")


class Identifier(msgspec.Struct, frozen=True):
    """By what llum recognises a person. It belongs to one account at most."""

    kind: str
    """Such as `oidc` or `passkey`."""
    key: str
    """Opaque, `[A-Za-z0-9_-]{1,128}`: a hash of what the person is called elsewhere."""
    label: str = ""
    """For people."""
    added: float = 0.0


class Passkey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A credential of WebAuthn. It is public: whoever has it can only check what the authenticator has signed."""

    id: str
    """The credential's id, base64url."""
    public_key: str
    """COSE, base64url."""
    name: str
    made: float
    sign_count: int = 0
    used: float | None = None
    transports: list[str] = []
    backed_up: bool = False
    """It is synchronised between the person's devices."""


class Account(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person. The id is that of their model."""

    user: str
    made: float
    admin: bool = False
    """Sees accounts and clients, invites, makes administrators; never sees values."""
    handle: str = ""
    """By which authenticators know the account, base64url: random, so that it says nothing of the person."""
    identifiers: tuple[Identifier, ...] = ()
    passkeys: tuple[Passkey, ...] = ()
    password: str = ""
    """Argon2id's own text; empty: none is set."""
    password_set: float | None = None
    recovery: tuple[str, ...] = ()
    """Hashes of the recovery codes that have not been used."""
    recovery_made: float | None = None

    def has(self, kind: str, key: str) -> bool:
        """Tell whether the account has this identifier."""
        return any((one.kind, one.key) == (kind, key) for one in self.identifiers)

    def has_kind(self, kind: str) -> bool:
        """Tell whether the account has an identifier of this kind."""
        return any(one.kind == kind for one in self.identifiers)

    @property
    def ways(self) -> int:
        """Count the ways to sign in again and again: recovery codes are none, they are for once."""
        outside = sum(one.kind not in (PASSKEY, LOOKS) for one in self.identifiers)
        return len(self.passkeys) + outside + bool(self.password)

    @property
    def words_of_ways(self) -> str:
        """Say by what the person signs in."""
        outside = [one.label or one.kind for one in self.identifiers if one.kind not in (PASSKEY, LOOKS)]
        own = (["passkey"] if self.passkeys else []) + (["password"] if self.password else [])
        return ", ".join(own + outside) or "nothing"


def with_identifier(account: Account, identifier: Identifier) -> Account:
    """Add an identifier, or change its label. Raises `too_large` when there are too many."""
    account = without_identifier(account, identifier.kind, identifier.key)
    if len(account.identifiers) >= MAX_IDENTIFIERS:
        raise Refusal(Code.TOO_LARGE, f"an account has at most {MAX_IDENTIFIERS} ways to sign in", hint="remove one")
    return msgspec.structs.replace(account, identifiers=(*account.identifiers, identifier))


def without_identifier(account: Account, kind: str, key: str) -> Account:
    kept = tuple(one for one in account.identifiers if (one.kind, one.key) != (kind, key))
    return msgspec.structs.replace(account, identifiers=kept)


def check_identifier(kind: str, key: str) -> None:
    """Raise `bad_field` for what cannot be an identifier."""
    if not _KIND.fullmatch(kind):
        raise Refusal(Code.BAD_FIELD, "a kind of identifier is 1 to 16 of a-z", "kind")
    if not _KEY.fullmatch(key):
        raise Refusal(Code.BAD_FIELD, "an identifier is 1 to 128 of A-Z, a-z, 0-9, _ and -", "key")

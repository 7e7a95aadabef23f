"""The keys that an issuer signs with. They are fetched again when a token names one that is not known: it was rotated.

Whoever makes up names of keys cannot have them fetched more often than once in `REFETCH_AFTER_S`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from identity.issuers.failures import IssuerAway
from identity.issuers.fetching import Answer

BELIEVED_S: Final = 3600.0
"""Seconds that fetched keys are believed: one that the issuer has withdrawn counts no longer than that."""

REFETCH_AFTER_S: Final = 30.0
"""Seconds between two fetches because of a key that is not known."""

MAX_KEYS: Final = 64
"""Keys of one issuer that are looked at."""

MIN_RSA_BITS: Final = 2048
"""Bits of an RSA key: shorter ones prove nothing any more."""

_KINDS: Final[dict[str, type[Key]]] = {"RSA": RSAKey, "EC": ECKey}
"""Public keys only: with a shared one (`oct`) whoever can check can sign."""


class _Document(msgspec.Struct):
    keys: list[dict[str, Any]]


class SigningKeys:
    """Knows the keys of one issuer. `fetch` gets its set of keys."""

    def __init__(self, fetch: Callable[[], Awaitable[Answer]], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._keys = KeySet([])
        self._fetched_at = float("-inf")
        self._turn = asyncio.Lock()

    async def having(self, kid: str | None) -> KeySet:
        """Give the keys, with the one of this name if the issuer has it. Raises `IssuerAway`."""
        async with self._turn:
            if self._must_fetch(kid):
                keys = read_keys(await self._fetch())
                self._keys, self._fetched_at = keys, self._monotonic()
            return self._keys

    def _must_fetch(self, kid: str | None) -> bool:
        age_s = self._monotonic() - self._fetched_at
        known = kid is None or any(key.kid == kid for key in self._keys)
        return age_s > BELIEVED_S or (not known and age_s > REFETCH_AFTER_S)


def read_keys(answer: Answer) -> KeySet:
    """Read a set of keys, without those that cannot be used here. Raises `IssuerAway`."""
    if answer.status != 200:
        raise IssuerAway(f"the keys were answered with {answer.status}")
    try:
        document = msgspec.json.decode(answer.body, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IssuerAway(f"the keys are not a JSON Web Key Set: {str(error)[:200]}") from error
    read = (_read_key(one) for one in document.keys[:MAX_KEYS])
    keys = [key for key in read if key is not None]
    if not keys:
        raise IssuerAway("the issuer has no key that could be used")
    return KeySet(keys)


def _read_key(document: dict[str, Any]) -> Key | None:
    """Read a key; None if it is of a kind that is not used here, broken, or too weak."""
    kind = _KINDS.get(str(document.get("kty")))
    if kind is None or document.get("use", "sig") != "sig" or _is_weak(document):
        return None
    try:
        key = kind.import_key(document)
        key.ensure_kid()
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key


def _is_weak(document: dict[str, Any]) -> bool:
    """Tell by the text of its modulus whether an RSA key is too short; each character has six bits."""
    return document["kty"] == "RSA" and len(str(document.get("n"))) * 6 < MIN_RSA_BITS

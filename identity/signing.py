"""Signatures of notices: the secrets of the installation, and the keys of apps that are derived from them.

When the secret is replaced, the new one is used a week later. Meanwhile a notice carries two signatures: one by the key
that the receiver has, one by the key that it will need.
"""

import hashlib
import hmac
import time
from typing import Final, NamedTuple

from bus.connection import Bus
from bus.key_rings import NOTICE_KEYS, KeyRings

SIGNATURE: Final = "Llum-Signature"
NEXT_SIGNATURE: Final = "Llum-Signature-Next"

ANNOUNCED_S: Final = 7 * 24 * 3600.0
"""Seconds for which receivers can be given a new key before it is used."""


class Secrets(NamedTuple):
    """What signatures are made with now, and what they will be made with."""

    used: bytes
    coming: bytes | None = None


async def signing_secrets(bus: Bus) -> Secrets:
    """Give the secrets of the installation. Raises `Transient`."""
    ring, now = await KeyRings(bus).read(NOTICE_KEYS), time.time()
    coming = ring.coming(now)
    return Secrets(ring.used(now).bytes, None if coming is None else coming.bytes)


def signing_key(secret: bytes, app: str) -> str:
    """Derive the key by which an app's receivers check signatures. It says nothing about other apps' keys."""
    return hmac.new(secret, b"notices of " + app.encode(), hashlib.sha256).hexdigest()


def signature(key: str, content: bytes) -> str:
    """Sign a notice: the body of a POST, the URL of a GET."""
    return "sha256=" + hmac.new(key.encode(), content, hashlib.sha256).hexdigest()


def signatures(secrets: Secrets, app: str, content: bytes) -> dict[str, str]:
    """Give the headers that sign a notice of an app."""
    signed = {SIGNATURE: signature(signing_key(secrets.used, app), content)}
    if secrets.coming is not None:
        signed[NEXT_SIGNATURE] = signature(signing_key(secrets.coming, app), content)
    return signed

"""Signatures of llum: the secret of the installation, and the keys that are derived from it."""

import hashlib
import hmac
import secrets
from typing import Final

from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import INSTALLATION_BUCKET
from schemas.errors import Code, Transient

SECRET_KEY: Final = "notice_secret"  # noqa: S105 - a key's name
SECRET_BYTES: Final = 32


async def installation_secret(bus: Bus) -> bytes:
    """Give the secret that signatures are made with; it is made once. Raises `Transient`."""
    bucket = Bucket(bus, INSTALLATION_BUCKET)
    known = await bucket.get(SECRET_KEY)
    if known is None:
        fresh = secrets.token_hex(SECRET_BYTES).encode()
        known = fresh if await bucket.create(SECRET_KEY, fresh) else await bucket.get(SECRET_KEY)
    if known is None:
        raise Transient(Code.UNAVAILABLE, "the secret of the installation cannot be read now")
    return known


def signing_key(secret: bytes, app: str) -> str:
    """Derive the key by which an app's receivers check signatures. It says nothing about other apps' keys."""
    return hmac.new(secret, b"notices of " + app.encode(), hashlib.sha256).hexdigest()


def signature(key: str, content: bytes) -> str:
    """Sign a notice: the body of a POST, the URL of a GET. The value of the header `Llum-Signature`."""
    return "sha256=" + hmac.new(key.encode(), content, hashlib.sha256).hexdigest()

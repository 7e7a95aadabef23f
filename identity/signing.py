"""Signatures of llum: the secret of the installation, and the keys that are derived from it."""

import hashlib
import hmac

from bus.connection import Bus
from bus.secret import NOTICE_SECRET, secret


async def installation_secret(bus: Bus) -> bytes:
    """Give the secret that signatures are made with; it is made once. Raises `Transient`."""
    return await secret(bus, NOTICE_SECRET)


def signing_key(secret: bytes, app: str) -> str:
    """Derive the key by which an app's receivers check signatures. It says nothing about other apps' keys."""
    return hmac.new(secret, b"notices of " + app.encode(), hashlib.sha256).hexdigest()


def signature(key: str, content: bytes) -> str:
    """Sign a notice: the body of a POST, the URL of a GET. The value of the header `Llum-Signature`."""
    return "sha256=" + hmac.new(key.encode(), content, hashlib.sha256).hexdigest()

"""Secrets of the installation that never change: made once, kept in its bucket, and so part of every copy of it.

Those that can be replaced are in `bus.key_rings`.
"""

import secrets
from typing import Final

from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import INSTALLATION_BUCKET
from schemas.errors import Code, Transient

SECRET_BYTES: Final = 32

DIGEST_KEY: Final = "digest_key"
"""Digests of commands are made with it, and those of the names of forgotten people (`bus.forgotten`). It never changes:
digests are for good, and every old backup has it."""


async def secret(bus: Bus, name: str) -> bytes:
    """Give a secret, as hexadecimal text; it is made when it is first wanted. Raises `Transient`."""
    bucket = Bucket(bus, INSTALLATION_BUCKET)
    known = await bucket.get(name)
    if known is None:
        fresh = secrets.token_hex(SECRET_BYTES).encode()
        known = fresh if await bucket.create(name, fresh) else await bucket.get(name)
    if known is None:
        raise Transient(Code.UNAVAILABLE, "the secrets of the installation cannot be read now")
    return known

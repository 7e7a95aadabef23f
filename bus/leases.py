"""Leases: what only one does at a time, over all processes of an installation.

Whoever has the lease holds a key of a bucket, and writes it again and again. When they are killed the key goes by
itself. Whoever is stopped for longer than that has lost the lease without knowing it. So what is done under a lease has
to be right without it, too: it keeps two from doing everything twice, and from undoing what the other one does.

    async with lease(bus, "renewing"):
        ...
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from bus.as_app import new_id
from bus.connection import Bus
from bus.kv import Bucket, KeyValue
from bus.logger import get_logger
from bus.subjects import ERASURE_BUCKET
from schemas.errors import LlumError

log = get_logger(__name__)

RENEWING: Final = "renewing"
"""The lease of whoever writes streams anew."""

ASKED: Final = "asked"
"""The lease of whoever writes the record of asks anew, or leaves something out of what would be written anew then."""

KEPT_S: Final = 10.0
"""Seconds after which the lease of one that was killed is over."""

AGAIN_S: Final = 2.5
"""Seconds between two words of the one who has it."""

LOOK_EVERY_S: Final = 0.25
"""Seconds until one that waits looks again."""


@contextlib.asynccontextmanager
async def lease(bus: Bus, name: str, on_wait: Callable[[], None] = lambda: None) -> AsyncIterator[None]:
    """Have the lease while the context is open. `on_wait` is called once if somebody else has it now.

    Raises `Transient`.
    """
    bucket, key, holder = Bucket(bus, ERASURE_BUCKET), f"lease.{name}", new_id().encode()
    entry = await bucket.claim(key, holder, lifetime_s=KEPT_S)
    if entry is None:
        on_wait()
    while entry is None:
        await asyncio.sleep(LOOK_EVERY_S)
        entry = await bucket.claim(key, holder, lifetime_s=KEPT_S)
    keeping = asyncio.create_task(_keep(bucket, entry), name=f"lease {name}")
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        # Where that does not arrive, the key goes by itself.
        with contextlib.suppress(LlumError):
            if (last := await _held(bucket, entry)) is not None:
                await bucket.take(last)


async def _keep(bucket: Bucket, entry: KeyValue) -> None:
    last: KeyValue | None = entry
    while last is not None:
        await asyncio.sleep(AGAIN_S)
        with contextlib.suppress(LlumError):
            last = await _held(bucket, entry)
            if last is not None:
                await bucket.replace(last, last.value, KEPT_S)
    log.warning("lease_lost", lease=entry.key)


async def _held(bucket: Bucket, entry: KeyValue) -> KeyValue | None:
    """Give the key as it is now, if it is still the holder's."""
    last = await bucket.find_at_leader(entry.key)
    return last if last is not None and last.value == entry.value else None

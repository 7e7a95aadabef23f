"""Leases: what only one does at a time, over all processes of an installation.

Whoever has the lease holds a key of a bucket, and writes it again and again. When they are killed the key goes by
itself. Whoever is stopped for longer than that has lost the lease without knowing it. So whoever has read something
that they are about to write anew looks first whether they still have it: meanwhile it may have been erased.

    async with lease(bus, "renewing") as held:
        ...
        await held.check()
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from bus.as_app import new_id
from bus.connection import Bus
from bus.kv import Bucket, KeyValue
from bus.logger import get_logger
from bus.subjects import ERASURE_BUCKET
from schemas.errors import Code, LlumError, Transient

log = get_logger(__name__)

RENEWING: Final = "renewing"
"""The lease of whoever writes streams anew."""

ASKED: Final = "asked"
"""The lease of whoever writes the record of asks anew, or leaves something out of what would be written anew then."""

KEPT_S: Final = 10.0
"""Seconds after which the lease of one that was killed is over."""

AGAIN_S: Final = 2.5
"""Seconds between two words of the one who has it."""

SURE_S: Final = 0.5
"""Seconds for which one who has just heard that the lease is theirs need not ask again."""

LOOK_EVERY_S: Final = 0.25
"""Seconds until one that waits looks again."""


class HeldLease:
    """A lease that somebody has, or has had."""

    def __init__(self, bucket: Bucket, entry: KeyValue) -> None:
        self._bucket = bucket
        self._entry = entry
        self._sure_until = _now() + SURE_S

    async def check(self) -> None:
        """Go on only if the lease is still held. Raises `Transient` if it was lost, or nobody can tell."""
        if _now() < self._sure_until:
            return
        now = _now()
        if await self.find() is None:
            raise Transient(Code.UNAVAILABLE, "this was held up for so long that another one has begun to do the same")
        self._sure_until = now + SURE_S

    async def find(self) -> KeyValue | None:
        """Give the key as it is now, if it is still the holder's. Raises `Transient`, `ApiError`."""
        last = await self._bucket.find_at_leader(self._entry.key)
        return last if last is not None and last.value == self._entry.value else None

    async def keep(self) -> None:
        """Say again and again that it is held, until it is lost."""
        last: KeyValue | None = self._entry
        while last is not None:
            await asyncio.sleep(AGAIN_S)
            with contextlib.suppress(LlumError):
                last = await self.find()
                if last is not None:
                    await self._bucket.replace(last, last.value, KEPT_S)
        log.warning("lease_lost", lease=self._entry.key)

    async def end(self) -> None:
        """Let another one have it. Where that does not arrive, the key goes by itself."""
        with contextlib.suppress(LlumError):
            if (last := await self.find()) is not None:
                await self._bucket.take(last)


@contextlib.asynccontextmanager
async def lease(bus: Bus, name: str, on_wait: Callable[[], None] = lambda: None) -> AsyncIterator[HeldLease]:
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
    held = HeldLease(bucket, entry)
    keeping = asyncio.create_task(held.keep(), name=f"lease {name}")
    try:
        yield held
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await held.end()


def _now() -> float:
    """Give seconds that go on while the machine sleeps, where the system has such."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

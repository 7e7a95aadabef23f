"""Temporary users have a model as everybody does, and a time until which it is kept. That time is written down first.

So whoever sweeps finds also those whose process died half way, whatever has been started again since.
"""

import secrets
import time
from collections.abc import Callable
from typing import Final

from bus.as_app import AsApp, LastWrites, Sending, new_id
from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import TEMPORARY_BUCKET
from identity.accounts.models import make_model
from schemas.apps import ADMIN_APP, OWNER_APP
from schemas.commands import SetQuota
from schemas.paths import check_token

LIFETIME_S: Final = 24 * 3600.0
"""Seconds of a temporary user's session: a day to look around."""

NOTICES_PER_HOUR: Final = 0
"""Calls of URLs that rules of a temporary user set off: somebody whom nobody knows has llum call nobody."""

_PREFIX: Final = "guest-"
_RANDOM_BYTES: Final = 8


class TemporaryUsers:
    """Makes them, and knows whose time is over. Costs nothing to make. All methods raise `Transient`, `ApiError`."""

    def __init__(self, bus: Bus, requests: Sending | None = None, now: Callable[[], float] = time.time) -> None:
        """`requests` are needed to make one."""
        self._bucket = Bucket(bus, TEMPORARY_BUCKET)
        self._requests = requests
        self._now = now

    async def make(self) -> tuple[str, float]:
        """Make one, with a model; give its id and until when it is kept. Raises `Refusal`, too."""
        assert self._requests is not None, "whoever makes them can send"
        user, until = f"{_PREFIX}{secrets.token_hex(_RANDOM_BYTES)}", self._now() + LIFETIME_S
        await self._bucket.put(user, b"%d" % until)
        await make_model(self._requests, user)
        quota = SetQuota(id=new_id(), app=OWNER_APP, notices_per_hour=NOTICES_PER_HOUR)
        await AsApp(self._requests, user, ADMIN_APP, LastWrites()).send(quota)
        return user, until

    async def end(self, user: str) -> None:
        """Let a temporary user's time be over now. Of anybody else nothing is noted."""
        if await self._bucket.get(check_token(user, "user")) is not None:
            await self._bucket.put(user, b"0")

    async def keep_until(self, user: str, until: float) -> None:
        """Note a model that is to be forgotten at a time, seconds since 1970."""
        await self._bucket.put(check_token(user, "user"), b"%d" % until)

    async def over(self) -> list[str]:
        """Name those whose time is over: they are to be forgotten."""
        now = self._now()
        return sorted(entry.key for entry in await self._bucket.list("*") if float(entry.value) <= now)

    async def noted(self) -> frozenset[str]:
        """Name all whose time will be over, or is."""
        return frozenset(entry.key for entry in await self._bucket.list("*"))

    async def erase_user(self, user: str) -> int:
        """Erase what is noted of a user, and give the number of notes: 0 or 1."""
        return await self._bucket.erase(check_token(user, "user"))

    async def count(self, user: str) -> int:
        """Count what is noted of a user."""
        return await self._bucket.count(check_token(user, "user"))

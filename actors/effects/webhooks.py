"""Notices to their URLs: one attempt each.

What speaks HTTP is imported for the first of them; most workers never send one.
"""

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from actors.effects.attempt import Failure
from bus.logger import get_logger
from identity.signing import Secrets
from schemas.effects import Notice
from schemas.errors import Transient

if TYPE_CHECKING:
    from actors.effects.posting import Poster

log = get_logger(__name__)


class Webhooks:
    """Sends notices for all partitions of a worker until `close`."""

    def __init__(self, secrets: Callable[[], Awaitable[Secrets]], allow_private: bool = False) -> None:
        """`secrets` gives what notices are signed with now."""
        self._secrets = secrets
        self._allow_private = allow_private
        self._poster: Poster | None = None

    async def close(self) -> None:
        if self._poster is not None:
            await self._poster.close()

    async def send(self, notice: Notice) -> Failure | None:
        """Send a notice; None: the receiver has taken it."""
        started = time.perf_counter()
        failure = await self._post(notice)
        log.info(
            "notice",
            user=notice.user,
            app=notice.app,
            rule=notice.rule,
            seq=notice.seq,
            outcome="delivered" if failure is None else failure.reason,
            duration_ms=round((time.perf_counter() - started) * 1000, 3),
        )
        return failure

    async def _post(self, notice: Notice) -> Failure | None:
        try:
            secrets = await self._secrets()
        except Transient as error:
            return Failure(str(error))
        return await (await self._made()).post(notice, secrets)

    async def _made(self) -> "Poster":
        if self._poster is None:
            # In a thread: a third of a second in which others are to be answered.
            posting = await asyncio.to_thread(importlib.import_module, "actors.effects.posting")
            self._poster = self._poster or posting.Poster(self._allow_private)
        assert self._poster is not None
        return self._poster

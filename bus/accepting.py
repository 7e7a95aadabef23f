"""An operator's word that the log counts, although a partition holds what is not in it: asked for, heard, answered.

Only a partition that is refused listens, so nothing else can be set aside by this.
"""

import asyncio
from typing import Final

import msgspec

from bus.connection import Bus
from bus.inbox import is_asker
from bus.operator_subjects import accept_subject_of
from bus.wire import Listening

MAX_LISTED: Final = 1000
"""Lost commands that are listed one by one; the rest is counted."""


class LostCommand(msgspec.Struct, frozen=True):
    """A command that was accepted, and is not in the log."""

    seq: int
    time: float
    """When it was accepted, seconds since 1970."""
    user: str
    app: str
    id: str


class LogAccepted(msgspec.Struct, frozen=True):
    """What has become of a partition whose log was accepted."""

    partition: int
    aside: str
    """The file with what was held before. It is deleted after a week. Empty: there was none."""
    lost: int
    """Accepted commands that are not in the log."""
    lost_forgets: int
    """Those of them that forgot a person: what the log has of these persons is back. Whom, nobody knows any more."""
    commands: list[LostCommand]
    """The first of the others, in their order."""


class AcceptRequests:
    """Hears the operator's word about one partition."""

    def __init__(self, bus: Bus, partition: int) -> None:
        self._bus = bus
        self._partition = partition
        self._listening: Listening | None = None
        self.first: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done when it has been said; the result is where the answer goes."""

    async def open(self) -> None:
        """Listen. Returns when nats-server knows. Raises `Transient`."""
        if self._listening is None:
            self._listening = await self._bus.listen(accept_subject_of(self._partition), self._on_message)
        await self._bus.flush()

    async def close(self) -> None:
        """Hear nothing more."""
        self.first.cancel()
        if self._listening is not None:
            await self._listening.stop()

    def _on_message(self, _subject: bytes, reply: bytes, _headers: bytes, _data: bytes) -> None:
        if is_asker(reply) and not self.first.done():
            self.first.set_result(reply.decode())


async def accept_log(bus: Bus, partition: int, within_s: float) -> LogAccepted | None:
    """Say that the log counts, and wait until the partition is made from it. None: it is not refused.

    Raises `Transient` when it is not done in time; it goes on then.
    """
    answer = await bus.inbox.request(accept_subject_of(partition), b"", within_s)
    return None if answer.no_responders else msgspec.json.decode(answer.data, type=LogAccepted)

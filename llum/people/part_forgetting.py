"""Forgetting a part of a person: the model forgets it, the worker erases it from the log, and what is left is counted.

The worker goes on by itself if this is interrupted. Doing it again waits for it, and does the rest.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import msgspec

from bus import subjects
from bus.jetstream import JetStream
from llum.client import Client
from llum.people.forgetter import FORGET_TIMEOUT_S
from schemas.parts import ForgetPart, MeasurePartReply, PartSize
from schemas.queries import Consequences, MeasurePart
from schemas.replies import ConsequencesReply

LOOK_EVERY_S: Final = 0.2
"""Seconds between looks whether the worker has done its part."""


class PartReceipt(msgspec.Struct, kw_only=True):
    """What was erased of a person, and what is left of the part. It is printed and kept nowhere."""

    user: str
    removed: PartSize
    left: PartSize
    messages: int
    """Messages of the log that were there about the person before: all of them were erased."""
    said_anew: int
    """Messages of the log that now say what is left of the person."""
    began: float
    ended: float
    """Seconds since 1970, by the clock of this machine."""


async def measure_part(client: Client, user: str, part: MeasurePart) -> PartSize:
    """Count what would go. Raises `Refusal`, `Transient`."""
    size = (await _measured(client, user, part)).size
    assert size is not None, "a part is named"
    return size


async def look_at_part(client: Client, user: str, part: ForgetPart) -> tuple[PartSize, ConsequencesReply]:
    """Count what would go, and say what follows in the model of now. Raises `Refusal`, `Transient`."""
    size = await measure_part(client, user, _measure(part))
    follows = await client.query(user, Consequences(command=part))
    assert isinstance(follows, ConsequencesReply), follows
    return size, follows


def _measure(part: ForgetPart) -> MeasurePart:
    """Make the query that counts a part."""
    members = msgspec.structs.asdict(part)
    return MeasurePart(**{name: one for name, one in members.items() if name not in ("id", "v")})


async def forget_part(
    client: Client, user: str, part: ForgetPart, on_progress: Callable[[str], None] = lambda _: None
) -> PartReceipt:
    """Erase a part of a person. Doing it again finishes what was interrupted, and finds nothing after that.

    `on_progress` takes a line that says how far it has got. Raises `Refusal`, `Transient`, `ApiError`.
    """
    forgetter = _Forgetter(client, user, part, on_progress)
    began = time.time()
    removed = await measure_part(client, user, forgetter.measure)
    messages = await forgetter.messages()
    await client.send(user, part, FORGET_TIMEOUT_S)
    await forgetter.until_the_log_is_new()
    return PartReceipt(
        user=user,
        removed=removed,
        messages=messages,
        said_anew=await forgetter.messages(),
        left=await measure_part(client, user, forgetter.measure),
        began=began,
        ended=time.time(),
    )


class _Forgetter:
    def __init__(self, client: Client, user: str, part: ForgetPart, on_progress: Callable[[str], None]) -> None:
        self._client = client
        self._user = user
        self._on_progress = on_progress
        self.measure = _measure(part)

    async def messages(self) -> int:
        """Count what the log has about the person."""
        jetstream, commands = JetStream(self._client.bus), subjects.log_subjects_of_user(self._user)
        return sum([await jetstream.count(stream, commands) for stream in await jetstream.streams(commands)])

    async def until_the_log_is_new(self) -> None:
        """Wait for the worker: it says anew what is left, and erases the earlier messages."""
        while (await _measured(self._client, self._user, MeasurePart())).waits:
            self._on_progress(f"{await self.messages():,} messages of the log about {self._user}")
            await asyncio.sleep(LOOK_EVERY_S)


async def _measured(client: Client, user: str, part: MeasurePart) -> MeasurePartReply:
    return await client.measure_part(user, part)

"""Raising the level of a partition: a command in its log, about nobody, and what its workers say of it.

Each attempt is a message of its own that stays in the log; a partition that has the level already stays as it is. So
what was interrupted is done again, and ends.
"""

import asyncio
from contextlib import suppress

from bus.as_app import new_id
from bus.connection import Bus
from bus.jetstream import JetStream
from bus.level_subjects import raise_command_subject
from bus.subjects import REPLY_TO_HEADER
from schemas.codec import decode_outcome, encode
from schemas.levels import RaiseLevel
from schemas.replies import Outcome


async def raise_level(bus: Bus, partition: int, level: int, within_s: float) -> Outcome | None:
    """Have the level of a partition raised, and give the outcome. None: no worker has applied it within the time.

    Raises `Transient` when the log does not take it.
    """
    outcome: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    token = bus.inbox.expect(lambda _headers, data: None if outcome.done() else outcome.set_result(data))
    headers = {REPLY_TO_HEADER: bus.inbox.subject(token)}
    try:
        command = encode(RaiseLevel(id=new_id(), level=level))
        await JetStream(bus).publish(raise_command_subject(partition), command, headers, within_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                return decode_outcome(await outcome)
        return None
    finally:
        bus.inbox.dismiss(token)

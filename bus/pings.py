"""Whether a partition is served: asked as any client would ask, past the mapping."""

from typing import Final

import msgspec

from bus.connection import Bus
from bus.hedging import EARLY_S
from bus.subjects import partition_ask_subject
from schemas.codec import decode_reply, encode
from schemas.errors import Transient
from schemas.queries import Ping
from schemas.replies import PingReply

PING: Final = encode(Ping())
"""What is asked."""


async def ping(bus: Bus, partition: int, within_s: float) -> PingReply | None:
    """Have a worker answer for the partition. Raises nothing: where the bus is away, none does, and None is given."""
    try:
        answer = await bus.inbox.request(partition_ask_subject(partition), PING, within_s, again_s=EARLY_S)
        reply = None if answer.no_responders else decode_reply(answer.data)
        return reply if isinstance(reply, PingReply) else None
    except (Transient, msgspec.DecodeError):
        return None

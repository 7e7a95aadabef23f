"""Whether a partition is served: asked as any client would ask, past the mapping."""

from typing import Final

import msgspec

from bus.connection import Bus
from bus.subjects import partition_ask_subject
from schemas.codec import decode_reply, encode
from schemas.errors import Transient
from schemas.queries import Ping
from schemas.replies import PingReply

_PING: Final = encode(Ping())


async def is_served(bus: Bus, partition: int, within_s: float) -> bool:
    """Tell whether a worker answers for the partition. Raises nothing: where the bus is away, none does."""
    try:
        answer = await bus.inbox.request(partition_ask_subject(partition), _PING, within_s)
        return not answer.no_responders and isinstance(decode_reply(answer.data), PingReply)
    except (Transient, msgspec.DecodeError):
        return False

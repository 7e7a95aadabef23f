"""Refused commands, kept for days so that a sensor that does not wait for outcomes can be found out."""

from collections import deque
from typing import Final

import msgspec

from bus.connection import Bus
from bus.jetstream import ApiError, JetStream
from bus.subjects import REJECTED_STREAM, rejected_subject
from schemas.codec import encode
from schemas.errors import Code, Transient
from schemas.replies import Rejection

PAGE: Final = 500
"""Rejections read at once: about 150 kB."""

_decoder: Final = msgspec.json.Decoder(Rejection)


async def publish(bus: Bus, rejection: Rejection, partition: int, seq: int, part: str = "") -> None:
    """Store a rejection, once however often it is published soon after. Raises `Transient` if that is not sure.

    `part` tells those of one sequence apart.
    """
    subject = rejected_subject(rejection.user, rejection.app)
    try:
        await JetStream(bus).publish(subject, encode(rejection), {"Nats-Msg-Id": f"{partition}.{seq}.{part}"})
    except ApiError as error:
        raise Transient(Code.UNAVAILABLE, f"the rejection was not stored: {error.description}") from error


async def read(bus: Bus, user: str, app: str | None = None, limit: int = 100) -> list[Rejection]:
    """Give the newest rejections of a user, or of one app of theirs, the oldest first. Raises `Transient`."""
    newest: deque[Rejection] = deque(maxlen=limit)
    seq, more = 1, True
    while more:
        page, more = await JetStream(bus).page(REJECTED_STREAM, rejected_subject(user, app or "*"), seq, PAGE)
        newest.extend(_decoder.decode(stored.data) for stored in page)
        more = more and bool(page)
        seq = page[-1].seq + 1 if page else seq
    return list(newest)

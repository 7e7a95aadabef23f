"""What the holders of a partition tell each other of their sums. No app reaches the subject."""

import msgspec

from bus.connection import Bus
from bus.subjects import sums_subject
from bus.wire import Listening, OnMessage


class SumMark(msgspec.Struct, frozen=True, array_like=True):
    """The sums of a partition once a sequence was applied."""

    seq: int
    log: str
    """Of the digests of all commands that are kept, hexadecimal."""
    state: int
    """Of the checksums of all rows that models are made of."""


class Sums(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one holder of a partition tells the others."""

    holder: str
    life: int
    """Counts up whenever this holder serves the partition anew: what it told before counts no longer."""
    made_by: str = ""
    """Schema, Unicode and code by which its state is made."""
    primary: bool = False
    anew_until: int = 0
    """Up to this sequence it was made anew from the log, because it had differed."""
    marks: list[SumMark] = []
    asks: bool = False
    """Whether the others are to tell what they have."""
    stopped: str | None = None
    """Why it does not serve the partition any more, for people."""


_decoder = msgspec.json.Decoder(Sums)


def decode(data: bytes) -> Sums | None:
    """Read what a holder tells; None: another version of llum has written it."""
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError:
        return None


def tell(bus: Bus, partition: int, sums: Sums) -> bool:
    """Tell all holders, ourselves among them. False when the bus does not take it now."""
    return bus.publish_soon(sums_subject(partition).encode(), msgspec.json.encode(sums))


async def hear(bus: Bus, partition: int, handler: OnMessage) -> Listening:
    """Hear what holders tell. Returns when nats-server knows. Raises `Transient`."""
    listening = await bus.listen(sums_subject(partition), handler)
    await bus.flush()
    return listening

"""What has just been applied, for live feeds. An event says where to look, not what is there: who may see it asks.

They go on `llum.event.<user>`, from the primary of the person's partition, while somebody says on
`llum.listening.<user>` that they listen. They are not kept. Whoever missed some sees it by the next event, or by
the sequence of an answer, and asks again.
"""

from typing import Final

import msgspec

from schemas.limits import PROTOCOL_VERSION

LISTENING_AGAIN_S: Final = 5.0
"""Seconds after which whoever listens says so again."""

LISTENED_FOR_S: Final = 4 * LISTENING_AGAIN_S
"""Seconds for which a worker takes somebody to listen who has said so once."""

MAX_EVENT_PATHS: Final = 256
"""Paths in one event. A command that touches more is told by the nearest context that holds them all."""


class Event(msgspec.Struct, kw_only=True, frozen=True):
    """A command has changed a person's model."""

    v: int = PROTOCOL_VERSION
    user: str
    app: str
    """Who sent the command."""
    verb: str
    seq: int
    """The command's sequence: an ask with it as `min_seq` sees the change."""
    time: float
    """When the log took the command, seconds since 1970."""
    paths: list[list[str]]
    """Each component, context or view that is now another one, there or not; [] is the whole model."""
    before: int = 0
    """The sequence of the command that had changed the model last; 0: there was no model. Whoever has not heard of that
    one has missed something, whichever workers have told."""

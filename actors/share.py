"""How a worker takes part in sharing partitions: its name and weight, and how long it waits for others."""

import os
import secrets
import socket
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from bus.workers import WorkerWord

HAND_OVER_S: Final = 60.0
"""Seconds within which others must have taken over what a worker leaves. Then it leaves all the same."""


class Share(NamedTuple):
    """How a worker takes part."""

    word: WorkerWord
    """Its first word of itself."""
    keep_draining: Callable[[bool], None]
    """Called when an operator wants the worker to serve nothing any more, or to serve again: to know it next time."""
    settle_s: float
    """Seconds that it waits when it starts beside others."""
    hand_over_s: float
    """Seconds that it waits for others to take over, before it ends."""


def share_as(
    worker: str,
    *,
    version: str = "",
    weight: float = 1.0,
    replicas: int = 1,
    draining: bool = False,
    keep_draining: Callable[[bool], None] = lambda _: None,
    settle_s: float = 0.0,
    hand_over_s: float = HAND_OVER_S,
) -> Share:
    """Take part as a worker of this name, of this process."""
    word = WorkerWord(
        worker,
        secrets.token_hex(8),
        socket.gethostname(),
        os.getpid(),
        version,
        time.time(),
        weight,
        replicas,
        draining,
    )
    return Share(word, keep_draining, settle_s, hand_over_s)

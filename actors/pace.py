"""How a partition gets on: since when it applies what is in hand, and when it has applied something last."""

import time

PAUSE_IS_TOLD_AFTER_S = 1.0
"""Seconds after which a pause is no longer a matter of course: the disk takes nothing, or far too little."""


class Pace:
    """Times on the clock of this process."""

    def __init__(self) -> None:
        self._busy_since = 0.0
        self._applied_at: float | None = None

    def begin(self) -> None:
        """Note that something is in hand."""
        self._busy_since = time.monotonic()

    def end(self) -> None:
        """Note that it has been applied."""
        self._applied_at = time.monotonic()

    @property
    def idle_s(self) -> float | None:
        """For how many seconds nothing has been applied; None: never here."""
        return None if self._applied_at is None else time.monotonic() - self._applied_at

    def pauses_because(self, failure: str | None, waits: bool) -> str | None:
        """Say why nothing has been applied for a while, although something waits, or will not be; None: it is applied.

        What the disk does not take now (`failure`) stops all partitions of the worker once enough waits.
        """
        if failure is not None:
            return failure
        if not waits or time.monotonic() - self._busy_since < PAUSE_IS_TOLD_AFTER_S:
            return None
        return "commands come faster than the disk takes them"

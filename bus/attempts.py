"""Whether nats-server lets us in, told from how the attempts to connect end.

nats-server says the same when the callout knows nobody of that token as when no callout answers: but the first at once,
and the second after two seconds. Often it says nothing at all, and ends the connection. So what counts is how long
after the credentials were shown an attempt ends, and whether that happens again.
"""

import asyncio
import errno
import time
from collections.abc import Callable
from typing import Any, Final

from bus.nats_py import nats

SOON_S: Final = 1.0
"""Seconds after which nobody has refused the credentials: nobody has decided."""

REFUSED_AFTER_S: Final = 0.4
"""Seconds for which credentials are refused before that is believed: a callout may just have started, or a token just
have been replaced."""

_ENDED: Final = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED)


class ConnectAttempts:
    """Follows the attempts of one connection. `undecided_after_s` is for the first one alone."""

    def __init__(self, undecided_after_s: float | None, on_refused: Callable[[], None]) -> None:
        self.hopeless = asyncio.Event()
        """Set when waiting for the first connection is of no use: it is refused, or nobody decides."""
        self._undecided_after_s = undecided_after_s
        self._on_refused = on_refused
        self._shown_at: float | None = None
        self._refused_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.is_refused = False
        """The credentials were refused again and again since the connection was lost."""
        self.is_undecided = False
        """Nobody says whether the credentials are good."""

    @property
    def was_refused(self) -> bool:
        """The last attempt was refused."""
        return self._refused_since is not None

    def shown(self) -> None:
        """The credentials have been sent."""
        self._shown_at = time.monotonic()
        if self._undecided_after_s is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._undecided_after_s, self._nobody_decides)

    def admitted(self) -> None:
        """The connection stands."""
        self._shown_at = self._refused_since = self._undecided_after_s = None
        self.is_refused = self.is_undecided = False
        self.end()

    def failed(self, error: Exception) -> None:
        """An attempt has ended, or what is left of one is said."""
        now, shown_at, is_refusal = time.monotonic(), self._shown_at, _is_refusal(error)
        if shown_at is None and is_refusal:
            return
        self._shown_at = None
        self.end()
        if shown_at is None or not is_refusal or now - shown_at > SOON_S:
            self._refused_since = None
            self.is_refused = False
            self.is_undecided = shown_at is not None
            return
        if self._refused_since is None:
            self._refused_since = now
        elif now - self._refused_since >= REFUSED_AFTER_S and not self.is_refused:
            self.is_refused = True
            self.hopeless.set()
            self._on_refused()

    def end(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _nobody_decides(self) -> None:
        self.is_undecided = True
        self.hopeless.set()


def _is_refusal(error: Any) -> bool:
    if isinstance(error, OSError):
        return error.errno in _ENDED
    return isinstance(error, nats.errors.UnexpectedEOF) or "authorization violation" in str(error).lower()

"""Slows down guessing: each name has a few attempts, which come back one by one."""

import math
from collections.abc import Callable
from typing import Final

from schemas.errors import Code, Transient
from schemas.recent import Recent

ATTEMPTS: Final = 10
"""Wrong passwords that one app may send at once; then one more every `ATTEMPT_EVERY_S`."""

ATTEMPT_EVERY_S: Final = 6.0
"""Seconds for one attempt to come back: 14,400 guesses a day, which any password worth the name withstands."""

MAX_COUNTED: Final = 10_000
"""Names whose attempts are counted, the latest ones."""


class Throttle:
    """Counts attempts by user and app; all are back `ATTEMPTS * ATTEMPT_EVERY_S` seconds after the last one."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._full_at: Recent[tuple[str, str], float] = Recent(MAX_COUNTED)
        """When all attempts of an app will have come back."""

    def take(self, who: tuple[str, str]) -> None:
        """Take one attempt before it is made, or raise `rate_limited` when none is left."""
        now = self._monotonic()
        full_at = max(self._full_at.get(who) or now, now)
        wait_s = full_at - now - (ATTEMPTS - 1) * ATTEMPT_EVERY_S
        if wait_s > 0:
            hint = f"wait {math.ceil(wait_s)} s"
            raise Transient(Code.RATE_LIMITED, "too many wrong passwords for this app", hint, wait_s)
        self._full_at[who] = full_at + ATTEMPT_EVERY_S

    def give_back(self, who: tuple[str, str]) -> None:
        """Take an attempt for none: the password was right."""
        full_at = self._full_at.get(who)
        if full_at is not None:
            self._full_at[who] = full_at - ATTEMPT_EVERY_S

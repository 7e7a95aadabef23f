"""Slows down guessing: whoever guesses has a few attempts, which come back one by one."""

import math
from collections.abc import Callable, Hashable
from typing import Final

from schemas.errors import Code, Transient
from schemas.recent import Recent

ATTEMPTS: Final = 10
"""Wrong passwords that one address may send at once for one app; then one more every `ATTEMPT_EVERY_S`."""

ATTEMPT_EVERY_S: Final = 6.0
"""Seconds for one attempt to come back: 14,400 guesses a day, which any password worth the name withstands."""

SOURCE_ATTEMPTS: Final = 60
"""Wrong passwords that one address may send at once for all apps together: a household of devices after a change."""

SOURCE_ATTEMPT_EVERY_S: Final = 1.0
"""Seconds for one of those to come back: an address takes 2 % of a core."""

MAX_COUNTED: Final = 10_000
"""Guessers whose attempts are counted, the latest ones."""


class Throttle:
    """Counts the attempts of each guesser. Each comes back after so many seconds, one after the other."""

    def __init__(self, monotonic: Callable[[], float], attempts: int, every_s: float, what: str) -> None:
        self._monotonic = monotonic
        self._attempts = attempts
        self._every_s = every_s
        self._what = what
        self._full_at: Recent[Hashable, float] = Recent(MAX_COUNTED)
        """When all attempts of a guesser will have come back."""

    def take(self, who: Hashable) -> None:
        """Take one attempt before it is made, or raise `rate_limited` when none is left."""
        now = self._monotonic()
        full_at = max(self._full_at.get(who) or now, now)
        wait_s = full_at - now - (self._attempts - 1) * self._every_s
        if wait_s > 0:
            hint = f"wait {math.ceil(wait_s)} s"
            raise Transient(Code.RATE_LIMITED, f"too many wrong passwords {self._what}", hint, wait_s)
        self._full_at[who] = full_at + self._every_s

    def give_back(self, who: Hashable) -> None:
        """Take an attempt for none: the password was right, or was not looked at."""
        full_at = self._full_at.get(who)
        if full_at is not None:
            self._full_at[who] = full_at - self._every_s

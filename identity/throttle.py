"""Slows down guessing: whoever guesses has a few attempts, which come back one by one.

Guesses at people's secrets go through `Attempts`. It counts them by the address that they come from, by that and the
account together, and by the account. What strangers guess keeps no owner out: when too many have guessed at an account,
each address that has not guessed yet still has a few attempts, and a browser that has been in before is counted by
itself. What costs something without being a guess (to sign up, to get a temporary user) goes through a
`Throttle` of its own.

Each process counts for itself, so behind several edges there are as many times the attempts.
"""

import math
import time
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

from schemas.errors import Code, Transient
from schemas.recent import Recent

ATTEMPTS: Final = 10
"""Wrong passwords that one address may send at once for one app or account; then one more every `ATTEMPT_EVERY_S`."""

ATTEMPT_EVERY_S: Final = 6.0
"""Seconds for one attempt to come back: 14,400 guesses a day, which any password worth the name withstands."""

SOURCE_ATTEMPTS: Final = 60
"""Wrong passwords that one address may send at once for all apps together: a household of devices after a change."""

SOURCE_ATTEMPT_EVERY_S: Final = 1.0
"""Seconds for one of those to come back: an address takes 2 % of a core."""

ACCOUNT_ATTEMPTS: Final = 100
"""Wrong secrets that all addresses together may send for one account before each has only `FEW` left."""

ACCOUNT_ATTEMPT_EVERY_S: Final = 6.0
"""Seconds for one of those to come back."""

FEW: Final = 3
"""Attempts of an address at an account that many guess at: a person at a new computer still gets in."""

FEW_EVERY_S: Final = 600.0
"""Seconds for one of these to come back: a thousand addresses guess as often as ten do otherwise."""

MAX_COUNTED: Final = 10_000
"""Guessers whose attempts are counted, the latest ones: a megabyte or two."""

_MAX_KEY_CHARACTERS: Final = 256
"""Characters of an account's or a browser's name that count: what is longer is nobody's."""


class Throttle:
    """Counts the attempts of each guesser. Each comes back after so many seconds, one after the other."""

    def __init__(self, monotonic: Callable[[], float], attempts: int, every_s: float, what: str) -> None:
        """`what` there were too many of: "wrong passwords from this address"."""
        self._monotonic = monotonic
        self._attempts = attempts
        self._every_s = every_s
        self._what = what
        self._full_at: Recent[Hashable, float] = Recent(MAX_COUNTED)
        """When all attempts of a guesser will have come back."""

    def take(self, who: Hashable) -> None:
        """Take one attempt before it is made, or raise `rate_limited` when none is left."""
        wait_s = self.wait_s(who)
        if wait_s > 0:
            hint = f"wait {math.ceil(wait_s)} s"
            raise Transient(Code.RATE_LIMITED, f"too many {self._what}", hint, wait_s)
        now = self._monotonic()
        self._full_at[who] = max(self._full_at.get(who) or now, now) + self._every_s

    def wait_s(self, who: Hashable) -> float:
        """Tell how long somebody has to wait for an attempt; 0 or less: there is one now."""
        return (self._full_at.get(who) or 0.0) - self._monotonic() - (self._attempts - 1) * self._every_s

    def give_back(self, who: Hashable) -> None:
        """Take an attempt for none: the password was right, or was not looked at."""
        full_at = self._full_at.get(who)
        if full_at is not None:
            self._full_at[who] = full_at - self._every_s


class AttemptTaken(NamedTuple):
    """An attempt that may be made now."""

    counted: tuple[tuple[Throttle, Hashable], ...]

    def give_back(self) -> None:
        """Take it for none: the secret was right, or was not looked at."""
        for throttle, who in self.counted:
            throttle.give_back(who)


class Attempts:
    """Guesses at secrets of one kind (`what`: "wrong passwords"). The same whether there is such an account or not.

    Before a secret is looked at:  `taken = attempts.take(source, account)`; if it was right: `taken.give_back()`.
    """

    def __init__(self, what: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._of_device = Throttle(monotonic, ATTEMPTS, ATTEMPT_EVERY_S, f"{what} from this browser")
        self._of_source = Throttle(monotonic, SOURCE_ATTEMPTS, SOURCE_ATTEMPT_EVERY_S, f"{what} from this address")
        self._of_both = Throttle(monotonic, ATTEMPTS, ATTEMPT_EVERY_S, f"{what} for this account")
        self._few = Throttle(monotonic, FEW, FEW_EVERY_S, f"{what} for this account")
        self._of_account = Throttle(monotonic, ACCOUNT_ATTEMPTS, ACCOUNT_ATTEMPT_EVERY_S, what)

    def take(self, source: str, account: str = "", device: str = "") -> AttemptTaken:
        """Take an attempt, or raise `Transient` `rate_limited`, which says when to come again.

        `source` is the address (`Proxies.sender_of`), `account` what was typed as account; "": the secret itself says
        whose it is. `device` names a browser that was in this account before, where that is proven; else "".
        """
        account = account[:_MAX_KEY_CHARACTERS]
        if device:
            return taken_of_all((self._of_device, (device[:_MAX_KEY_CHARACTERS], account)))
        if not account:
            return taken_of_all((self._of_source, source))
        if self._of_account.wait_s(account) > 0:
            return taken_of_all((self._of_source, source), (self._few, (source, account)))
        # Last: what is refused for its address does not count against the account.
        return taken_of_all((self._of_source, source), (self._of_both, (source, account)), (self._of_account, account))


def taken_of_all(*wanted: tuple[Throttle, Hashable]) -> AttemptTaken:
    """Take from each, or from none."""
    for number, (throttle, who) in enumerate(wanted):
        try:
            throttle.take(who)
        except Transient:
            AttemptTaken(wanted[:number]).give_back()
            raise
    return AttemptTaken(wanted)

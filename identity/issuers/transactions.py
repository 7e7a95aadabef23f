"""What is remembered while a person is at an issuer: kept here, for ten minutes, and good for one return.

It is found by the `state` that comes back, and belongs to the browser that was sent away: whoever brings another's
state, or a state to another's browser, gets nothing.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Final

import msgspec

from bus.connection import Bus
from identity.issuers.failures import UnprovenError
from identity.sealed import SealedEntries, new_secret

LIFETIME_S: Final = 600.0
"""Seconds that a person has for signing in at the issuer."""

MAX_SECRET_CHARACTERS: Final = 128
"""Characters of a `state` or cookie that is looked at: ours are 43."""


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """One person's way to an issuer and back."""

    issuer: str
    """Its id."""
    nonce: str
    verifier: str
    then: str
    """Where the person wants to go, a path of ours."""
    made: float
    browser: str
    """A hash of the browser's own secret."""
    user: str | None = None
    """To whose account the identity is to be linked; None: it signs in."""
    max_age_s: int | None = None
    link: str = ""
    """The token of the one-time link with which they came, if it was one."""

    def __repr__(self) -> str:
        return f"Transaction({self.issuer!r})"


class Transactions:
    """Begins them, and gives each back once."""

    def __init__(self, bus: Bus, now: Callable[[], float] = time.time) -> None:
        self._entries = SealedEntries(bus, "at_issuer")
        self._now = now

    async def begin(
        self,
        issuer: str,
        browser: str,
        then: str,
        user: str | None = None,
        max_age_s: int | None = None,
        link: str = "",
    ) -> tuple[str, Transaction]:
        """Begin one for the browser with this secret, and give its state. Raises `Transient`."""
        state = new_secret()
        transaction = Transaction(
            issuer=issuer,
            nonce=new_secret(),
            verifier=new_secret(),
            then=then,
            made=self._now(),
            browser=_hash(browser),
            user=user,
            max_age_s=max_age_s,
            link=link,
        )
        await self._entries.put(state, msgspec.json.encode(transaction), LIFETIME_S)
        return state, transaction

    async def end(self, issuer: str, browser: str | None, state: str) -> Transaction:
        """Give what was begun, once. Raises `UnprovenError`, `Transient`."""
        content = await self._entries.take(state) if 0 < len(state) <= MAX_SECRET_CHARACTERS else None
        if content is None:
            raise UnprovenError("the state is unknown, or has been used")
        transaction = msgspec.json.decode(content, type=Transaction)
        if browser is None or not hmac.compare_digest(transaction.browser, _hash(browser)):
            raise UnprovenError("another browser was sent to the issuer")
        if transaction.issuer != issuer:
            raise UnprovenError("the person was sent to another issuer")
        if not 0 <= self._now() - transaction.made < LIFETIME_S:
            raise UnprovenError("the person was away for too long")
        return transaction


def _hash(browser: str) -> str:
    return hashlib.sha256(browser.encode("utf-8", "surrogatepass")).hexdigest()

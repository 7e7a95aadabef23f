"""A session: somebody has signed in from a browser, or tries llum as a temporary user."""

from typing import Any, Final

import msgspec

FRESH_S: Final = 300.0
"""Seconds after somebody has proven who they are in which they need not do so again, whatever they want to do."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Whose session it is, and how it came about. Times are seconds since 1970."""

    user: str
    """The person whose model it speaks about."""
    details: dict[str, Any] = {}
    """What is known of the person, as far as pages show it: `fullname`, `email` and the like. JSON."""
    made: float
    expires: float
    authenticated: float = 0.0
    """When they last proved who they are; 0 for a temporary user."""
    how: str = ""
    """By what: `passkey`, `password`, `recovery` or `oidc:<issuer>`; empty for a temporary user."""
    temporary: bool = False
    """Nobody has registered yet: what they do is theirs once they do, and else forgotten with the session."""
    place: str = ""
    """Where from, in words: the browser and part of the address."""

    def is_fresh(self, now: float) -> bool:
        """Tell whether they have proven within the last minutes who they are."""
        return now - self.authenticated < FRESH_S

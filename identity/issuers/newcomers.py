"""People who have proven to an issuer who they are, have no account here yet, and choose an id for it."""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from bus.connection import Bus
from identity.sealed import SealedEntries

REGISTER_WITHIN_S: Final = 900.0
"""Seconds that a person has for choosing an id."""


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. Only their browser can have it read: it holds what the issuer says of them."""

    issuer: str
    """The issuer's id."""
    key: str
    """The identity, as a hash of issuer and subject."""
    label: str
    profile: dict[str, str]
    """What would become part of the model, by components of `Personal`."""
    proposed: str
    """An id that they may like; empty: none is known."""
    authenticated: float
    """When they have proven who they are, as far as that is known."""
    then: str
    link: str = ""
    """The token of the one-time link with which they came, if it was one."""
    made: float

    def __repr__(self) -> str:
        return f"Newcomer({self.issuer!r})"


class Newcomers:
    """Keeps one of them for each browser."""

    def __init__(self, bus: Bus, now: Callable[[], float] = time.time) -> None:
        self._entries = SealedEntries(bus, "registering")
        self._now = now

    async def put(self, browser: str, newcomer: Newcomer) -> None:
        """Keep who waits in the browser with this secret. Raises `Transient`."""
        await self._entries.put(browser, msgspec.json.encode(newcomer), REGISTER_WITHIN_S)

    async def find(self, browser: str | None) -> Newcomer | None:
        """Give who waits; None: nobody does (any more). Raises `Transient`."""
        content = None if browser is None else await self._entries.read(browser)
        if content is None:
            return None
        newcomer = msgspec.json.decode(content, type=Newcomer)
        return newcomer if 0 <= self._now() - newcomer.made < REGISTER_WITHIN_S else None

    async def drop(self, browser: str) -> None:
        """Let nobody wait in this browser. Raises `Transient`."""
        await self._entries.take(browser)

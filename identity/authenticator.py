"""Decides from credentials who speaks. Whatever face they came through, they are decided on here."""

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from bus.connection import Bus
from bus.key_rings import SESSION_KEYS, WatchedRing
from identity.app_passwords import AppPasswords
from identity.oauth.clients import Clients
from identity.oauth.families import Lifetimes
from identity.oauth.issuing import DEFAULT_LIFETIMES, Issuing
from identity.preferences.credentials import ClientCredentials
from identity.preferences.key_tokens import KeyTokens
from identity.preferences.keys import PreferenceKeys
from identity.principal import Principal
from identity.registrations import Asking, Registrations
from identity.sessions.csrf import CsrfTokens
from identity.sessions.store import Sessions
from identity.tokens import Tokens


class Watched(Protocol):
    """What hears of changes for as long as it runs."""

    async def run(self) -> None: ...


class Bearers:
    """Knows tokens and the registrations that they are bound to: all that connections to the bus need.

    Run `run()` for as long as it is used.
    """

    def __init__(self, bus: Bus, requests: Asking) -> None:
        self.tokens = Tokens(bus)
        self.registrations = Registrations(bus, requests)

    async def run(self) -> None:
        """Watch for what changes elsewhere, until cancelled. Without that, what is known is asked for again."""
        try:
            async with asyncio.TaskGroup() as watches:
                for watched in self._watched():
                    watches.create_task(watched.run())
        finally:
            self._end()

    def _end(self) -> None:
        """Let go of what hears of changes without being run."""

    def _watched(self) -> list[Watched]:
        return [self.registrations, self.tokens]

    async def by_token(self, token: str) -> Principal | None:
        """Tell whose token it is; None if it is worthless, or meant for another server. Raises `Transient`."""
        at_hand = self.at_hand(token)
        if at_hand is not None:
            return at_hand
        principal = await self.tokens.look_up(token)
        if principal is None or principal.audience:
            return None
        return principal if await self._is_registered(principal) else None

    def at_hand(self, token: str) -> Principal | None:
        """Tell whose token it is if that is known and nobody need be asked. None: only `by_token` can tell."""
        principal = self.tokens.at_hand(token)
        if principal is None or principal.audience:
            return None
        holds = self.registrations.is_known_to_hold(principal.user, principal.app, principal.registration)
        return principal if holds else None

    def _is_registered(self, principal: Principal) -> Awaitable[bool]:
        """Let an app in only by the registration that its credentials are for."""
        return self.registrations.holds(principal.user, principal.app, principal.registration)


class Authenticator(Bearers):
    """Knows passwords and sessions, too, and what apps sign in with. Run `run()` for as long as it is used."""

    def __init__(self, bus: Bus, requests: Asking, lifetimes: Lifetimes = DEFAULT_LIFETIMES) -> None:
        super().__init__(bus, requests)
        self.oauth = Issuing(bus, self.tokens, lifetimes)
        self.passwords = AppPasswords(bus)
        self.sessions = Sessions(bus)
        self.clients = Clients(bus)
        self.preference_keys = PreferenceKeys(bus)
        self.credentials = ClientCredentials(self.preference_keys.store)
        """Of programs of the preferences service."""
        self.key_tokens = KeyTokens(self.preference_keys, self.credentials)
        self.csrf = CsrfTokens(WatchedRing(bus, SESSION_KEYS))

    def _end(self) -> None:
        self.csrf.close()
        self.oauth.close()

    def _watched(self) -> list[Watched]:
        return [*super()._watched(), self.passwords, self.sessions, self.clients, self.preference_keys]

    async def by_password(self, user: str, app: str, password: str, source: str = "") -> Principal | None:
        """Tell whose password it is; None if it is wrong. `source` is the address that it comes from.

        Raises `Transient`: `rate_limited`, `unavailable`.
        """
        registration = await self.passwords.verify(user, app, password, source)
        if registration is None:
            return None
        principal = Principal(user, app, registration, "password")
        return principal if await self._is_registered(principal) else None

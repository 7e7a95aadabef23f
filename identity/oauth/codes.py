"""Authorization codes: good for a minute, for one client, and once.

A code is kept under a name that is made from it, and sealed with a key that is made from it. So the bucket tells nobody
whose it is. Using one is one write that one of many makes; what is used is remembered for a while, with what came from
it.
"""

import secrets
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from bus.connection import Bus
from identity.sealed import FoundSealed, SealedEntries

LIFETIME_S: Final = 60.0
"""Seconds for which a code is good: its client redeems it at once."""

REMEMBERED_S: Final = 600.0
"""Seconds for which a code that was used is remembered: who brings it again in that time ends what came from it."""

MAX_CODE_CHARACTERS: Final = 128
"""Characters of a code that is looked for: ours have 49."""


class AuthorizationCode(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was agreed when the person let the app in."""

    client_id: str
    user: str
    registration: int
    """That of the app in the person's model."""
    redirect_uri: str
    """As the client has sent it; "": it has sent none."""
    challenge: str
    """The S256 challenge; "": an old client has sent none."""
    audience: str = ""
    """For whom the tokens are meant; "": llum itself."""
    expires: float
    """Seconds since 1970."""
    family: str = ""
    """It was used: the id of what came from it."""

    def __repr__(self) -> str:
        return f"AuthorizationCode({self.client_id!r})"


class FoundCode(NamedTuple):
    """A code that somebody brings, and what is known of it."""

    code: str
    agreed: AuthorizationCode
    sealed: FoundSealed

    def __repr__(self) -> str:
        return f"FoundCode({self.agreed!r})"


class Codes:
    """Issues codes, finds them, and has each used once."""

    def __init__(self, bus: Bus, now: Callable[[], float] = time.time) -> None:
        self._entries = SealedEntries(bus, "code")
        self._now = now

    async def issue(
        self, client_id: str, user: str, registration: int, redirect_uri: str, challenge: str, audience: str
    ) -> str:
        """Make a code. Raises `Transient`."""
        code = f"llumc_{secrets.token_urlsafe(32)}"
        agreed = AuthorizationCode(
            client_id=client_id,
            user=user,
            registration=registration,
            redirect_uri=redirect_uri,
            challenge=challenge,
            audience=audience,
            expires=self._now() + LIFETIME_S,
        )
        await self._entries.put(code, msgspec.json.encode(agreed), LIFETIME_S)
        return code

    async def find(self, code: str) -> FoundCode | None:
        """Give what is known of a code that is good, or was used lately; None for others. Raises `Transient`."""
        if not code.startswith("llumc_") or len(code) > MAX_CODE_CHARACTERS:
            return None
        sealed = await self._entries.find(code)
        if sealed is None:
            return None
        agreed = msgspec.json.decode(sealed.content, type=AuthorizationCode)
        is_over = not agreed.family and agreed.expires <= self._now()
        return None if is_over else FoundCode(code, agreed, sealed)

    async def use(self, found: FoundCode, family: str) -> bool:
        """Use a code for a family; tell whether nobody was faster. Raises `Transient`."""
        assert not found.agreed.family, "it was not used when it was found"
        used = msgspec.structs.replace(found.agreed, family=family)
        return await self._entries.replace(found.code, found.sealed, msgspec.json.encode(used), REMEMBERED_S)

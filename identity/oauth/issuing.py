"""Issues codes and tokens to clients: what the pages and endpoints of OAuth 2 go through."""

import functools
from typing import Final

from bus.connection import Bus
from bus.key_rings import REFRESH_KEYS, WatchedRing
from bus.kv import Bucket
from bus.subjects import FAMILY_BUCKET
from identity.accounts.events import note_of_app
from identity.oauth.codes import Codes, FoundCode
from identity.oauth.devices import Devices
from identity.oauth.families import SIGN_IN_AGAIN, Families, Issued, Lifetimes, ListedFamily
from identity.tokens import Tokens
from schemas.errors import Code, Refusal

DEFAULT_LIFETIMES: Final = Lifetimes()


class Issuing:
    """Issues, refreshes, lists and ends what apps sign in with. Whether a registration still holds is not looked at."""

    def __init__(self, bus: Bus, tokens: Tokens, lifetimes: Lifetimes = DEFAULT_LIFETIMES) -> None:
        self._ring = WatchedRing(bus, REFRESH_KEYS)
        self._codes = Codes(bus)
        self.families = Families(
            Bucket(bus, FAMILY_BUCKET), tokens, self._ring, lifetimes, note=functools.partial(note_of_app, bus)
        )
        self.devices = Devices(bus, self._ring, self.families)

    def close(self) -> None:
        """Hear of new keys no more."""
        self._ring.close()

    async def issue_code(
        self, client_id: str, user: str, registration: int, redirect_uri: str, challenge: str, audience: str = ""
    ) -> str:
        """Make a code for a client whom a person has just let in. Raises `Transient`.

        `registration`: that of the app in the person's model. `redirect_uri`: as the client has sent it, "" if not.
        `challenge`: the S256 challenge, "" if an old client has sent none. `audience`: what `audience_of` gives.
        """
        return await self._codes.issue(client_id, user, registration, redirect_uri, challenge, audience)

    async def find_code(self, code: str) -> FoundCode | None:
        """Give what was agreed for a code; None if it is not good. Raises `Transient`, `ApiError`.

        One that was used before ends what came from it: somebody else must have a copy of it.
        """
        found = await self._codes.find(code)
        if found is None or not found.agreed.family:
            return found
        agreed = found.agreed
        await self.families.end_named(agreed.family, agreed.user, agreed.client_id)
        return None

    async def redeem(self, found: FoundCode, *, legacy: bool = False) -> Issued:
        """Give tokens for a code whose client has shown that it is its own. Of many who do so at once, one gets them.

        Raises `invalid_grant`, `Transient`.
        """
        agreed = found.agreed
        issued = await self.begin_family(
            agreed.user, agreed.client_id, agreed.registration, agreed.audience, legacy=legacy
        )
        # Last: whoever finds the code used finds what came from it, too.
        if await self._codes.use(found, issued.family):
            return issued
        await self.families.end_named(issued.family, agreed.user, agreed.client_id)
        await self.find_code(found.code)
        raise Refusal(Code.INVALID_GRANT, "the code has been used", "code", SIGN_IN_AGAIN)

    async def begin_family(
        self,
        user: str,
        client_id: str,
        registration: int,
        audience: str = "",
        how: str = "code",
        *,
        legacy: bool = False,
    ) -> Issued:
        """Sign a client in that a person has let in, and give its first tokens. Raises `Transient`.

        `audience`: what `audience_of` gives. `how`: code, device, password. `legacy`: it is one of the old clients.
        """
        return await self.families.begin(user, client_id, registration, audience, how, legacy=legacy)

    async def families_of(self, user: str) -> list[ListedFamily]:
        """List the sign-ins of apps of a person, the oldest first. Raises `Transient`, `ApiError`."""
        return await self.families.of(user)

    async def end_families(self, user: str, client_id: str) -> int:
        """End all sign-ins of an app of a person, and give their number. Raises `Transient`, `ApiError`."""
        return await self.families.end_of(user, client_id)

    async def end_families_of_client(self, client_id: str) -> int:
        """End all sign-ins of a client, of everybody, and give their number. Raises `Transient`, `ApiError`."""
        return await self.families.end_of_client(client_id)

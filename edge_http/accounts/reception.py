"""What the pages of accounts work with. There is one in each edge: it counts guesses and sign-ups."""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.http.sources import PROXIES
from edge_http.sessions.places import place_of
from identity.accounts.events import note
from identity.accounts.joining import Joining, SignUp
from identity.accounts.links import Links
from identity.accounts.passkeys import Passkeys
from identity.accounts.passwords import Passwords
from identity.accounts.recovery import Recovery
from identity.accounts.store import Accounts
from identity.throttle import Throttle
from schemas.apps import OWNER_APP

if TYPE_CHECKING:
    from bus.as_app import Sending
    from bus.connection import Bus

SIGN_UPS: Final = 20
"""Attempts to sign up that one address may make at once; then one more every `SIGN_UP_EVERY_S`."""

SIGN_UP_EVERY_S: Final = 60.0

ForgetPerson = Callable[[str], Awaitable[dict[str, Any]]]
"""Erases everything of a person, and gives the receipt as `llum admin person forget --json` prints it."""


class Reception:
    """Costs nothing to make."""

    def __init__(
        self, bus: "Bus", requests: "Sending", public_url: str, sign_up: SignUp, forget: ForgetPerson | None = None
    ) -> None:
        self._bus = bus
        self.accounts = Accounts(bus, requests)
        self.links = Links(bus)
        self.joining = Joining(self.accounts, self.links, sign_up)
        self.passwords = Passwords(self.accounts)
        self.passkeys = Passkeys(bus, self.accounts, public_url)
        self.recovery = Recovery(self.accounts)
        self.sign_ups = Throttle(time.monotonic, SIGN_UPS, SIGN_UP_EVERY_S, "sign-ups from this address")
        self.public_url = public_url
        self.sign_up = sign_up
        self.forget = forget
        """None: this edge cannot."""

    async def note(
        self, request: web.Request, user: str, event: str, by: str | None = None, app: str = OWNER_APP
    ) -> None:
        """Write an event into a person's record, with where it came from if they did it themselves.

        `app`: the one that it is about; unless it is another, the person's own.
        """
        await note(self._bus, user, event, by=by, place=place_of(request) if by is None else None, app=app)


RECEPTION: Final = web.AppKey("reception", Reception)


def reception_of(request: web.Request) -> Reception:
    return request[TRACE].edge[RECEPTION]


def source_of(request: web.Request) -> str:
    """Name the address that a request comes from: guesses count against it."""
    return request[TRACE].edge[PROXIES].sender_of(request)

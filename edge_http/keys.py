"""What handlers find in the application."""

from typing import TYPE_CHECKING, Final

from aiohttp import web

from bus.as_app import LastWrites
from bus.turns import Turns

if TYPE_CHECKING:
    from bus.connection import Bus
    from bus.requests import Requests
    from identity.authenticator import Authenticator
    from identity.issuers.parties import Issuers

BUS: Final[web.AppKey["Bus"]] = web.AppKey("bus")
REQUESTS: Final[web.AppKey["Requests"]] = web.AppKey("requests")
AUTHENTICATOR: Final[web.AppKey["Authenticator"]] = web.AppKey("authenticator")
ISSUERS: Final[web.AppKey["Issuers"]] = web.AppKey("issuers")
"""Where people may sign in elsewhere."""
PUBLIC_URL: Final = web.AppKey("public_url", str)
"""How the outside reaches this edge; names the realm of the bearer challenge."""
PUBLIC_BUS: Final = web.AppKey("public_bus", str)
"""How programs of people reach the bus; empty: it is not told."""
PARTITIONS: Final = web.AppKey("partitions", int)
TIME_ZONE: Final = web.AppKey("time_zone", str)
"""Of people who have set none of their own."""
LAST_WRITES: Final = web.AppKey("last_writes", LastWrites)
TURNS: Final = web.AppKey("turns", Turns)

"""What handlers find in the application."""

from typing import TYPE_CHECKING, Final

from aiohttp import web

from bus.as_app import LastWrites

if TYPE_CHECKING:
    from bus.connection import Bus
    from bus.requests import Requests
    from identity.app_passwords import AppKeys
    from identity.tokens import Tokens

BUS: Final[web.AppKey["Bus"]] = web.AppKey("bus")
REQUESTS: Final[web.AppKey["Requests"]] = web.AppKey("requests")
TOKENS: Final[web.AppKey["Tokens"]] = web.AppKey("tokens")
APP_KEYS: Final[web.AppKey["AppKeys"]] = web.AppKey("app_keys")
PUBLIC_URL: Final = web.AppKey("public_url", str)
"""How the outside reaches this edge; names the realm of the bearer challenge."""
PARTITIONS: Final = web.AppKey("partitions", int)
LAST_WRITES: Final = web.AppKey("last_writes", LastWrites)

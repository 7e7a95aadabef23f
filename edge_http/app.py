"""The application: the faces, health and the middleware, wired to the bus."""

from typing import TYPE_CHECKING

from aiohttp import web

from bus.as_app import LastWrites
from bus.subjects import DEFAULT_PARTITIONS
from edge_http.http.body import MAX_BODY_BYTES
from edge_http.http.health import add_health
from edge_http.http.observe import observe
from edge_http.keys import APP_KEYS, BUS, LAST_WRITES, PARTITIONS, PUBLIC_URL, REQUESTS, TOKENS
from edge_http.personis.routes import add_personis
from identity.app_passwords import AppKeys

if TYPE_CHECKING:
    from bus.connection import Bus
    from bus.requests import Requests
    from identity.tokens import Tokens


def make_app(
    bus: "Bus",
    requests: "Requests",
    tokens: "Tokens",
    public_url: str,
    partitions: int = DEFAULT_PARTITIONS,
    *,
    app_keys: AppKeys | None = None,
) -> web.Application:
    """Make the application. What is given belongs to the caller, who closes it.

    Without `app_keys` they are those of the bus.
    """
    app = web.Application(middlewares=[observe], client_max_size=MAX_BODY_BYTES)
    app[BUS] = bus
    app[REQUESTS] = requests
    app[TOKENS] = tokens
    app[APP_KEYS] = app_keys or AppKeys(bus)
    app[PUBLIC_URL] = public_url
    app[PARTITIONS] = partitions
    app[LAST_WRITES] = LastWrites()
    add_health(app)
    add_personis(app)
    return app

"""The application: the faces, health and the middleware, wired to the bus."""

from typing import TYPE_CHECKING

from aiohttp import web

from edge_http.body import MAX_BODY_BYTES
from edge_http.health import DEFAULT_PARTITIONS, add_health
from edge_http.keys import BUS, LAST_WRITES, PARTITIONS, PUBLIC_URL, REQUESTS, TOKENS
from edge_http.observe import observe
from edge_http.personis.routes import add_personis
from edge_http.read_your_writes import LastWrites

if TYPE_CHECKING:
    from bus.connection import Bus
    from bus.requests import Requests
    from bus.tokens import Tokens


def make_app(
    bus: "Bus", requests: "Requests", tokens: "Tokens", public_url: str, partitions: int = DEFAULT_PARTITIONS
) -> web.Application:
    """Make the application. The bus, the requests and the tokens belong to the caller, who closes them."""
    app = web.Application(middlewares=[observe], client_max_size=MAX_BODY_BYTES)
    app[BUS] = bus
    app[REQUESTS] = requests
    app[TOKENS] = tokens
    app[PUBLIC_URL] = public_url
    app[PARTITIONS] = partitions
    app[LAST_WRITES] = LastWrites()
    add_health(app)
    add_personis(app)
    return app

"""The authorization server, added to the application."""

from aiohttp import web

from edge_http.oauth import addresses, metadata
from edge_http.oauth.guard import GUARD, Guard
from edge_http.oauth.introspection import introspect
from edge_http.oauth.registration import add_registration
from edge_http.oauth.revocation import revoke
from edge_http.oauth.token import add_token


def add_oauth(app: web.Application, registrations: int) -> None:
    """Add its endpoints. `registrations`: clients that may register themselves."""
    app.router.add_get(addresses.SERVER_METADATA, metadata.server_metadata)
    app.router.add_get(addresses.RESOURCE_METADATA, metadata.resource_metadata)
    app[GUARD] = Guard()
    add_token(app)
    app.router.add_post(addresses.REVOKE, revoke)
    app.router.add_post(addresses.INTROSPECT, introspect)
    add_registration(app, registrations)

"""The authorization server, added to the application."""

from aiohttp import web

from edge_http.oauth import addresses, metadata


def add_oauth(app: web.Application) -> None:
    """Add its endpoints."""
    app.router.add_get(addresses.SERVER_METADATA, metadata.server_metadata)
    app.router.add_get(addresses.RESOURCE_METADATA, metadata.resource_metadata)

"""The document, made of the descriptions of those endpoints that there are, and the route that serves it."""

import importlib.metadata
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.keys import PUBLIC_URL
from edge_http.openapi.answers import SCHEMAS, found
from edge_http.openapi.clients import CLIENTS
from edge_http.openapi.describing import DescribedEndpoint, operation
from edge_http.openapi.oauth import OAUTH
from edge_http.openapi.pages import PAGES
from edge_http.openapi.preferences import PREFERENCES
from edge_http.openapi.preferences import SCHEMAS as OF_PREFERENCES

_ITSELF: Final = DescribedEndpoint(
    "GET",
    "/openapi.json",
    "This document.",
    {200: found("An OpenAPI document.", {"type": "object", "required": ["openapi"]})},
)

ALL: Final = (*OAUTH, *PAGES, *CLIENTS, *PREFERENCES, _ITSELF)


async def show_document(request: web.Request) -> web.Response:
    """Answer the document: of what is there, at the address that is configured."""
    edge = request[TRACE].edge
    routes = {(route.method, route.resource.canonical) for route in edge.router.routes() if route.resource is not None}
    there = (one for one in ALL if (one.method, one.path) in routes)
    return json_response(msgspec.json.encode(document(there, edge[PUBLIC_URL])))


def document(endpoints: Iterable[DescribedEndpoint], url: str) -> dict[str, Any]:
    """Write the document."""
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        paths.setdefault(one.path, {})[one.method.lower()] = operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "llum",
            "version": importlib.metadata.version("llum"),
            "description": "OAuth 2, consent, apps, clients, preferences. Pages need a session, forms a page's token.",
        },
        "servers": [{"url": url.rstrip("/")}],
        "paths": paths,
        "components": {"schemas": {**SCHEMAS, **OF_PREFERENCES}},
    }

"""What llum says of itself: as an authorization server (RFC 8414), and as the resource that tokens are for (RFC 9728).

Only what is there is said: an endpoint is named if the application has a route for it.
"""

from typing import Any, Final

import msgspec
from aiohttp import web

from edge_http.http.errors import error_response
from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.keys import PUBLIC_BUS, PUBLIC_URL
from edge_http.oauth import addresses
from edge_http.oauth.addresses import address_of
from edge_http.oauth.token import grants_of

SLICE_TYPE: Final = "llum_model"
"""The type of a slice among `authorization_details` (RFC 9396)."""

BUS_MEMBER: Final = "llum_bus"
"""The member of the resource's metadata that says where programs reach the bus."""

SCOPES: Final = ("model", "owner")
"""Those with a fixed name. Others are made of a verb and a place: `ask:Personal`."""

AUTH_METHODS: Final = ("client_secret_basic", "client_secret_post")
"""How a confidential client shows who it is."""

_ENDPOINTS: Final = {
    "authorization_endpoint": addresses.AUTHORIZE,
    "token_endpoint": addresses.TOKEN,
    "revocation_endpoint": addresses.REVOKE,
    "introspection_endpoint": addresses.INTROSPECT,
    "device_authorization_endpoint": addresses.DEVICE_AUTHORIZATION,
    "registration_endpoint": addresses.REGISTER,
}

_METHODS: Final = {
    "token_endpoint": [*AUTH_METHODS, "none"],
    "revocation_endpoint": [*AUTH_METHODS, "none"],
    "introspection_endpoint": list(AUTH_METHODS),
}
"""How a client shows at an endpoint who it is; `none`: a public one by its id alone."""


async def server_metadata(request: web.Request) -> web.Response:
    """Answer what the authorization server is, and where."""
    return _answer(request, _of_server(request[TRACE].edge))


async def resource_metadata(request: web.Request) -> web.Response:
    """Answer which authorization server gives tokens for this llum."""
    return _answer(request, _of_resource(request[TRACE].edge))


def _of_server(edge: web.Application) -> dict[str, Any]:
    issuer, paths = edge[PUBLIC_URL], _paths(edge)
    there = {name: path for name, path in _ENDPOINTS.items() if path in paths}
    endpoints = {name: address_of(issuer, path) for name, path in there.items()}
    methods = {f"{name}_auth_methods_supported": _METHODS[name] for name in there if name in _METHODS}
    return {
        "issuer": issuer,
        **endpoints,
        **methods,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": grants_of(edge),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": list(SCOPES),
        "authorization_details_types_supported": [SLICE_TYPE],
        "protected_resources": [issuer],
    }


def _of_resource(edge: web.Application) -> dict[str, Any]:
    issuer, bus = edge[PUBLIC_URL], edge[PUBLIC_BUS]
    return {
        **({BUS_MEMBER: bus} if bus else {}),
        "resource": issuer,
        "resource_name": "llum",
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
        "scopes_supported": list(SCOPES),
        "authorization_details_types_supported": [SLICE_TYPE],
    }


def _paths(edge: web.Application) -> frozenset[str]:
    return frozenset(route.resource.canonical for route in edge.router.routes() if route.resource is not None)


def _answer(request: web.Request, metadata: dict[str, Any]) -> web.Response:
    request[TRACE].render_error = error_response
    return json_response(msgspec.json.encode(metadata))

"""Which face answers a route: the folder of this package that its handler is in."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aiohttp import web

Faces = Mapping[tuple[str, str], str]
"""The face of each route, by its method and by its path as the router has it."""


def faces_of(app: web.Application) -> Faces:
    """Look at all routes of an application."""
    return {
        (route.method, route.resource.canonical): _face_of(route.handler)
        for route in app.router.routes()
        if route.resource is not None
    }


def _face_of(handler: Callable[..., Any]) -> str:
    while isinstance(handler, partial):
        handler = handler.func
    # A handler that is an object is of the module of its class.
    _, face, *_ = handler.__module__.split(".")
    return face

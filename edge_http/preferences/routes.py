"""The paths of the service, with and without a slash at the end."""

import functools
from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web

from edge_http.http.observe import HttpHandler
from edge_http.http.short_way import TAILED, TailedRoute
from edge_http.preferences.answers import refused
from edge_http.preferences.asked import PREFIX
from edge_http.preferences.changes import changes
from edge_http.preferences.face import PREFERENCES, PreferencesFace
from edge_http.preferences.one_setting import explain, history
from edge_http.preferences.reading import get
from edge_http.preferences.writing import patch, post, put

_OF_KEY: Final = f"{PREFIX}{{key}}"

_HANDLERS: Final[Mapping[str, Mapping[str, HttpHandler]]] = {
    "/preferences": {hdrs.METH_POST: post},
    _OF_KEY: {hdrs.METH_GET: get, hdrs.METH_PUT: put, hdrs.METH_PATCH: patch},
    f"{_OF_KEY}/history": {hdrs.METH_GET: history},
    f"{_OF_KEY}/explain": {hdrs.METH_GET: explain},
    f"{_OF_KEY}/changes": {hdrs.METH_GET: changes},
}


def add_preferences(app: web.Application, face: PreferencesFace) -> None:
    """Add the paths. Add those that begin as these do before."""
    app[PREFERENCES] = face
    for path, handlers in _HANDLERS.items():
        for method, handler in handlers.items():
            add = app.router.add_get if method == hdrs.METH_GET else functools.partial(app.router.add_route, method)
            add(path, handler)
    for path in ("/preferences", PREFIX + "{rest:.*}"):
        app.router.add_route("*", path, _other)
    tailed = {(method, PREFIX): TailedRoute(handler, _OF_KEY) for method, handler in _HANDLERS[_OF_KEY].items()}
    app[TAILED] = tailed


async def _other(request: web.Request) -> web.StreamResponse:
    """Answer a path with a slash at its end as without, and say of anything else that there is nothing."""
    handlers = _HANDLERS.get(_route_of(request.rel_url.raw_path))
    if handlers is None:
        return refused(404, f"Cannot {request.method} {request.path[:200]}")
    method = hdrs.METH_GET if request.method == hdrs.METH_HEAD else request.method
    handler = handlers.get(method)
    if handler is None:
        return refused(405, f"Cannot {request.method} {request.path[:200]}", {hdrs.ALLOW: _allowed_by(handlers)})
    return await handler(request)


def _allowed_by(handlers: Mapping[str, HttpHandler]) -> str:
    """List methods for the header `Allow`: where there is GET, there is HEAD."""
    head = [hdrs.METH_HEAD] if hdrs.METH_GET in handlers else []
    return ", ".join([*handlers, *head])


def _route_of(path: str) -> str:
    """Name the route of a path that may end with a slash; a key may be any text."""
    segments = path.removesuffix("/").split("/")
    if any(segments[2:3]):
        segments[2] = "{key}"
    return "/".join(segments)

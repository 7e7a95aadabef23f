"""From a request straight to its handler, past aiohttp's router and its chain of middlewares.

Those cost as much as all that a handler does. Nearly all requests are for a path without anything to be read in it, so
a look into a dict finds their handlers. A few faces have paths whose last segment names something: they say which in
`TAILED`, and their handlers read that segment by themselves. All others, and what is unusual, go the long way, with the
same result.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from edge_http.http.observe import HttpHandler, observed

RequestHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TailedRoute(NamedTuple):
    """A handler, and the path as the router has it."""

    handler: HttpHandler
    route: str


TAILED: Final = web.AppKey("tailed", Mapping[tuple[str, str], TailedRoute])
"""By method and by the path up to its last slash: there is something behind that, and perhaps a query."""


async def _refuse_expectation(_: web.Request) -> web.StreamResponse:
    """Refuse where the answer is made like all others: on the long way this comes before that."""
    raise web.HTTPExpectationFailed


class ShortWay:
    """Takes the requests of an application whose only middleware is `observe`. `long_way` is aiohttp's own."""

    def __init__(self, app: web.Application, long_way: RequestHandler) -> None:
        self._app = app
        self._long_way = long_way
        self._handlers: dict[tuple[str, str], HttpHandler] = {
            (route.method, route.resource.canonical): route.handler
            for route in app.router.routes()
            if isinstance(route.resource, web.PlainResource)
        }
        self._tailed = app.get(TAILED) or {}

    def __call__(self, request: web.Request) -> Awaitable[web.StreamResponse]:
        path = request.raw_path
        handler = self._handlers.get((request.method, path))
        expected = request.headers.get(hdrs.EXPECT)
        if expected is not None and expected.lower() != "100-continue":
            return observed(request, _refuse_expectation, self._app, None)
        if expected is not None:
            return self._long_way(request)
        if handler is not None:
            return observed(request, handler, self._app, path)
        tailed = self._tailed_for(request.method, path)
        return self._long_way(request) if tailed is None else observed(request, *tailed)

    def _tailed_for(self, method: str, path: str) -> tuple[HttpHandler, web.Application, str] | None:
        end = path.find("?")
        before, slash, tail = (path if end < 0 else path[:end]).rpartition("/")
        found = self._tailed.get((method, before + slash)) if tail else None
        return None if found is None else (found.handler, self._app, found.route)

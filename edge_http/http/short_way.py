"""From a request straight to its handler, past aiohttp's router and its chain of middlewares.

Those cost as much as all that a handler does. Nearly all requests are for a path without anything to be read in it, so
a look into a dict finds their handlers. All others, and what is unusual, go the long way, with the same result.
"""

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from edge_http.http.observe import HttpHandler, observed

RequestHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


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

    def __call__(self, request: web.Request) -> Awaitable[web.StreamResponse]:
        path = request.raw_path
        handler = self._handlers.get((request.method, path))
        expected = request.headers.get(hdrs.EXPECT)
        if expected is not None and expected.lower() != "100-continue":
            return observed(request, _refuse_expectation, self._app, None)
        if handler is None or expected is not None:
            return self._long_way(request)
        return observed(request, handler, self._app, path)

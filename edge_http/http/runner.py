"""Runs the application as the edge does: the short way in front of it, and bounds for its connections."""

from typing import Any

from aiohttp import web

from edge_http.http.connections import EdgeConnection, Places
from edge_http.http.quick_requests import QuickWay
from edge_http.http.short_way import ShortWay


class EdgeRunner(web.AppRunner):
    """Makes the server, and what takes its connections."""

    def __init__(self, app: web.Application, places: Places | None = None, **options: Any) -> None:
        super().__init__(app, **options)
        self._places = Places.of_process() if places is None else places

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        handler = ShortWay(self.app, made.request_handler)
        options = {"request_factory": made.request_factory, "handler_cancellation": made.handler_cancellation}
        return _Server(self._places, QuickWay(self.app), handler, **options, **made._kwargs)


class _Server(web.Server):
    """aiohttp's server, with connections of ours."""

    def __init__(self, places: Places, quick_way: QuickWay, handler: Any, **options: Any) -> None:
        super().__init__(handler, **options)
        self._quick_way = quick_way
        self._places = places

    def __call__(self) -> EdgeConnection:
        return EdgeConnection(self, self._places, self._quick_way, loop=self._loop, **self._kwargs)

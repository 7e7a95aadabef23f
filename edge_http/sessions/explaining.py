"""What people read when what they wanted on a page did not work: what happened, and how to go on."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import NamedTuple

from aiohttp import web

from edge_http.http.errors import STATUS_OF, headers_of
from edge_http.http.observe import TRACE
from edge_http.http.showing import wants_page
from edge_http.sessions.current import current_session
from edge_http.sessions.forms import prepare_forms
from schemas.errors import Code, LlumError

PageHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Explained(NamedTuple):
    """What may go wrong with one thing that people do, and how they go on from there."""

    what: str
    """What they were doing, as the page says above its title."""
    titles: Mapping[Code, str]
    """All else is shown as any fault is."""
    way_on: str
    way_on_label: str

    def handler(self, handler: PageHandler) -> PageHandler:
        """Have what goes wrong be shown with its advice, to whoever reads pages. Nobody is sent elsewhere."""

        @wraps(handler)
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except LlumError as error:
                if error.code not in self.titles or not wants_page(request):
                    raise
                return await self._shown(request, error)

        return handle

    async def _shown(self, request: web.Request, error: LlumError) -> web.Response:
        from edge_http.web.pages import page

        await prepare_forms(request)
        await current_session(request)
        trace = request[TRACE]
        trace.code = error.code.value
        response = page(
            request, "explained_fault.html", STATUS_OF[error.code], what=self.what, title=self.titles[error.code],
            message=error.message, hint=error.hint or "", way_on=self.way_on, way_on_label=self.way_on_label,
            trace_id=trace.request_id,
        )  # fmt: skip
        response.headers.update(headers_of(error))
        return response

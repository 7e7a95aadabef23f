"""What people read when signing in elsewhere did not work: what happened, and how to go on."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from edge_http.http.errors import STATUS_OF, headers_of
from edge_http.http.observe import TRACE
from edge_http.http.showing import wants_page
from edge_http.sessions.forms import prepare_forms
from schemas.errors import Code, LlumError

_TITLES: Final = {
    Code.NO_SUCH_ISSUER: "Nobody signs in there",
    Code.ISSUER_UNAVAILABLE: "They do not answer",
    Code.ISSUER_REFUSED: "You were not let in there",
    Code.NOT_PROVEN: "That did not work",
}

PageHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def explained(handler: PageHandler) -> PageHandler:
    """Have what goes wrong with an issuer be shown with its advice, to whoever reads pages."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except LlumError as error:
            if error.code not in _TITLES or not wants_page(request):
                raise
            return await _page(request, error)

    return handle


async def _page(request: web.Request, error: LlumError) -> web.Response:
    from edge_http.web.pages import page

    await prepare_forms(request)
    trace = request[TRACE]
    trace.code = error.code.value
    response = page(
        request, "issuer_fault.html", STATUS_OF[error.code], title=_TITLES[error.code], message=error.message,
        hint=error.hint, trace_id=trace.request_id,
    )  # fmt: skip
    response.headers.update(headers_of(error))
    return response

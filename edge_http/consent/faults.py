"""What people read when an app cannot be let in: what happened, and how to go on."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from edge_http.http.errors import STATUS_OF, headers_of
from edge_http.http.observe import TRACE
from edge_http.http.showing import wants_page
from edge_http.sessions.current import current_session
from edge_http.sessions.forms import prepare_forms
from edge_http.web.pages import page
from schemas.errors import Code, LlumError

_TITLES: Final = {
    Code.NO_SUCH_CLIENT: "llum does not know this app",
    Code.BAD_FIELD: "llum does not go on with this",
    Code.NO_SUCH_QUESTION: "There is nothing to decide any more",
    Code.PERMISSION_DENIED: "The app may not ask for this",
    Code.EXPIRED_TOKEN: "The code has expired",
    Code.ID_REUSED: "You have decided already",
    Code.NO_SUCH_MODEL: "There is no model of you yet",
}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def explained(handler: _Handler) -> _Handler:
    """Have what goes wrong be shown with its advice, to whoever reads pages. Nobody is sent elsewhere."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except LlumError as error:
            if error.code not in _TITLES or not wants_page(request):
                raise
            return await _shown(request, error)

    return handle


async def _shown(request: web.Request, error: LlumError) -> web.Response:
    await prepare_forms(request)
    await current_session(request)
    trace = request[TRACE]
    trace.code = error.code.value
    response = page(
        request, "app_fault.html", STATUS_OF[error.code], title=_TITLES[error.code], message=error.message,
        hint=error.hint or "", trace_id=trace.request_id,
    )  # fmt: skip
    response.headers.update(headers_of(error))
    return response

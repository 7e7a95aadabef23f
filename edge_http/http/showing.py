"""Who is shown an error as a page: a browser that asks for one. Programs get JSON, as every face has it."""

from collections.abc import Callable, Mapping
from typing import Final

from aiohttp import hdrs, web

from edge_http.http.errors import STATUS_OF, headers_of
from schemas.errors import Code, LlumError

FaultPage = Callable[[web.Request, int, str, Mapping[str, str]], web.Response]
"""Shows an error: its status, what else is to be said of it, and the headers that go with it."""

FAULT_PAGE: Final[web.AppKey[FaultPage]] = web.AppKey("fault_page")


def wants_page(request: web.Request) -> bool:
    """Tell whether whoever asks reads pages, and rather than JSON. Who sends a token is a program."""
    accepts = ",".join(request.headers.getall(hdrs.ACCEPT, ()))
    if "text/html" not in accepts or hdrs.AUTHORIZATION in request.headers:
        return False
    return "application/json" not in accepts.partition("text/html")[0]


def show(request: web.Request, edge: web.Application, error: LlumError) -> web.Response | None:
    """Show an error to whoever reads pages; None: not here, or not to this caller."""
    if FAULT_PAGE not in edge or not wants_page(request):
        return None
    # What is said of a fault of llum itself is for programs and logs.
    message = "" if error.code is Code.INTERNAL else error.error.message
    return edge[FAULT_PAGE](request, STATUS_OF[error.code], message, headers_of(error))


def show_refused(request: web.Request, edge: web.Application, refused: web.HTTPException) -> web.Response | None:
    """Do the same for what aiohttp itself refuses."""
    if FAULT_PAGE not in edge or not wants_page(request):
        return None
    allow = refused.headers.get(hdrs.ALLOW)
    return edge[FAULT_PAGE](request, refused.status, "", {hdrs.ALLOW: allow} if allow else {})

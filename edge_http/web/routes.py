"""The web face, added to the application."""

from collections.abc import Mapping

from aiohttp import web

from edge_http.http.showing import FAULT_PAGE
from edge_http.web.static import add_static


def add_web(app: web.Application) -> None:
    """Add files and error pages."""
    app[FAULT_PAGE] = _fault_page
    add_static(app)


def _fault_page(request: web.Request, status: int, message: str, headers: Mapping[str, str]) -> web.Response:
    # Imported when the first is shown.
    from edge_http.web.faults import fault_page

    return fault_page(request, status, message, headers)

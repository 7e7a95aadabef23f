"""The OpenAPI document, added to the application."""

from aiohttp import web


def add_openapi(app: web.Application) -> None:
    """Add its route."""
    app.router.add_get("/openapi.json", _show)


async def _show(request: web.Request) -> web.Response:
    # Imported when somebody asks for it: an edge that starts needs none of it.
    from edge_http.openapi.document import show_document

    return await show_document(request)

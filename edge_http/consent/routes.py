"""`/authorize`, the page of consent, where its forms lead, and the original's addresses, added to the application."""

from importlib import import_module

from aiohttp import web

from edge_http.consent.faults import LETTING_IN
from edge_http.consent.throttling import ASKING, new_throttle
from edge_http.oauth import addresses
from edge_http.sessions.current import SIGN_IN_PATH, see_other
from edge_http.sessions.explaining import PageHandler
from edge_http.sessions.local_paths import HOME


def add_consent(app: web.Application) -> None:
    """Add the routes."""
    app[ASKING] = new_throttle()
    get, post = app.router.add_get, app.router.add_post
    get(addresses.AUTHORIZE, _handler("edge_http.consent.authorize", "authorize"), allow_head=False)
    get("/consent", _handler("edge_http.consent.deciding", "show_consent"), allow_head=False)
    post("/consent", _handler("edge_http.consent.deciding", "show_choices"))
    post("/allow", _handler("edge_http.consent.deciding", "allow"))
    for path in ("/dissallow", "/disallow"):
        post(path, _handler("edge_http.consent.deciding", "refuse"))
    get("/login", _to(SIGN_IN_PATH))
    get("/logged_in", _to(HOME))


def _handler(module: str, name: str) -> PageHandler:
    """Give a handler whose module is imported at its first request: an edge starts with imports, mostly."""

    async def handle(request: web.Request) -> web.StreamResponse:
        found: PageHandler = getattr(import_module(module), name)
        return await found(request)

    return LETTING_IN.handler(handle)


def _to(path: str) -> PageHandler:
    """Lead from an address of the original to what there is today."""

    async def handle(_: web.Request) -> web.StreamResponse:
        return see_other(path)

    return handle

"""The addresses of the page about preferences."""

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.my_preferences.joining import KEY_ATTEMPTS, join, show_join
from edge_http.my_preferences.reading import MY_PREFERENCES
from edge_http.my_preferences.saving import save
from edge_http.my_preferences.showing import show_safe
from edge_http.sessions.current import require_session
from identity.throttle import Attempts


def add_my_preferences(app: web.Application) -> None:
    """Add the pages."""
    app[KEY_ATTEMPTS] = Attempts("wrong keys")
    app.router.add_get(MY_PREFERENCES, _show_own)
    app.router.add_post(MY_PREFERENCES, save)
    app.router.add_get(f"{MY_PREFERENCES}/join", show_join)
    app.router.add_post(f"{MY_PREFERENCES}/join", join)
    app.router.add_get(f"{MY_PREFERENCES}/joined/{{label}}", _show_joined)


async def _show_own(request: web.Request) -> web.Response:
    return await _show(request, "")


async def _show_joined(request: web.Request) -> web.Response:
    return await _show(request, request.match_info["label"])


async def _show(request: web.Request, safe: str) -> web.Response:
    session = await require_session(request)
    request[TRACE].op = "my_preferences"
    return await show_safe(request, session, safe)

"""The page of a safe."""

from typing import TYPE_CHECKING, Final

from aiohttp import web

from edge_http.my_preferences.reading import ShownSetting, read_safe
from schemas.errors import Code, Refusal

if TYPE_CHECKING:
    from identity.sessions.session import Session

DONE: Final = {
    "changed": "That is changed, and counts from now on, also for your programs.",
    "unset": "That is not set any more.",
    "joined": "These preferences are yours now. Whoever has the key reaches them here, and nothing else of your model.",
}
"""What is said after a change, by what the address says."""

_MAX_DIGITS: Final = 6


async def show_safe(
    request: web.Request, session: "Session", safe: str, *, wrong: ShownSetting | None = None, status: int = 200
) -> web.Response:
    """Show the page of a safe; `wrong` is the setting that somebody has typed something wrong for."""
    from edge_http.web.pages import page

    try:
        view = await read_safe(request, session.user, safe, _number(request), request.query.get("add", ""), wrong)
    except Refusal as absent:
        if absent.code is Code.NO_SUCH_MODEL:
            return page(request, "no_model.html")
        if absent.code is Code.NO_SUCH_CONTEXT:
            raise web.HTTPNotFound from None
        raise
    return page(
        request,
        "my_preferences.html",
        status,
        view=view,
        done=DONE.get(request.query.get("done", ""), ""),
        may_join=not session.temporary,
    )


def _number(request: web.Request) -> int:
    """Give which page is asked for; whatever is no number means the first."""
    given = request.query.get("page", "1")
    return int(given) if given.isdecimal() and given.isascii() and len(given) <= _MAX_DIGITS else 1

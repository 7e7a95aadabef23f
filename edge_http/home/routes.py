"""`/` and `/model/…`."""

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from edge_http.http.observe import TRACE
from edge_http.sessions.arriving import Arrival, arrive
from edge_http.sessions.current import require_session
from edge_http.sessions.elsewhere import starts
from edge_http.sessions.signing_in import FIRST_HOME
from edge_http.sessions.trying import ALLOWS_TEMPORARY, TRY_PATH
from identity.states import Shown
from schemas.errors import Code, Refusal
from schemas.paths import parse_path

if TYPE_CHECKING:
    from identity.sessions.session import Session


_MAX_DIGITS: Final = 6
"""Digits of the number of a page."""


_WAYS: Final = {"passkey": "a passkey", "password": "a password", "recovery": "a recovery code"}


def add_home(app: web.Application) -> None:
    """Add the pages."""
    app.router.add_get("/", _home)
    app.router.add_get("/model", _to_root)
    app.router.add_get("/model/{path:.*}", _model)


async def _home(request: web.Request) -> web.Response:
    arrival = await arrive(request)
    session = arrival.session
    if session is None or not arrival.verdict.is_let_in:
        return _welcome(request, arrival)
    trace = request[TRACE]
    trace.user, trace.by_cookie = session.user, True
    return await _shown(request, session, ())


async def _to_root(_: web.Request) -> web.Response:
    return web.Response(status=303, headers={hdrs.LOCATION: "/", hdrs.CACHE_CONTROL: "no-store"})


async def _model(request: web.Request) -> web.Response:
    session = await require_session(request)
    path = parse_path(request.match_info["path"])
    return await (_shown(request, session, path) if path else _to_root(request))


async def _shown(request: web.Request, session: "Session", path: tuple[str, ...]) -> web.Response:
    # Imported when the first page is shown: an edge for programs needs none of it.
    from edge_http.home.reading import ContextView, read
    from edge_http.web.pages import page

    try:
        view = await read(request, session.user, path, _number(request))
    except Refusal as absent:
        if absent.code is not Code.NO_SUCH_MODEL:
            raise
        return page(request, "no_model.html")
    template = "context.html" if isinstance(view, ContextView) else "component.html"
    return page(request, template, view=view, greeting=_greeting(request, session))


def _greeting(request: web.Request, session: "Session") -> str:
    """Greet by the first name; whoever is in this browser for the first time is welcome."""
    name = str(session.details.get("firstname") or "")
    if request.query_string == FIRST_HOME.partition("?")[2]:
        return f"Welcome, {name}" if name else "Welcome to your model"
    return f"Hello, {name}" if name else "Your model"


def _number(request: web.Request) -> int:
    """Give which page of a context is asked for; whatever is no number means the first."""
    given = request.query.get("page", "1")
    return int(given) if given.isdecimal() and given.isascii() and len(given) <= _MAX_DIGITS else 1


def _welcome(request: web.Request, arrival: Arrival) -> web.Response:
    from edge_http.web.pages import page

    edge, how = request[TRACE].edge, arrival.last_how
    offered = starts(request)
    last = next((one for one in offered if one.how == how), None)
    return page(
        request,
        "welcome.html",
        known=arrival.verdict.shown is not Shown.WELCOME,
        last_way=last.name if last is not None else _WAYS.get(how or "", ""),
        last=last,
        issuers=[one for one in offered if one is not last],
        try_it=TRY_PATH if edge[ALLOWS_TEMPORARY] else "",
    )

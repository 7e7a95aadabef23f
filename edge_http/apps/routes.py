"""The pages about apps: `/list_apps`, each app's own, and `/check`."""

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from edge_http.apps.changing import UNTILS, VALUE_BY
from edge_http.apps.checking import CHECK, CHECK_JSON, show_check
from edge_http.apps.reading import APPS, ROWS, ShownApp, read_app, read_apps
from edge_http.apps.saving import save
from edge_http.http.observe import TRACE
from edge_http.http.responses import json_response
from edge_http.http.showing import wants_page
from edge_http.sessions.current import require_session
from edge_http.sessions.forms import prepare_forms
from edge_http.sessions.own_model import own_model, zone_of
from schemas.queries import ListResolvers
from schemas.replies import ResolversReply

if TYPE_CHECKING:
    from schemas.slices import Slice

SAVE: Final = "/list_apps_save"

DONE: Final = {
    "revoked": "It may do nothing any more. Wherever it was signed in, it is out.",
    "taken": "That is taken away.",
    "changed": "What it may do is changed, and counts from now on.",
    "ended": "That sign-in has ended.",
}
"""What is said after a change, by what the address says."""


def add_apps(app: web.Application) -> None:
    """Add the pages."""
    app.router.add_get(APPS, _show_apps)
    app.router.add_get(f"{APPS}/{{app}}", _show_app)
    app.router.add_get(f"{APPS}/{{app}}/revoke", _show_revoking)
    app.router.add_post(SAVE, save)
    app.router.add_get(CHECK, show_check)
    app.router.add_get(CHECK_JSON, show_check)


async def _show_apps(request: web.Request) -> web.Response:
    session = await require_session(request)
    request[TRACE].op = "list_apps"
    apps = await read_apps(request, session.user)
    if not wants_page(request):
        return json_response(msgspec.json.encode({"apps": [_members(one) for one in apps]}))
    # Imported when the first page is shown: an edge for programs needs none of it.
    from edge_http.web.pages import page

    return page(
        request, "apps.html", apps=apps, zone=await zone_of(request, session.user), done=_done(request), **_wording()
    )


async def _show_app(request: web.Request) -> web.Response:
    session = await require_session(request)
    request[TRACE].op = "list_app"
    app, asked = await read_app(request, session.user, request.match_info["app"])
    if not wants_page(request):
        await prepare_forms(request)
        return json_response(msgspec.json.encode(_members(app) | {"asked": asked.rows, "asked_more": asked.more}))
    from edge_http.web.pages import page

    resolvers = await own_model(request, session.user).find(ListResolvers(), ResolversReply)
    return page(
        request,
        "app.html",
        app=app,
        rows=asked.rows[:ROWS],
        more_rows=len(asked.rows[ROWS:]) + asked.more,
        zone=await zone_of(request, session.user),
        done=_done(request),
        may_widen=not session.temporary,
        untils=UNTILS,
        how_options=partial(_how_options, list(resolvers.resolvers)),
        **_wording(),
    )


async def _show_revoking(request: web.Request) -> web.Response:
    """Say what would end, before it does."""
    session = await require_session(request)
    request[TRACE].op = "list_app"
    app, _ = await read_app(request, session.user, request.match_info["app"])
    from edge_http.web.pages import page

    return page(request, "app_revoke.html", app=app)


def _how_options(known: list[str], one: "Slice") -> list[tuple[str, str]]:
    """Give by which resolvers an app may get values alone, in place of all that they are made from."""
    names = [name for name in known if name in (one.resolvers or known)]
    return [(f"{VALUE_BY}{name}", f"only the value, as “{name}” works it out") for name in names]


def _members(app: ShownApp) -> dict[str, Any]:
    """Give what a program is told of an app."""
    return {
        "app": app.id,
        "name": app.name,
        "host": app.host,
        "description": app.description,
        "role": "owner" if app.is_owner else "app",
        "legacy": app.is_legacy,
        "registered": app.is_registered,
        "slices": app.granted,
        "decisions": app.decisions,
        "rules": app.rules,
        "suspended": app.suspended,
        "sign_ins": [
            {"id": one.id, "made": one.made, "used": one.used, "expires": one.expires, "how": one.how}
            for one in app.sign_ins
        ],
        "last_asked": app.asked,
        "last_told": app.told,
    }


def _wording() -> dict[str, Any]:
    from edge_http.apps import words

    return {"words": words, "verbs": words.VERBS}


def _done(request: web.Request) -> str:
    return DONE.get(request.query.get("done", ""), "")

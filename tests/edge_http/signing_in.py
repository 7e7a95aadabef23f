"""An edge with a page that lets anybody in: what is behind a sign-in is tested elsewhere."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web

from edge_http.http.responses import json_response
from edge_http.sessions.arriving import arrive
from edge_http.sessions.current import require_fresh, require_session
from edge_http.sessions.forms import csrf_token, posted_form, prepare_forms
from edge_http.sessions.signing_in import after_authentication
from identity.sessions.session import Session
from identity.sessions.store import new_sid
from tests.edge_http.browser import Browser
from tests.edge_http.conftest import Edge


@asynccontextmanager
async def open_edge(public_url: str = "http://llum.example") -> AsyncIterator[Edge]:
    """Serve with a few pages more: `/test/in`, `/test/form`, `/test/page`, `/test/fresh`, `/test/arrive`."""
    edge = Edge(public_url)
    router = edge.app.router
    router.add_post("/test/in", _sign_in)
    router.add_get("/test/form", _form)
    router.add_post("/test/form", _posted)
    router.add_get("/test/page", _page)
    router.add_get("/test/fresh", _fresh)
    router.add_post("/test/fresh", _fresh)
    router.add_get("/test/arrive", _arrived)
    async with edge.http:
        yield edge


async def signed_in(edge: Edge, user: str = "alice", **more: Any) -> Browser:
    """Give a browser with a session that was made at another time, or by another way than it is now."""
    browser, now = Browser(edge), time.time()
    sid = new_sid()
    given = {"user": user, "made": now, "expires": now + 3600, "authenticated": now, "how": "passkey", **more}
    edge.authenticator.sessions.by_id[sid] = Session(**given)
    browser.cookies = {"llumsessionid": sid, "llumprofile": "passkey"}
    return browser


async def _sign_in(request: web.Request) -> web.Response:
    form = await posted_form(request)
    return await after_authentication(request, form.get("user"), form.get("how", "password"), form.get("then"))


async def _form(request: web.Request) -> web.Response:
    await prepare_forms(request)
    text = f'<form method="post"><input type="hidden" name="csrf_token" value="{csrf_token(request)}"></form>'
    return web.Response(text=text, content_type="text/html")


async def _posted(request: web.Request) -> web.Response:
    form = await posted_form(request)
    return json_response(msgspec.json.encode({"a": form.all("a"), "b": form.get("b", "nothing")}))


async def _page(request: web.Request) -> web.Response:
    return web.Response(text=(await require_session(request)).user)


async def _fresh(request: web.Request) -> web.Response:
    return web.Response(text=(await require_fresh(request)).user)


async def _arrived(request: web.Request) -> web.Response:
    return web.Response(text=(await arrive(request)).verdict.name)

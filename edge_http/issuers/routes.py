"""Signing in at issuers, added to the application."""

import functools
import time
from collections.abc import AsyncIterator, Mapping
from importlib import import_module

from aiohttp import web

from edge_http.issuers.bounds import AT_ONCE, GOING, ONCE_MORE_EVERY_S
from edge_http.issuers.faults import SIGNING_IN_ELSEWHERE
from edge_http.keys import BUS, ISSUERS, PUBLIC_URL
from edge_http.sessions.explaining import PageHandler
from identity.issuers.configured import Issuer
from identity.issuers.parties import CALLBACK, Issuers
from identity.throttle import Throttle


def add_issuers(app: web.Application, configured: Mapping[str, Issuer]) -> None:
    """Add what signs people in elsewhere, and the page of linked identities."""
    app[ISSUERS] = Issuers(app[BUS], configured, app[PUBLIC_URL])
    app[GOING] = Throttle(time.monotonic, AT_ONCE, ONCE_MORE_EVERY_S, "ways to issuers from this address")
    app.cleanup_ctx.append(_closing)
    get, post = functools.partial(app.router.add_get, allow_head=False), app.router.add_post
    get("/sign-in/with/{issuer}", _handler("signing_in", "go"))
    get(f"{CALLBACK}{{issuer}}", _handler("signing_in", "come_back"))
    get("/sign-up/with", _handler("registering", "show"))
    post("/sign-up/with", _handler("registering", "register"))
    get("/identities", _handler("identities", "show"))
    post("/identities/link", _handler("identities", "link"))
    post("/identities/unlink", _handler("identities", "unlink"))


def _handler(module: str, name: str) -> PageHandler:
    """Give a handler whose module is imported at its first request: an edge starts with imports, mostly."""

    async def handle(request: web.Request) -> web.StreamResponse:
        found: PageHandler = getattr(import_module(f"edge_http.issuers.{module}"), name)
        return await found(request)

    return SIGNING_IN_ELSEWHERE.handler(handle)


async def _closing(app: web.Application) -> AsyncIterator[None]:
    yield
    await app[ISSUERS].close()

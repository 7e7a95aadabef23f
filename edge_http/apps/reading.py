"""What the pages about apps show, read as the person's own app: nobody else may know."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

from aiohttp import web

from edge_http.apps import words
from edge_http.apps.narrowing import apart, as_written
from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.own_model import own_model
from identity.oauth.client import OAuthClient
from identity.oauth.families import ListedFamily
from schemas.app_names import app_name
from schemas.apps import OWNER_APP, is_llums_own
from schemas.asked import AskedReply, AskedRow
from schemas.errors import Code, Refusal
from schemas.grants import ConsentDecision, GrantedApp, GrantsReply
from schemas.queries import Asked, Grants
from schemas.slices import Slice

APPS: Final = "/list_apps"

ROWS: Final = 50
"""Of who asked, on the page of an app: the latest. `llum asked` shows more."""


class ShownApp(NamedTuple):
    """An app, ready for a template."""

    id: str
    name: str
    host: str
    """Where it is from, for people; empty: nobody has said."""
    home: str
    """Its own page; empty: none that is known."""
    description: str
    icon: str
    """The address of its picture; empty: it has none."""
    is_owner: bool
    is_legacy: bool
    """It may come in without PKCE: whoever sees the address that a browser comes back to can take its place."""
    is_let_in: bool
    """It is registered, and may do something."""
    is_registered: bool
    url: str
    summary: list[str]
    slices: list[tuple[str, words.ShownSlice, Slice]]
    """Each place by itself: as a form carries it, in words, and itself."""
    granted: list[Slice]
    decisions: list[ConsentDecision]
    rules: int
    suspended: int
    sign_ins: list[ListedFamily]
    asked: AskedRow | None
    """What it asked last, be it that it was refused."""
    told: AskedRow | None


def url_of_app(app: str) -> str:
    """Give the address of an app's page."""
    return f"{APPS}/{quote(app, safe='')}"


async def granted(request: web.Request, user: str, app: str | None = None) -> list[GrantedApp]:
    """Give the apps that are or were let in, without those of llum itself. Raises `no_such_app`, `Transient`."""
    reply = await own_model(request, user).find(Grants(app=app), GrantsReply)
    return [one for one in reply.apps if not is_own(one.app)]


async def granted_app(request: web.Request, user: str, app: str) -> GrantedApp:
    """Give one app that is or was let in. Raises `no_such_app`, `Transient`."""
    found = await granted(request, user, app) if not is_own(app) else []
    if not found:
        raise Refusal(Code.NO_SUCH_APP, f"there is no app {app_name(app)[:80]!r} here", "value", "look at the list")
    return found[0]


def is_own(app: str) -> bool:
    """Tell whether an app is llum itself: the person's own pages and command line."""
    return app == OWNER_APP or is_llums_own(app)


async def read_apps(request: web.Request, user: str) -> list[ShownApp]:
    """Give all apps of a person, those that may do something first. Raises `Transient`."""
    apps, asked, families = await asyncio.gather(
        granted(request, user), _asked(request, user), _families(request, user)
    )
    last = _last_of(asked.rows)
    shown = [_shown(one, await client_of(request, one.app), families, last) for one in apps]
    return sorted(shown, key=lambda one: (not one.is_let_in, one.name.casefold()))


async def read_app(request: web.Request, user: str, app: str) -> tuple[ShownApp, AskedReply]:
    """Give one app, and who asked of it. Raises `no_such_app`, `Transient`."""
    found = await granted_app(request, user, app)
    asked, families = await asyncio.gather(_asked(request, user, app), _families(request, user))
    shown = _shown(found, await client_of(request, app), families, _last_of(asked.rows))
    return shown, asked


async def client_of(request: web.Request, app: str) -> OAuthClient | None:
    """Give what the installation knows of an app; None: nothing. Raises `Transient`."""
    return await request[TRACE].edge[AUTHENTICATOR].clients.find(app)


def name_of(one: GrantedApp, client: OAuthClient | None) -> str:
    """Name an app as people know it."""
    return (client.name if client is not None else "") or one.name or app_name(one.app)


def host_of(one: GrantedApp, client: OAuthClient | None) -> str:
    """Say where an app is from; empty: nobody has said."""
    address = "" if client is None else client.home or next(iter(client.redirect_uris), "")
    return urlsplit(address).hostname or one.host


async def _asked(request: web.Request, user: str, app: str | None = None) -> AskedReply:
    return await own_model(request, user).find(Asked(app=app), AskedReply)


async def _families(request: web.Request, user: str) -> Mapping[str, list[ListedFamily]]:
    by_app: dict[str, list[ListedFamily]] = {}
    for one in await request[TRACE].edge[AUTHENTICATOR].oauth.families_of(user):
        by_app.setdefault(one.app, []).append(one)
    return by_app


def _last_of(rows: Sequence[AskedRow]) -> dict[tuple[str, bool], AskedRow]:
    """Find what each app told last (True), and what it did last else (False): the latest row comes first."""
    last: dict[tuple[str, bool], AskedRow] = {}
    for row in rows:
        if row.kind != "account":
            last.setdefault((row.app, row.verb == "tell"), row)
    return last


def _shown(
    one: GrantedApp,
    client: OAuthClient | None,
    families: Mapping[str, list[ListedFamily]],
    last: Mapping[tuple[str, bool], AskedRow],
) -> ShownApp:
    is_registered, is_owner = one.registration is not None, one.role == "owner"
    return ShownApp(
        id=one.app,
        name=name_of(one, client),
        host=host_of(one, client),
        home=client.home if client is not None else "",
        description=(client.description if client is not None else "") or one.description,
        icon=f"/client-icon/{quote(one.app, safe='')}" if client is not None and client.has_icon else "",
        is_owner=is_owner,
        is_legacy=client is not None and client.legacy,
        is_let_in=is_registered and (is_owner or bool(one.slices)),
        is_registered=is_registered,
        url=url_of_app(one.app),
        summary=words.summary_of(one.slices),
        slices=[(as_written(each), words.shown_slice(each), each) for each in apart(one.slices)],
        granted=one.slices,
        decisions=one.decisions,
        rules=one.rules,
        suspended=one.suspended,
        # Of a registration that is gone nothing opens any more.
        sign_ins=[each for each in families.get(one.app, []) if each.registration == one.registration],
        asked=last.get((one.app, False)),
        told=last.get((one.app, True)),
    )

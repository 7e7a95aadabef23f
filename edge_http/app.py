"""The application: the faces, health and the middleware, wired to the bus."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from bus.as_app import LastWrites
from bus.subjects import DEFAULT_PARTITIONS
from bus.turns import MAX_UNDER_WAY, TURN_WITHIN_S, Turns
from edge_http.accounts.password_grant import add_password_grant
from edge_http.accounts.reception import ForgetPerson, Reception
from edge_http.accounts.routes import add_accounts
from edge_http.apps.routes import add_apps
from edge_http.clients.routes import add_clients
from edge_http.consent.routes import add_consent
from edge_http.devices.routes import add_devices
from edge_http.home.routes import add_home
from edge_http.http.body import MAX_BODY_BYTES
from edge_http.http.health import add_health
from edge_http.http.observe import observe
from edge_http.http.sources import PROXIES, Proxies
from edge_http.issuers.routes import add_issuers
from edge_http.key_grants.settings import add_key_settings
from edge_http.keys import (
    AUTHENTICATOR,
    BUS,
    LAST_WRITES,
    PARTITIONS,
    PUBLIC_BUS,
    PUBLIC_URL,
    REQUESTS,
    TIME_ZONE,
    TURNS,
)
from edge_http.my_preferences.routes import add_my_preferences
from edge_http.oauth.routes import add_oauth
from edge_http.openapi.routes import add_openapi
from edge_http.personis.routes import add_personis
from edge_http.preferences.face import PreferencesFace
from edge_http.preferences.feeds import add_feeds
from edge_http.preferences.routes import add_preferences
from edge_http.sessions.forms import csrf_token
from edge_http.sessions.routes import add_sessions
from edge_http.sessions.trying import add_trying
from edge_http.sessions.visitor import visitor_of
from edge_http.web.pages import CSRF_TOKEN_OF, VISITOR_OF
from edge_http.web.routes import add_web
from schemas.time_zones import UTC

if TYPE_CHECKING:
    from bus.connection import Bus
    from bus.requests import Requests
    from identity.accounts.joining import SignUp
    from identity.authenticator import Authenticator
    from identity.issuers.configured import Issuer


def make_app(
    bus: "Bus",
    requests: "Requests",
    authenticator: "Authenticator",
    public_url: str,
    partitions: int = DEFAULT_PARTITIONS,
    proxies: Proxies | None = None,
    time_zone: str = UTC,
    *,
    temporary_users: bool = False,
    issuers: "Mapping[str, Issuer] | None" = None,
    sign_up: "SignUp" = "open",
    forget: ForgetPerson | None = None,
    public_bus: str = "",
    client_registrations: int = 0,
    password_grant: bool = False,
    key_grant: bool = False,
    preferences: PreferencesFace | None = None,
) -> web.Application:
    """Make the application. What is given belongs to the caller, who closes it."""
    app = web.Application(middlewares=[observe], client_max_size=MAX_BODY_BYTES)
    app[BUS] = bus
    app[REQUESTS] = requests
    app[AUTHENTICATOR] = authenticator
    app[PUBLIC_URL] = public_url
    app[PUBLIC_BUS] = public_bus
    app[PARTITIONS] = partitions
    app[PROXIES] = proxies or Proxies()
    app[TIME_ZONE] = time_zone
    app[VISITOR_OF] = visitor_of
    app[CSRF_TOKEN_OF] = csrf_token
    app[LAST_WRITES] = LastWrites()
    app[TURNS] = Turns(MAX_UNDER_WAY, TURN_WITHIN_S)
    app.cleanup_ctx.append(_authenticating)
    add_health(app)
    add_sessions(app)
    add_trying(app, allowed=temporary_users)
    add_web(app)
    add_home(app)
    add_apps(app)
    add_issuers(app, issuers or {})
    add_consent(app)
    add_accounts(app, Reception(bus, requests, public_url, sign_up, forget))
    add_oauth(app, client_registrations)
    add_password_grant(app, allowed=password_grant, for_keys=key_grant)
    add_devices(app)
    add_clients(app)
    add_feeds(app)
    add_preferences(app, preferences or PreferencesFace())
    add_key_settings(app)
    add_my_preferences(app)
    add_openapi(app)
    add_personis(app)
    return app


async def _authenticating(app: web.Application) -> AsyncIterator[None]:
    """Have the authenticator watch registrations for as long as the application runs."""
    watching = asyncio.create_task(app[AUTHENTICATOR].run(), name="registrations")
    yield
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching

"""Whose preferences a request reaches, and as which app.

1. A token of a key opens that key alone.
2. A token of llum opens the preferences of its person, as `me` or by name, and the safes that they have joined. What
   the app may do there is for the model to say.
3. Without a token a key is enough where the operator has opened these paths.
"""

import functools
import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from bus.as_app import AsApp
from edge_http.auth.as_caller import AsCaller
from edge_http.auth.bearer import has_token, token_of, unauthenticated
from edge_http.auth.own_page import cross_site, is_from_own_page
from edge_http.http.observe import TRACE, Trace
from edge_http.keys import AUTHENTICATOR, PUBLIC_URL, REQUESTS
from edge_http.oauth.addresses import resource_metadata_of
from edge_http.preferences.answers import render_error
from edge_http.preferences.face import PREFERENCES
from identity.preferences.joining import KeyJoining
from identity.preferences.keys import OWN_PLACE, KeyRecord
from schemas.apps import PREFERENCES_APP
from schemas.codec import encode
from schemas.errors import Code, Refusal
from schemas.queries import Preferences

if TYPE_CHECKING:
    from identity.principal import Principal

ME: Final = "me"
"""Stands for the person of an llum token."""

_OUR_TOKEN: Final = "llum_"  # noqa: S105 - what tokens of llum begin with

_OWN: Final = encode(Preferences())
"""The query that most requests send."""


class ReachedPlace(NamedTuple):
    """A safe, and who speaks about it."""

    key: str
    """As the request names it."""
    user: str
    app: str
    place: tuple[str, ...]
    request: web.Request
    """Which reaches it."""
    allowed: Sequence[str] | None = None
    """The only terms that may be written; None: all that the model lets the app write."""
    without_safe: bool = False
    """It is known that the key has no safe: if there is still none, that is no error."""

    @property
    def makes_safes(self) -> bool:
        """Tell whether a safe that is not there is made."""
        return self.app == PREFERENCES_APP

    @property
    def edge(self) -> web.Application:
        return self.request[TRACE].edge

    @property
    def as_app(self) -> AsApp:
        return AsCaller(self.request, self.user, self.app)

    async def ask_sets(self, at: float | None = None) -> bytes:
        """Ask for all that is there, as of a time, and give the reply as it came."""
        seq = self.as_app.last_seq
        query = _OWN
        if seq is not None or at is not None or self.place != OWN_PLACE:
            query = encode(Preferences(context=list(self.place), min_seq=seq, as_of_time=at))
        return await self.edge[REQUESTS].ask_raw(self.user, self.app, "preferences", query)


async def moved_place(reached: ReachedPlace) -> ReachedPlace | None:
    """Tell where a safe is by now that has refused to change; None: it is a snapset.

    Raises `unavailable` while it is being moved.
    """
    if not reached.makes_safes:
        return None
    edge = reached.edge
    joining = KeyJoining(edge[AUTHENTICATOR].preference_keys, edge[REQUESTS])
    record = await joining.settled(reached.key, reached.user)
    if record is None:
        return None
    record.check()
    return reached._replace(user=record.user, app=record.app, place=record.place, without_safe=False)


async def reach(request: web.Request, key: str) -> ReachedPlace:
    """Tell what a request reaches by a key. Its errors are answered from now on as these clients know them.

    Raises `not_authenticated`, `permission_denied`, `cross_site`, `bad_field`, `unavailable`.
    """
    trace = begin(request, key)
    if not has_token(request):
        check_open(request, trace)
        return _by_key(request, await trace.edge[AUTHENTICATOR].preference_keys.find(key))
    token = token_of(request)
    if token.startswith(_OUR_TOKEN):
        return await _by_principal(request, await principal_of(request, trace, token, key), key)
    return await _by_key_token(request, trace, token, key)


def begin(request: web.Request, key: str = "") -> Trace:
    """Have errors answered as these clients know them."""
    trace = request[TRACE]
    trace.render_error = functools.partial(render_error, key=key)
    return trace


def check_open(request: web.Request, trace: Trace) -> None:
    """Refuse a request without a token, unless the paths are open to its sender.

    No page of another site gets through: its visitor's browser may be on the network that the operator trusts.
    """
    edge = trace.edge
    openness = edge[PREFERENCES].openness
    if openness == "closed":
        raise unauthenticated(request, "there is no bearer token, and these paths are not open without one")
    trace.origins = frozenset()
    headers = request.headers
    of_browser = hdrs.ORIGIN in headers or headers.get(hdrs.SEC_FETCH_SITE, "none") != "none"
    if of_browser and not is_from_own_page(request, edge):
        hint = "use a program, or a token of an app whose page this is"
        raise cross_site("a page of another site sent the request", hdrs.ORIGIN, hint)
    host = headers.get(hdrs.HOST)
    # Each browser sends one.
    if openness == "here" and host is not None and not _names_this_machine(host, edge[PUBLIC_URL]):
        hint = "call it 127.0.0.1 or localhost, or set preferences_open_anywhere"
        raise cross_site("the request names no address of this machine", hdrs.HOST, hint)


@functools.lru_cache(maxsize=100)
def _names_this_machine(host: str, public_url: str) -> bool:
    """Tell whether a browser that sends this header was led here by a name that nobody else can set."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in ("localhost", urlsplit(public_url).hostname) or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def principal_of(request: web.Request, trace: Trace, token: str, key: str = "") -> "Principal":
    """Give whose llum token it is. Raises `not_authenticated`."""
    principal = await trace.edge[AUTHENTICATOR].by_token(token)
    if principal is None:
        raise _worthless(request)
    trace.user, trace.app = principal.user, principal.app
    if principal.oauth:
        metadata_url = resource_metadata_of(trace.edge[PUBLIC_URL])
        trace.render_error = functools.partial(render_error, key=key, metadata_url=metadata_url)
    return principal


def _worthless(request: web.Request) -> Refusal:
    message = "the token is unknown, has expired, was revoked, or is meant for another server"
    return unauthenticated(request, message, "invalid_token")


def _by_key(request: web.Request, record: KeyRecord, **more: Any) -> ReachedPlace:
    record.check()
    trace = request[TRACE]
    trace.user, trace.app, trace.origins = record.user, record.app, frozenset()
    without_safe = record.known and not record.has_safe
    reached = ReachedPlace(
        record.key, record.user, record.app, record.place, request, without_safe=without_safe, **more
    )
    trace.render_error = functools.partial(render_error, key=record.key, made_by_put=reached.makes_safes)
    return reached


async def _by_key_token(request: web.Request, trace: Trace, token: str, key: str) -> ReachedPlace:
    authenticator = trace.edge[AUTHENTICATOR]
    trace.origins = frozenset()
    grant = await authenticator.key_tokens.grant(token)
    if grant is None:
        raise _worthless(request)
    if grant.key != key:
        raise unauthenticated(request, "the token is for another GPII key", "invalid_token")
    return _by_key(request, await authenticator.preference_keys.find(key), allowed=grant.allowed)


async def _by_principal(request: web.Request, principal: "Principal", key: str) -> ReachedPlace:
    if key in (ME, principal.user):
        return ReachedPlace(key, principal.user, principal.app, OWN_PLACE, request)
    record = await request[TRACE].edge[AUTHENTICATOR].preference_keys.find(key)
    if record.user != principal.user:
        hint = f"with this token, say {ME!r}: the person's own preferences; or a key that they have joined to them"
        raise Refusal(Code.PERMISSION_DENIED, "the token is for other preferences", "gpiiKey", hint)
    return ReachedPlace(key, principal.user, principal.app, record.check().place, request)

"""The cookies of people's browsers: their names, how they are set, and what a request's header says.

Four there are. The first holds the id of a session. The second remembers that somebody who has signed in used this
browser, and by what: never whom, and nothing is let in by it. The third marks a browser that has no session, so that
a form which it was shown can be told from one that another site has made. The fourth says for a minute how far the
browser's person has written, so that each edge shows them their own changes.
"""

import functools
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from aiohttp import hdrs, web

from edge_http.http.observe import TRACE
from edge_http.keys import PUBLIC_URL
from identity.sessions.store import is_sid
from schemas.recent import CHEAP_RESULTS

SEEN_KEPT_S: Final = 60
"""Seconds that a browser says what its person has written: replicas lag by less than one."""

PROFILE_KEPT_S: Final = 400 * 24 * 3600
"""Seconds that a browser remembers that somebody with a profile used it: the most that browsers grant."""

MAX_COOKIE_HEADER: Final = 8 * 1024
"""Characters of a header that is looked at: what is longer is not ours."""

_TEMPORARY: Final = "temporary"
"""What the profile cookie says of a temporary user, who has signed in by nothing."""


class CookieNames(NamedTuple):
    """What the cookies are called here. Behind TLS browsers keep a promise about names that begin with `__Host-`."""

    session: str
    profile: str
    visitor: str
    seen: str
    secure: bool
    """They are sent over TLS alone."""


@functools.lru_cache(maxsize=16)
def names_at(public_url: str) -> CookieNames:
    """Name the cookies of an llum that browsers reach at this address."""
    secure = public_url.startswith("https:")
    front = "__Host-" if secure else ""
    return CookieNames(
        f"{front}llumsessionid", f"{front}llumprofile", f"{front}llumvisitor", f"{front}llumseen", secure
    )


class Cookies(NamedTuple):
    """What the cookies of a request say. None: there is none, or none that could be ours."""

    sid: str | None = None
    how: str | None = None
    """By what somebody has signed in last, from the profile cookie; empty for a temporary user."""
    visitor: str | None = None
    seen: str | None = None


_NONE: Final = Cookies()


def cookies_of(request: web.Request, edge: web.Application) -> Cookies:
    """Read the cookies of a request."""
    header = request.headers.get(hdrs.COOKIE)
    if header is None or len(header) > MAX_COOKIE_HEADER:
        return _NONE
    return _read(header, edge[PUBLIC_URL])


@functools.lru_cache(maxsize=CHEAP_RESULTS)
def _read(header: str, public_url: str) -> Cookies:
    names = names_at(public_url)
    given: dict[str, list[str]] = {names.session: [], names.profile: [], names.visitor: [], names.seen: []}
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name in given:
            given[name].append(value)
    return Cookies(
        _id_in(given[names.session]),
        _how_in(given[names.profile]),
        _id_in(given[names.visitor]),
        _one_of(given[names.seen]),
    )


def _one_of(values: list[str]) -> str | None:
    return values[0] if len(values) == 1 else None


def _id_in(values: list[str]) -> str | None:
    """Take an id that is there once: of two it is not known which one this llum has set."""
    return values[0] if len(values) == 1 and is_sid(values[0]) else None


def _how_in(values: list[str]) -> str | None:
    if len(values) != 1 or not values[0].isascii():
        return None
    how = unquote(values[0])
    return "" if how == _TEMPORARY else how


def set_session_cookie(request: web.Request, sid: str, lifetime_s: float) -> None:
    """Have the browser keep a session's id, also when it is closed meanwhile."""
    names = _names(request)
    _set(request, names.session, sid, int(lifetime_s), secure=names.secure)


def clear_session_cookie(request: web.Request) -> None:
    """Have the browser drop the session's id."""
    names = _names(request)
    _set(request, names.session, "", 0, secure=names.secure)


def set_profile_cookie(request: web.Request, how: str) -> None:
    """Have the browser remember by what somebody has signed in."""
    names = _names(request)
    _set(request, names.profile, quote(how or _TEMPORARY, safe=""), PROFILE_KEPT_S, secure=names.secure)


def clear_profile_cookie(request: web.Request) -> None:
    """Have the browser forget that somebody has signed in."""
    names = _names(request)
    _set(request, names.profile, "", 0, secure=names.secure)


def set_visitor_cookie(request: web.Request, visitor: str) -> None:
    """Mark a browser until it is closed."""
    names = _names(request)
    _set(request, names.visitor, visitor, None, secure=names.secure)


def set_seen_cookie(request: web.Request, seen: str) -> None:
    """Have the browser say for a while how far its person has written."""
    names = _names(request)
    _set(request, names.seen, seen, SEEN_KEPT_S, secure=names.secure)


def seen_in(request: web.Request) -> str | None:
    """Give what `set_seen_cookie` has set, as the request says it."""
    return cookies_of(request, request[TRACE].edge).seen


def _names(request: web.Request) -> CookieNames:
    return names_at(request[TRACE].edge[PUBLIC_URL])


def _set(request: web.Request, name: str, value: str, kept_s: int | None, *, secure: bool) -> None:
    kept = "" if kept_s is None else f"; Max-Age={kept_s}"
    tls = "; Secure" if secure else ""
    request[TRACE].set_cookie(name, f"{name}={value}; Path=/{kept}; HttpOnly; SameSite=Lax{tls}")

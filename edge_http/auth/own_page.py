"""Whether a page of llum sent a request whose sender is known by a cookie alone.

A browser sends cookies along whoever made it send the request. So whoever is known by one shows three things before
anything changes: a type of body that another site's form cannot send by accident, that the page is ours, and a token
that only our pages hold. Whoever sends a bearer token or a password has put it there: nobody else could.
"""

import functools
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from multidict import istr

from edge_http.keys import AUTHENTICATOR, PUBLIC_URL
from schemas.errors import Code, Refusal

CSRF_HEADER: Final = istr("X-CSRF-Token")
CSRF_FIELD: Final = "csrf_token"

FORM: Final = "application/x-www-form-urlencoded"
UPLOAD: Final = "multipart/form-data"
JSON: Final = "application/json"

_NO_ORIGIN: Final = "null"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


Problem = tuple[str, str, str]
"""What is wrong, in which header, and what to do."""


def check_own_page(request: web.Request, edge: web.Application, cookie: str) -> None:
    """Raise `cross_site` unless a page of llum sent the request. `CsrfTokens.load` must have come first.

    `cookie` is the value that the token in the header was made of.
    """
    problem = problem_with(request, edge, cookie)
    if problem is not None:
        raise cross_site(*problem)


def problem_with(request: web.Request, edge: web.Application, cookie: str) -> Problem | None:
    """Say what keeps a request from being one of a page of llum; None: nothing does."""
    sender = problem_with_sender(request, edge)
    return sender or problem_with_token(edge, cookie, request.headers.get(CSRF_HEADER, ""))


def problem_with_sender(
    request: web.Request, edge: web.Application, types: tuple[str, ...] = (FORM, JSON)
) -> Problem | None:
    """Say what is wrong with the type of the body, or with where it comes from."""
    if not _is_of_type(request.headers.get(hdrs.CONTENT_TYPE), types):
        return "the body is neither JSON nor a form", hdrs.CONTENT_TYPE, f"send the header Content-Type: {types[-1]}"
    if not is_from_own_page(request, edge):
        return "no page of this llum sent the request", hdrs.ORIGIN, f"open llum at {edge[PUBLIC_URL]}"
    return None


def problem_with_token(edge: web.Application, cookie: str, token: str) -> Problem | None:
    """Say what is wrong with a CSRF token."""
    if not edge[AUTHENTICATOR].csrf.is_right(cookie, token):
        return "the CSRF token is missing or wrong", CSRF_HEADER, "load the page anew; programs find it in /me"
    return None


def cross_site(message: str, field: str, hint: str) -> Refusal:
    """Make the refusal of what another site may have sent."""
    return Refusal(Code.CROSS_SITE, message, str(field), hint)


def is_from_own_page(request: web.Request, edge: web.Application) -> bool:
    """Tell by its headers whether a page of llum sent a request.

    `Origin` counts where it is there. Browsers that leave it out say `Sec-Fetch-Site`, and older ones at least
    `Referer`. Without any of the three nothing is shown. Of a form on a page with `no-referrer`, as those about signing
    in are, a browser says `Origin: null`, as it does of many pages of others: then `Sec-Fetch-Site` must say it.
    """
    headers, own = request.headers, own_origins(edge[PUBLIC_URL])
    origin, site = headers.get(hdrs.ORIGIN), headers.get(hdrs.SEC_FETCH_SITE)
    if origin == _NO_ORIGIN:
        return site == "same-origin"
    if origin is not None:
        return origin in own
    if site is not None:
        return site == "same-origin"
    referer = headers.get(hdrs.REFERER)
    return referer is not None and origin_of(referer) in own


@functools.lru_cache(maxsize=16)
def own_origins(public_url: str) -> frozenset[str]:
    """Give the origins of llum's pages. Its own machine's browser may call it by each of that machine's names."""
    own, host = origin_of(public_url), urlsplit(public_url).hostname or ""
    names = _LOOPBACK if host in _LOOPBACK else (host,)
    return frozenset(own.replace(_written(host), _written(name), 1) for name in names)


@functools.lru_cache(maxsize=1000)
def origin_of(url: str) -> str:
    """Give the origin of an address, as browsers write it; an empty text for what is no address of the web."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return ""
    end = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{_written(parts.hostname)}{end}"


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@functools.lru_cache(maxsize=1000)
def _is_of_type(header: str | None, types: tuple[str, ...]) -> bool:
    return header is not None and header.partition(";")[0].strip().lower() in types

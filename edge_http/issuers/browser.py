"""The secret by which a browser is known again when it comes back from an issuer: a cookie of its own, for minutes."""

import re
from typing import Final

from aiohttp import hdrs, web

from edge_http.auth.cookies import MAX_COOKIE_HEADER, names_at
from edge_http.http.observe import TRACE
from edge_http.keys import PUBLIC_URL
from identity.sealed import new_secret

KEPT_S: Final = 1800
"""Seconds that the browser keeps it: the time at the issuer, and that for choosing an id."""

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def browser_secret(request: web.Request) -> str | None:
    """Give the secret of the browser that asks; None: it has none, or it is not known which one is llum's."""
    header = request.headers.get(hdrs.COOKIE, "")
    if len(header) > MAX_COOKIE_HEADER:
        return None
    name, _ = _name(request)
    given = [part.strip().partition("=") for part in header.split(";")]
    values = [value for each, _, value in given if each == name]
    return values[0] if len(values) == 1 and _SECRET.fullmatch(values[0]) else None


def marked_browser(request: web.Request) -> str:
    """Give the secret of the browser that asks, a new one if it has none. It keeps it from now on."""
    secret = browser_secret(request) or new_secret()
    _set(request, secret, KEPT_S)
    return secret


def unmark_browser(request: web.Request) -> None:
    """Have the browser drop its secret."""
    _set(request, "", 0)


def _set(request: web.Request, value: str, kept_s: int) -> None:
    name, secure = _name(request)
    tls = "; Secure" if secure else ""
    cookie = f"{name}={value}; Path=/; Max-Age={kept_s}; HttpOnly; SameSite=Lax{tls}"
    request[TRACE].set_cookie(name, cookie)


def _name(request: web.Request) -> tuple[str, bool]:
    secure = names_at(request[TRACE].edge[PUBLIC_URL]).secure
    return ("__Host-llumaway" if secure else "llumaway"), secure

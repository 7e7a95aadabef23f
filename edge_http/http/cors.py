"""Cross-origin requests: a script of a web page reads our answers only if its app says that the page is its own.

A browser asks before it sends a token (a preflight): that request has no token, so nobody knows yet whose page it is.
It is told what the interface takes, whatever the page. The answer to the request itself then names the page's origin
only if it is one of those that the owner has registered for the app of the token; else the browser keeps it from the
script. What is refused before the app is known holds nothing of anybody, and every page may read it. Cookies are never
taken from another origin.
"""

from collections.abc import Set
from typing import Final

from aiohttp import hdrs, web

_ALLOWED: Final = {
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, PUT, PATCH",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: (
        "Authorization, Content-Type, If-None-Match, Last-Event-ID, Llum-Min-Seq, Llum-Settle"
    ),
    hdrs.ACCESS_CONTROL_MAX_AGE: "7200",
    hdrs.CACHE_CONTROL: "no-store",
}

_EXPOSED: Final = "ETag, Llum-Seq, Retry-After, WWW-Authenticate, X-Request-Id"
"""Headers of an answer that a script may read beside the few that it always may."""


def is_preflight(request: web.BaseRequest) -> bool:
    """Tell whether a request that names an origin only asks what a page may send."""
    return request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers


def preflight_response() -> web.Response:
    """Say what a page may send."""
    return web.Response(status=204, headers=_ALLOWED)


def let_read(response: web.StreamResponse, origin: str, own: Set[str] | None) -> None:
    """Let the script of a page read a response, if the page is one of the app's `own`; None: no app is known."""
    response.headers[hdrs.VARY] = hdrs.ORIGIN
    if own is None:
        origin = "*"
    elif origin not in own:
        return
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
    response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED

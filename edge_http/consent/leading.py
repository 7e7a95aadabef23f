"""The way back to a client: where a browser goes with a code or an error, and whether a form may lead there."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from aiohttp import hdrs, web

from edge_http.auth.own_page import origin_of
from edge_http.http.observe import TRACE
from edge_http.keys import PUBLIC_URL
from edge_http.web.pages import page

if TYPE_CHECKING:
    from identity.oauth.authorization import CodeRequest


def location_of(request: web.Request, redirect_uri: str, state: str, answer: Mapping[str, str]) -> str:
    """Give a client's address with an answer, the client's state, and who answers (RFC 9207)."""
    said = {**answer, "state": state, "iss": request[TRACE].edge[PUBLIC_URL]}
    query = urlencode({name: value for name, value in said.items() if value})
    return f"{redirect_uri}{_joint(redirect_uri)}{query}"


def host_of(uri: str) -> str:
    """Name to people where an address leads: a host, or a program on their own device."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return f"a program on this device ({parts.scheme})"
    if parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return f"a program on this device ({parts.netloc})"
    return parts.netloc


def place_of_asking(code_request: "CodeRequest") -> str:
    """Name to people who gets what they allow: where the browser goes back to, or the device that shows a code."""
    if code_request.device:
        return f"a device that shows a code ({code_request.place})"
    return host_of(code_request.redirect_uri)


def form_target(redirect_uri: str) -> str:
    """Give how a page's policy names where its form may lead; empty: it cannot name that, as an address of IPv6."""
    parts = urlsplit(redirect_uri)
    if not parts.scheme:
        return "'self'"
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:"
    return "" if ":" in (parts.hostname or "") else origin_of(redirect_uri)


def sent(location: str) -> web.Response:
    """Send a browser to a client."""
    headers = {hdrs.LOCATION: location, hdrs.CACHE_CONTROL: "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(status=303, headers=headers)


def sent_from_form(request: web.Request, location: str, name: str) -> web.Response:
    """Send a browser on from a form: by a page of its own where the form's policy cannot name where it leads."""
    return sent(location) if form_target(location) else page(request, "to_issuer.html", address=location, issuer=name)


def _joint(uri: str) -> str:
    if "?" not in uri:
        return "?"
    return "" if uri.endswith(("?", "&")) else "&"

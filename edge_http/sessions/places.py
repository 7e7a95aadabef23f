"""Where a session is from, in words that its person recognises: the browser, and part of the address."""

import ipaddress
from typing import Final

from aiohttp import hdrs, web

from edge_http.http.observe import TRACE
from edge_http.http.sources import PROXIES

MAX_AGENT_CHARACTERS: Final = 512
"""Characters of what a browser says of itself that are looked at."""

_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("llum", "a program of llum"),
    ("python", "a Python program"),
    ("Python", "a Python program"),
)
"""The first that is found counts: most browsers call themselves by older ones' names, too."""

_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


_KEPT_BITS: Final = 32
"""Bits of an IPv6 address that are kept, half of those of an IPv4 one: enough to tell home from abroad, too few to name
a household."""


def place_of(request: web.Request) -> str:
    """Say from where a request comes, such as `Firefox on Linux, 192.0.x.x`."""
    agent = request.headers.get(hdrs.USER_AGENT, "")[:MAX_AGENT_CHARACTERS]
    words = browser_in_words(agent)
    address = coarse(request[TRACE].edge[PROXIES].sender_of(request))
    return f"{words}, {address}" if address else words


def browser_in_words(agent: str) -> str:
    """Name browser and system by what the browser says of itself."""
    browser = _first_of(_BROWSERS, agent) or "an unknown browser"
    system = _first_of(_SYSTEMS, agent)
    return f"{browser} on {system}" if system else browser


def coarse(source: str) -> str:
    """Give part of an address or network, or say that it is this machine; empty where there is none."""
    if not source:
        return ""
    address = ipaddress.ip_network(source).network_address
    if address.is_loopback or address.is_unspecified:
        return "this machine"
    if isinstance(address, ipaddress.IPv4Address):
        return ".".join(str(address).split(".")[:2]) + ".x.x"
    network = ipaddress.ip_network((address, _KEPT_BITS), strict=False)
    return f"{network.network_address}".rstrip(":") + ":…"


def _first_of(words: tuple[tuple[str, str], ...], agent: str) -> str | None:
    return next((name for mark, name in words if mark in agent), None)

"""Passkeys belong to a name, and an address such as 127.0.0.1 is none. On one machine the name is `localhost`."""

from typing import Final

from aiohttp import web

from edge_http.accounts.reception import reception_of
from edge_http.sessions.current import see_other

_ADDRESSES: Final = ("127.0.0.1", "::1")


def to_public_name(request: web.Request) -> web.Response | None:
    """Send a browser that calls this machine by an address to the same page by its name; None: it is there."""
    reception = reception_of(request)
    if reception.passkeys.site.host != "localhost" or request.url.host not in _ADDRESSES:
        return None
    # The name is of this machine's own settings, never of the request.
    return see_other(reception.passkeys.site.origin + request.raw_path)

"""Where a page sends people who want to sign in elsewhere."""

from typing import Final, NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.keys import ISSUERS
from edge_http.sessions.local_paths import HOME, local_path

SIGN_IN_WITH: Final = "/sign-in/with/"
"""With an issuer's id behind it: signs in there."""


class Start(NamedTuple):
    """One issuer, as a page offers it."""

    issuer: str
    """Its id."""
    name: str
    href: str
    how: str
    """What the profile cookie and sessions call it."""


def starts(request: web.Request, then: str | None = None, link: str = "") -> list[Start]:
    """List the issuers at which people may sign in, to come back to the path `then`.

    `link` is the token of the one-time link with which somebody has come to sign up.
    """
    path = local_path(then)
    given = {"then": "" if path == HOME else path, "link": link}
    query = urlencode({name: value for name, value in given.items() if value}, safe="/")
    query = f"?{query}" if query else ""
    configured = request[TRACE].edge[ISSUERS].configured
    return [Start(id_, one.name, f"{SIGN_IN_WITH}{id_}{query}", how_of(id_)) for id_, one in configured.items()]


def how_of(issuer: str) -> str:
    """Name a way to sign in, as sessions do."""
    return f"oidc:{issuer}"

"""How often somebody may ask the endpoints in vain, and refresh."""

import time
from typing import Final

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.http.sources import PROXIES
from identity.throttle import Attempts, AttemptTaken, Throttle

REFRESHES: Final = 100
"""Refreshes of one sign-in at once. Each gives an access token that is kept for an hour."""

REFRESH_EVERY_S: Final = 20.0
"""Seconds for one of these to come back."""


class Guard:
    """Counts. There is one in each edge."""

    def __init__(self) -> None:
        self._secrets = Attempts("wrong client secrets")
        self._grants = Attempts("codes and tokens that are good for nothing")
        self._refreshes = Throttle(time.monotonic, REFRESHES, REFRESH_EVERY_S, "refreshes of this sign-in")

    def take_secret(self, request: web.Request, client_id: str) -> AttemptTaken:
        """Take an attempt to show a secret, or raise `rate_limited`."""
        return self._secrets.take(_source(request), client_id)

    def take_grant(self, request: web.Request, *, known: bool) -> AttemptTaken:
        """Take an attempt to show a code or a token, or raise `rate_limited`.

        `known`: the client has shown a secret. So it is no stranger, and many people are behind its address.
        """
        return AttemptTaken(()) if known else self._grants.take(_source(request))

    def take_refresh(self, family: str) -> None:
        """Take a refresh of a sign-in, or raise `rate_limited`."""
        self._refreshes.take(family)


GUARD: Final = web.AppKey("oauth_guard", Guard)


def guard_of(request: web.Request) -> Guard:
    return request[TRACE].edge[GUARD]


def _source(request: web.Request) -> str:
    return request[TRACE].edge[PROXIES].sender_of(request)

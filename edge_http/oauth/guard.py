"""How often somebody may ask the endpoints in vain, and refresh."""

import time
from typing import Final

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.http.sources import PROXIES
from identity.throttle import (
    SOURCE_ATTEMPT_EVERY_S,
    SOURCE_ATTEMPTS,
    Attempts,
    AttemptTaken,
    Throttle,
    taken_of_all,
)

REFRESHES: Final = 100
"""Refreshes of one sign-in at once. Each gives an access token that is kept for an hour."""

REFRESH_EVERY_S: Final = 20.0
"""Seconds for one of these to come back."""

DEVICES: Final = 20
"""Short codes that one address may ask for at once."""

DEVICE_EVERY_S: Final = 15.0
"""Seconds for one of these to come back: an address has some 50 that are good."""

CODES_OF_PERSON: Final = 10
"""Wrong short codes that one person may type at once."""

CODE_EVERY_S: Final = 60.0
"""Seconds for one of these to come back."""

CODES_OF_ALL: Final = 1000
"""Wrong short codes of all people and addresses at once. There are 25 billion."""

CODE_OF_ALL_EVERY_S: Final = 1.0


class Guard:
    """Counts. There is one in each edge."""

    def __init__(self) -> None:
        self._secrets = Attempts("wrong client secrets")
        self._grants = Attempts("codes and tokens that are good for nothing")
        self._devices = Throttle(time.monotonic, DEVICES, DEVICE_EVERY_S, "short codes for this address")
        self._code_throttles = (
            Throttle(time.monotonic, SOURCE_ATTEMPTS, SOURCE_ATTEMPT_EVERY_S, "wrong codes from this address"),
            Throttle(time.monotonic, CODES_OF_PERSON, CODE_EVERY_S, "wrong codes"),
            Throttle(time.monotonic, CODES_OF_ALL, CODE_OF_ALL_EVERY_S, "wrong codes, of everybody together"),
        )
        self._refreshes = Throttle(time.monotonic, REFRESHES, REFRESH_EVERY_S, "refreshes of this sign-in")

    def take_secret(self, request: web.Request, client_id: str) -> AttemptTaken:
        """Take an attempt to show a secret, or raise `rate_limited`."""
        return self._secrets.take(_source(request), client_id)

    def take_grant(self, request: web.Request, *, known: bool) -> AttemptTaken:
        """Take an attempt to show a code or a token, or raise `rate_limited`.

        `known`: the client has shown a secret. So it is no stranger, and many people are behind its address.
        """
        return AttemptTaken(()) if known else self._grants.take(_source(request))

    def take_device(self, request: web.Request) -> None:
        """Take a short code, or raise `rate_limited`."""
        self._devices.take(_source(request))

    def take_user_code(self, request: web.Request, user: str) -> AttemptTaken:
        """Take an attempt of a person at a short code, or raise `rate_limited`."""
        of_source, of_person, of_all = self._code_throttles
        return taken_of_all((of_source, _source(request)), (of_person, user), (of_all, ""))

    def take_refresh(self, family: str) -> None:
        """Take a refresh of a sign-in, or raise `rate_limited`."""
        self._refreshes.take(family)


GUARD: Final = web.AppKey("oauth_guard", Guard)


def guard_of(request: web.Request) -> Guard:
    return request[TRACE].edge[GUARD]


def _source(request: web.Request) -> str:
    return request[TRACE].edge[PROXIES].sender_of(request)

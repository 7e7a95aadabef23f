"""How often one address may send people to issuers: each time something is kept for minutes."""

from typing import Final

from aiohttp import web

from identity.throttle import Throttle

AT_ONCE: Final = 60
"""Times at once: a class behind one router."""

ONCE_MORE_EVERY_S: Final = 1.0
"""Seconds until one more: at most 660 of an address are under way, of half a kilobyte each."""

GOING: Final = web.AppKey("going_to_issuers", Throttle)

"""How often one address may have apps ask: each time a question is kept for an hour."""

import time
from typing import Final

from aiohttp import web

from identity.throttle import Throttle

AT_ONCE: Final = 60
"""Questions at once: a class behind one router."""

ONCE_MORE_EVERY_S: Final = 1.0
"""Seconds until one more: of an address at most 3,660 are kept, of a kilobyte or two each."""

ASKING: Final = web.AppKey("asking_for_consent", Throttle)


def new_throttle() -> Throttle:
    """Count how often addresses have questions kept."""
    return Throttle(time.monotonic, AT_ONCE, ONCE_MORE_EVERY_S, "requests of apps from this address")

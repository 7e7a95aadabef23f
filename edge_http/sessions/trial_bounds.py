"""How much a temporary user may send: nobody knows who they are, and everybody may become one."""

import time
from typing import Final

from aiohttp import web

from identity.principal import Principal
from identity.throttle import Throttle
from schemas.errors import Code, Refusal

MAX_BODY_BYTES: Final = 16 * 1024
"""Bytes of a call: what somebody types, not what they fill a disk with."""

CALLS: Final = 300
"""Calls at once, and then one each `CALL_EVERY_S`: whoever clicks never notices it."""

CALL_EVERY_S: Final = 2.0

_calls: Final = web.AppKey("calls_of_temporary_users", Throttle)


def add_bounds(app: web.Application) -> None:
    """Begin to count."""
    app[_calls] = Throttle(time.monotonic, CALLS, CALL_EVERY_S, "calls by a temporary user")


def check_bounds(edge: web.Application, principal: Principal, size: int) -> None:
    """Raise `rate_limited` or `too_large` for a temporary user who sends too much."""
    if not principal.is_temporary:
        return
    if size > MAX_BODY_BYTES:
        message = f"a temporary user may send {MAX_BODY_BYTES} bytes in one call"
        raise Refusal(Code.TOO_LARGE, message, None, "sign up: what you have done stays with you")
    edge[_calls].take(principal.user)

"""Showing a token: which one at each attempt to connect, and when a fresh one is to take its place.

A token that says when it expires is replaced before that: the connection is made anew with the next one. One that does
not is replaced when nats-server has ended the connection, or refuses it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from bus.logger import get_logger
from bus.subjects import inbox_of_token

RENEWED_BEFORE_S: Final = 60.0
"""Seconds before its expiry that a token is replaced, or a quarter of what is left of it, if that is less."""

LOOKED_AGAIN_S: Final = 0.1
"""Seconds at least until it is looked again for a token that follows."""

log = get_logger("llum.bus")


class ExpiringToken(NamedTuple):
    """A token, and until when it is good."""

    text: str
    expires: float
    """Seconds since 1970."""


Token = str | Callable[[], str | ExpiringToken]
"""A token, or a function that gives the one to show now. It must not block: it is called on the event loop."""


class Showing:
    """Gives nats-py the token for each attempt to connect, and calls `renew` when the next one should be shown.

    All tokens must be of the sign-in of the first one: that has the inbox on which all answers come.
    """

    def __init__(self, token: Token, renew: Callable[[], None]) -> None:
        self._token = token
        self._renew = renew
        self._timer: asyncio.TimerHandle | None = None
        self._warned = False
        self.inbox: str | None = None
        self.inbox = inbox_of_token(self._given().text)
        """Where who shows the token is answered; None: it is no token of llum's."""

    def __call__(self) -> str:
        """Give the token for an attempt, and see to its renewal."""
        given = self._given()
        self._renew_before(given.expires)
        return given.text

    def end(self) -> None:
        """Renew nothing any more."""
        if self._timer:
            self._timer.cancel()

    def _renew_before(self, expires: float) -> None:
        self.end()
        left_s = expires - time.time()
        if 0 < left_s < float("inf") and callable(self._token):
            wait_s = left_s - min(RENEWED_BEFORE_S, left_s / 4)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._look_for_next, expires)

    def _look_for_next(self, expires: float) -> None:
        """Renew if there is a token that is good for longer; else look again later, until the old one has expired."""
        left_s = expires - time.time()
        if self._given().expires > expires:
            self._renew()
        elif left_s > 0:
            again_s = max(LOOKED_AGAIN_S, left_s / 4)
            self._timer = asyncio.get_running_loop().call_later(again_s, self._look_for_next, expires)

    def _given(self) -> ExpiringToken:
        """Give what there is to show now; an empty text, which is refused, stands for nothing."""
        try:
            given = self._token() if callable(self._token) else self._token
        except Exception:
            # Whatever the app's function fails with, the connection goes on trying: the next call may succeed.
            log.exception("bus.no_token")
            given = ""
        shown = given if isinstance(given, ExpiringToken) else ExpiringToken(given, float("inf"))
        if self.inbox is None or not shown.text or inbox_of_token(shown.text) == self.inbox:
            return shown
        if not self._warned:
            self._warned = True
            log.warning("bus.token_of_another_sign_in", hint="its answers come to another inbox: connect anew with it")
        return ExpiringToken("", shown.expires)

"""What leaves once commands have been applied and committed. It leaves here, and nowhere else.

The outcome goes to whoever waits for it, from every worker that holds the partition: so that no sender waits for one
of them alone. Rejections and effects are in the outbox, written with what caused them: whoever relays it is woken.
"""

import time

import structlog

from actors.partition import Settled
from bus.connection import Bus
from bus.subjects import is_inbox
from schemas.codec import encode
from schemas.errors import LlumError
from schemas.replies import Refused

log = structlog.get_logger(__name__)

REPLY_WINDOW_S = 60.0
"""Commands older than that, met while catching up, are not replied to: nobody waits for them any more."""


class Announcer:
    """Says what has become of the commands of one partition."""

    def __init__(self, bus: Bus, number: int) -> None:
        self._bus = bus
        self._number = number

    async def announce(self, settled: list[Settled]) -> bool:
        """Announce commands in their order, and tell whether any of them has left something in the outbox."""
        recent_us = (time.time() - REPLY_WINDOW_S) * 1e6
        old = 0
        for item in settled:
            if item.incoming.message.time_us < recent_us:
                old += 1
            else:
                await self._say_outcome(item)
        if old:
            log.info("commands_caught_up", partition=self._number, count=old, seq=settled[-1].incoming.message.seq)
        return any(item.leaves for item in settled)

    async def _say_outcome(self, item: Settled) -> None:
        reply_to = item.incoming.message.reply_to
        _log_command(item)
        if reply_to is not None and is_inbox(reply_to):
            try:
                await self._bus.publish(reply_to, encode(item.outcome))
            except LlumError as error:
                # Whoever waits for it sends the command again, and gets the same outcome.
                log.warning("outcome_not_sent", seq=item.incoming.message.seq, error=str(error))


def _log_command(item: Settled) -> None:
    outcome, address = item.outcome, item.incoming.address
    code = outcome.error.code.value if type(outcome) is Refused else "accepted"
    log.info(
        "command",
        user=address.user,
        app=address.app,
        verb=address.verb,
        id=outcome.id,
        seq=item.incoming.message.seq,
        code=code,
        repeated=outcome.repeated,
    )

"""What is said once commands have been applied. It is said here, and nowhere else.

The outcome goes to whoever waits for it, from every worker that holds the partition: so that no sender waits for one
of them alone. To whoever wants to wait for what the rules do with it, too, it goes when that has ended. Rejections and
effects are in the outbox, written with what caused them: they leave after the commit. Events, for live feeds, come
from the primary alone, and only about people whom somebody listens for.
"""

import asyncio
import time
from collections.abc import Callable

from actors.chains import Chains
from actors.listeners import Listeners
from actors.settling import Settled
from bus import lines
from bus.connection import Bus
from bus.lines import LoggedCaughtUp, LoggedCommand
from bus.log import LogMessage
from bus.logger import get_logger
from bus.subjects import is_inbox
from model.touched import touched
from schemas.codec import encode
from schemas.errors import LlumError
from schemas.events import Event
from schemas.limits import MAX_PAYLOAD_BYTES
from schemas.replies import Outcome, Refused

log = get_logger(__name__)

REPLY_WINDOW_S = 60.0
"""Commands older than that, met while catching up, are not replied to: nobody waits for them any more.

What has come since is replied to, however old it seems: the clock of this machine may have been put forward.
"""


MayAnswer = Callable[[str, str, str], bool]
"""may_answer(inbox, user, app): tells whether an inbox belongs to this app of this person, or to llum itself."""


class Announcer:
    """Says what has become of the commands of one partition."""

    def __init__(self, bus: Bus, number: int, may_answer: MayAnswer, listeners: Listeners | None = None) -> None:
        self._bus = bus
        self._may_answer = may_answer
        self._number = number
        self.listeners = listeners
        """Those who are told of changes; None: another worker tells them."""
        self.joined_at_seq = 0
        """The last message of the partition when this worker joined it: whatever comes later is news."""
        self._late: set[asyncio.Task[None]] = set()
        """Outcomes that the bus did not take at once."""
        self.chains = Chains(self._say_late)
        """What commands have set off, for those who wait for its end."""

    async def announce(self, settled: list[Settled]) -> bool:
        """Announce commands in their order, and tell whether anything of them must leave soon."""
        recent_us = (time.time() - REPLY_WINDOW_S) * 1e6
        later = self._look_at_chains(settled, recent_us)
        old = 0
        for item in settled:
            if self._is_old(item.incoming.message, recent_us):
                old += 1
            else:
                _log_command(item)
                reply_to = item.incoming.message.reply_to
                outcome = later.get(item.incoming.message.seq, item.outcome) if later else item.outcome
                if reply_to is not None and outcome is not None and self._is_sender_s(reply_to, item):
                    await self._say_outcome(reply_to, outcome)
                if self.listeners is not None and item.incoming.address.user in self.listeners.until:
                    self._say_event(item)
        if old:
            self._log_old(old, settled[-1].incoming.message.seq)
        return any(item.leaves for item in settled)

    @property
    def keeps_up(self) -> bool:
        """Whether the bus has taken all that was to be said: else `announce`, which waits for it."""
        return not self._late

    def announce_at_once(self, item: Settled) -> None:
        """Do what `announce` does for one command, without waiting for the bus."""
        message = item.incoming.message
        recent_us = (time.time() - REPLY_WINDOW_S) * 1e6
        later = self._look_at_chains([item], recent_us)
        if self._is_old(message, recent_us):
            self._log_old(1, message.seq)
            return
        _log_command(item)
        outcome = later.get(message.seq, item.outcome)
        if message.reply_to is not None and outcome is not None and self._is_sender_s(message.reply_to, item):
            self._say_at_once(message.reply_to, outcome)
        if self.listeners is not None and item.incoming.address.user in self.listeners.until:
            self._say_event(item)

    def _is_old(self, message: LogMessage, recent_us: float) -> bool:
        """Tell whether nobody waits for the outcome any more."""
        return message.time_us < recent_us and message.seq <= self.joined_at_seq

    def _say_event(self, item: Settled) -> None:
        assert self.listeners is not None, "it was looked at"
        if item.changes and self.listeners.is_for(item.incoming.address.user):
            self.listeners.tell(event_of(item))

    def _log_old(self, count: int, seq: int) -> None:
        lines.write(LoggedCaughtUp(partition=self._number, count=count, seq=seq))

    def _look_at_chains(self, settled: list[Settled], recent_us: float) -> dict[int, Outcome | None]:
        """Begin and continue chains, before anything that is awaited may come between.

        Gives the outcomes of those who wait for chains, by sequence; None: it is said later.
        """
        chains, outcomes = self.chains, {}
        for item in settled:
            if chains.awaited:
                chains.note(item)
            message = item.incoming.message
            if not message.settles or message.reply_to is None or self._is_old(message, recent_us):
                continue
            if self._is_sender_s(message.reply_to, item):
                outcomes[message.seq] = chains.begin(item, message.reply_to)
        return outcomes

    def _is_sender_s(self, reply_to: str, item: Settled) -> bool:
        """Tell whether an outcome may go there: to nobody's inbox but the sender's, whatever a command says."""
        address = item.incoming.address
        return is_inbox(reply_to) and self._may_answer(reply_to, address.user, address.app)

    async def _say_outcome(self, reply_to: str, outcome: Outcome) -> None:
        data = encode(outcome)
        if len(data) <= MAX_PAYLOAD_BYTES and self._bus.publish_soon(reply_to.encode(), data):
            return
        try:
            await self._bus.publish(reply_to, data)
        except LlumError as error:
            # Whoever waits for it sends the command again, and gets the same outcome.
            log.warning("outcome_not_sent", seq=outcome.seq, error=str(error))

    def _say_at_once(self, reply_to: str, outcome: Outcome) -> None:
        data = encode(outcome)
        if len(data) > MAX_PAYLOAD_BYTES or not self._bus.publish_soon(reply_to.encode(), data):
            task = asyncio.create_task(self._say_outcome(reply_to, outcome))
            self._late.add(task)
            task.add_done_callback(self._late.discard)

    def _say_late(self, reply_to: str, outcome: Outcome) -> None:
        if not self._bus.publish_soon(reply_to.encode(), encode(outcome)):
            # As above.
            log.warning("outcome_not_sent", seq=outcome.seq)


def event_of(item: Settled) -> Event:
    """Tell a live feed what a command has changed."""
    command, address = item.incoming.command, item.incoming.address
    assert command is not None, "only a command changes anything"
    paths = [list(path) for path in touched(command, item.changes)]
    message = item.incoming.message
    return Event(
        user=address.user,
        app=address.app,
        verb=address.verb,
        seq=message.seq,
        time=message.time_us / 1e6,
        paths=paths,
        before=item.before,
    )


def _log_command(item: Settled) -> None:
    outcome, address = item.outcome, item.incoming.address
    lines.write(
        LoggedCommand(
            user=address.user,
            app=address.app,
            verb=address.verb,
            id=outcome.id,
            seq=item.incoming.message.seq,
            code=outcome.error.code.value if type(outcome) is Refused else "accepted",
            repeated=outcome.repeated,
        )
    )

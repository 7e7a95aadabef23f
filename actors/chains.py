"""Chains: all that one command sets off in its own model, for whoever wants to hear of its outcome only after that.

    command applied ── fires ──► its firing is awaited ── decided ──► each command that it sends to its own model is
                                                                      awaited ── applied: it may fire in its turn

                                 nothing is awaited any more ──► the outcome is said

A chain ends when nothing of it is awaited, or when its time is over. Not awaited: notices, commands to other models and
what comes back from them. All this is in memory. A crash loses it, and then who waits sends the command again.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from actors.settling import Settled
from model.changes import Fired
from schemas.recent import Recent
from schemas.replies import Accepted, Outcome

WITHIN_S: Final = 2.0
"""Seconds after which an outcome is said, whatever its command has set off."""

MAX_CHAINS: Final = 4096
"""Chains of a partition at a time, about 1 kB each. The outcome of one more command is said at once."""

MAX_WAITING: Final = 16
"""Inboxes that may wait for the same chain, as its command is sent again and again."""

MAX_ENDED: Final = 256
"""Ended chains of a partition that are remembered for commands that are sent again."""

SentCommand = tuple[str, str, str]
"""User, app and id of a command."""

FiringPiece = tuple[int, int]
"""The sequence of a command, and which of its pieces of evidence fires rules: it may tell several components."""

Awaited = SentCommand | FiringPiece
"""What a chain awaits: a command that is on its way, or a firing."""

Say = Callable[[str, Outcome], None]
"""Says an outcome to an inbox."""


class _Chain:
    __slots__ = ("awaits", "command", "inboxes", "outcome", "settled_seq", "timer")

    def __init__(self, command: SentCommand, outcome: Accepted, timer: asyncio.TimerHandle) -> None:
        self.command = command
        self.outcome = outcome
        self.timer = timer
        self.settled_seq = outcome.seq
        self.inboxes: set[str] = set()
        self.awaits: set[Awaited] = set()

    def told(self, settled: bool) -> Accepted:
        return _told(self.outcome, self.settled_seq, settled)


class Chains:
    """The chains of one partition. Made within an event loop."""

    def __init__(self, say: Say) -> None:
        self.awaited: dict[Awaited, _Chain] = {}
        """Empty most of the time: then nothing need be noted."""
        self._say = say
        self._by_command: dict[SentCommand, _Chain] = {}
        self._ended: Recent[SentCommand, Accepted] = Recent(MAX_ENDED)

    def begin(self, item: Settled, inbox: str) -> Outcome | None:
        """Give the outcome of a command that was just applied; None: it is said to the inbox when its chain has ended.

        For a command that was sent again: what is known of the first time.
        """
        outcome, command = item.outcome, _sent(item)
        if type(outcome) is not Accepted or command is None:
            return outcome
        if outcome.repeated:
            return self._repeated(command, outcome, inbox)
        firings = _firings(item)
        if not firings:
            return _told(outcome, outcome.seq, True)
        if not item.leaves or len(self._by_command) >= MAX_CHAINS:
            return _told(outcome, outcome.seq, False)
        timer = asyncio.get_running_loop().call_later(WITHIN_S, self._end, command, False)
        chain = self._by_command[command] = _Chain(command, outcome, timer)
        chain.inboxes.add(inbox)
        self._await(chain, *firings)
        return None

    def note(self, item: Settled) -> None:
        """Note that a command has been applied or refused. To be called for each while anything is awaited."""
        command = _sent(item)
        chain = None if command is None else self.awaited.get(command)
        if chain is None or command is None:
            return
        if type(item.outcome) is Accepted:
            chain.settled_seq = max(chain.settled_seq, item.outcome.seq)
        if item.leaves:
            self._await(chain, *_firings(item))
        self._has_come(chain, command)

    def decided(self, firing: FiringPiece, commands: Iterable[SentCommand]) -> None:
        """Note what comes of a firing: these commands are on their way to the same model."""
        chain = self.awaited.get(firing)
        if chain is not None:
            self._await(chain, *commands)
            self._has_come(chain, firing)

    def given_up(self, command: SentCommand) -> None:
        """Note that a command will not be sent."""
        chain = self.awaited.get(command)
        if chain is not None:
            self._has_come(chain, command)

    def close(self) -> None:
        """Wait for nothing any more, and say so."""
        for command in list(self._by_command):
            self._end(command, False)

    def _repeated(self, command: SentCommand, outcome: Accepted, inbox: str) -> Outcome | None:
        chain = self._by_command.get(command)
        if chain is not None and len(chain.inboxes) < MAX_WAITING:
            chain.inboxes.add(inbox)
            return None
        ended = self._ended.get(command)
        known = _told(outcome, outcome.seq, None) if ended is None else ended
        return msgspec.structs.replace(known, repeated=True)

    def _await(self, chain: _Chain, *wanted: Awaited) -> None:
        for what in wanted:
            if what not in self.awaited:
                self.awaited[what] = chain
                chain.awaits.add(what)

    def _has_come(self, chain: _Chain, what: Awaited) -> None:
        del self.awaited[what]
        chain.awaits.discard(what)
        if not chain.awaits:
            self._end(chain.command, True)

    def _end(self, command: SentCommand, settled: bool) -> None:
        chain = self._by_command.pop(command)
        chain.timer.cancel()
        for what in chain.awaits:
            del self.awaited[what]
        outcome = self._ended[command] = chain.told(settled)
        for inbox in chain.inboxes:
            self._say(inbox, outcome)


def _sent(item: Settled) -> SentCommand | None:
    address, command_id = item.incoming.address, item.incoming.id
    return None if command_id is None else (address.user, address.app, command_id)


def _firings(item: Settled) -> list[FiringPiece]:
    """Name what fires rules that are to be evaluated. If nothing of it leaves, they have been: it is applied anew."""
    seq = item.incoming.message.seq
    return [(seq, change.n) for change in item.changes if type(change) is Fired]


def _told(outcome: Accepted, settled_seq: int, settled: bool | None) -> Accepted:
    return msgspec.structs.replace(outcome, settled_seq=settled_seq, settled=settled)

"""Turns: of one sender few commands are on the bus at a time. The others wait for their turn here, in their order.

A partition applies commands in the order of the log. So whatever of one sender is stored there before another's command
is waited for by that other one; what waits here is not.
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Final

from schemas.errors import Code, Transient

MAX_ON_BUS: Final = 4
"""Commands of one sender on the bus: one is written to the disk while others are read, applied and answered. With more
the disk has no more to do, and the next person's command waits behind all of them."""

MAX_UNDER_WAY: Final = 64
"""Commands of one sender that an edge takes at a time, those that wait included."""

TURN_WITHIN_S: Final = 10.0
"""Seconds that an edge lets a command wait for its turn: as long as for an outcome."""

TOO_FAST_AGAIN_S: Final = 1.0
"""Seconds after which a sender whom an edge has refused is to try again."""

Sender = Hashable
"""Whoever is to take turns with itself alone: a person and an app, say, or an address."""

_Queue = deque[asyncio.Future[None]]


class Turns:
    """Counts what each sender has under way. Without bounds a sender waits for as long as it takes."""

    __slots__ = ("_bound", "_counts", "_queues", "_within_s")

    def __init__(self, bound: int | None = None, within_s: float | None = None) -> None:
        self._bound = bound
        self._within_s = within_s
        self._counts: dict[Sender, int] = {}
        """Who has nothing under way is not in here."""
        self._queues: dict[Sender, _Queue] = {}

    def enter(self, sender: Sender) -> bool:
        """Count one more command. True: send it, and then `leave`. False: `wait` first.

        Raises `too_fast`, and counts nothing, when the sender has too many under way.
        """
        count = self._counts.get(sender, 0)
        if count == self._bound:
            raise _too_fast(count)
        self._counts[sender] = count + 1
        return count < MAX_ON_BUS

    def enter_at_once(self, sender: Sender) -> bool:
        """Count one more command if it need not wait. False: it would have to, or is one too many."""
        count = self._counts.get(sender, 0)
        if count >= MAX_ON_BUS or count == self._bound:
            return False
        self._counts[sender] = count + 1
        return True

    async def wait(self, sender: Sender) -> None:
        """Wait for the turn of a command that has entered. If this raises, the command has left.

        Raises `unavailable` when that takes too long.
        """
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(sender, deque()).append(turn)
        try:
            async with asyncio.timeout(self._within_s):
                await turn
        except BaseException as error:
            self._give_up(sender, turn)
            if isinstance(error, TimeoutError):
                raise _too_slow(self._within_s) from None
            raise

    def leave(self, sender: Sender) -> None:
        """Count a command that was sent no longer. The next one of its sender has its turn."""
        queue = self._queues.get(sender)
        if queue is not None:
            self._give_turn(sender, queue)
        self._count_off(sender)

    def _give_turn(self, sender: Sender, queue: _Queue) -> None:
        while queue:
            turn = queue.popleft()
            # Whoever was cancelled has not heard of it yet.
            if not turn.cancelled():
                turn.set_result(None)
                break
        if not queue:
            del self._queues[sender]

    def _give_up(self, sender: Sender, turn: "asyncio.Future[None]") -> None:
        if not turn.cancelled():
            # It was its turn already: that goes to the next.
            self.leave(sender)
            return
        queue = self._queues.get(sender, ())
        if turn in queue:
            self._queues[sender].remove(turn)
            if not queue:
                del self._queues[sender]
        self._count_off(sender)

    def _count_off(self, sender: Sender) -> None:
        count = self._counts[sender] - 1
        if count:
            self._counts[sender] = count
        else:
            del self._counts[sender]


def _too_fast(count: int) -> Transient:
    message = f"{count} commands of this sender are under way already"
    return Transient(Code.TOO_FAST, message, "wait for the answers, and send fewer at a time", TOO_FAST_AGAIN_S)


def _too_slow(within_s: float | None) -> Transient:
    message = f"the command was not sent: it has waited {within_s} s for its turn behind others of its sender"
    return Transient(Code.UNAVAILABLE, message)

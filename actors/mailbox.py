"""What has been read and waits to be applied: a mailbox for each partition, and one bound for all of them.

A partition takes what is there as one batch, so batches grow by themselves when there is much to do. When there is
little, most messages do not wait at all: the partition applies them as they arrive, and no task has to wake up.
"""

import asyncio
from collections.abc import Callable

from bus.log import LogMessage

MAX_BATCH_MESSAGES = 1000
"""Messages of one transaction: larger ones save little and make asks wait."""

MAX_BATCH_BYTES = 8 * 1024 * 1024
"""Payload of one transaction, to bound memory. At least one message is always taken."""

MAX_AT_ONCE = 100
"""Messages of a burst that may be applied as they arrive, which holds the loop up for some milliseconds. In a larger
one each partition has several, and a batch is cheaper."""

MAX_WAITING = 64_000
"""Messages in all mailboxes, a full batch for each partition; the readers pause above that."""

MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Payload in all mailboxes; the readers pause above that."""


ApplyAtOnce = Callable[[LogMessage], bool]
"""Applies a message that nothing is ahead of. False, and nothing is done: it must wait. Must not block or raise."""


class Mailbox:
    """The messages of one partition that wait, the oldest first."""

    __slots__ = ("arrived", "at_once", "waiting")

    def __init__(self) -> None:
        self.waiting: list[LogMessage] = []
        self.at_once: ApplyAtOnce | None = None
        """What a message is offered before it waits; None: it waits in any case."""
        self.arrived = asyncio.Event()
        """Set while there may be something to take."""

    def take(self) -> list[LogMessage]:
        """Take the oldest messages, as many as one transaction holds."""
        size = 0
        for count, message in enumerate(self.waiting[:MAX_BATCH_MESSAGES]):
            size += len(message.data)
            if count and size > MAX_BATCH_BYTES:
                break
        else:
            count = MAX_BATCH_MESSAGES
        batch, self.waiting = self.waiting[:count], self.waiting[count:]
        if not self.waiting:
            self.arrived.clear()
        return batch


class Mailroom:
    """The mailboxes of a worker. `room_made` is called when they take more again."""

    def __init__(self, room_made: Callable[[], None]) -> None:
        self._room_made = room_made
        self._mailboxes: dict[int, Mailbox] = {}
        self._waiting = 0
        self._waiting_bytes = 0

    def open(self, partition: int) -> Mailbox:
        """Make the mailbox of a partition."""
        mailbox = self._mailboxes[partition] = Mailbox()
        return mailbox

    def close(self, partition: int) -> None:
        """Forget a mailbox and what is in it: it is in the log."""
        self.done(self._mailboxes.pop(partition).waiting)

    def drop(self, partition: int) -> None:
        """Drop what waits for a partition: it will be read again."""
        mailbox = self._mailboxes[partition]
        waiting, mailbox.waiting = mailbox.waiting, []
        self.done(waiting)

    def deliver(self, messages: list[LogMessage]) -> None:
        """Have messages applied at once, or sort them into the mailboxes. Called by the readers."""
        waiting = self._not_applied(messages) if len(messages) <= MAX_AT_ONCE else messages
        mailboxes = self._mailboxes
        for message in waiting:
            mailbox = mailboxes[message.partition]
            mailbox.waiting.append(message)
            mailbox.arrived.set()
        self._waiting += len(waiting)
        self._waiting_bytes += _size_of(waiting)

    def _not_applied(self, messages: list[LogMessage]) -> list[LogMessage]:
        """Give those that must wait, and all that come behind them in their partitions."""
        waiting: list[LogMessage] = []
        held_up: set[int] = set()
        for message in messages:
            partition = message.partition
            mailbox = self._mailboxes[partition]
            at_once = mailbox.at_once
            if at_once is None or mailbox.waiting or partition in held_up or not at_once(message):
                held_up.add(partition)
                waiting.append(message)
        return waiting

    def room(self) -> int:
        """Say how many more messages the mailboxes take."""
        return 0 if self._waiting_bytes > MAX_WAITING_BYTES else MAX_WAITING - self._waiting

    def done(self, batch: list[LogMessage]) -> None:
        """Make room: a batch that was taken has been dealt with."""
        self._waiting -= len(batch)
        self._waiting_bytes -= _size_of(batch)
        self._room_made()


def _size_of(messages: list[LogMessage]) -> int:
    return sum([len(message.data) for message in messages])

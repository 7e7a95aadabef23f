"""What is still to leave a partition: whose turn it is, and up to where all has left.

Each person has a queue of their own, so what waits for another model holds up nobody else's. Of one person everything
leaves in the order of the log.
"""

from collections import deque
from itertools import islice


class Backlog:
    """Commands that have left something in the outbox, by person. One of each person is under way at a time."""

    def __init__(self) -> None:
        self.read_seq = 0
        """All up to here has been added, or need not leave."""
        self._open: dict[int, None] = {}
        """The sequences of those that have not left, in their order."""
        self._queues: dict[str, deque[int]] = {}
        self._ready: deque[str] = deque()
        """Who has something that waits, and nothing under way."""
        self.left: list[int] = []
        """The sequences of those that have left; whoever has recorded them takes them out."""

    def __len__(self) -> int:
        return len(self._open)

    @property
    def left_seq(self) -> int:
        """All up to here has left."""
        return next(iter(self._open), self.read_seq + 1) - 1

    def add(self, user: str, seq: int) -> bool:
        """Add a command, later than all before it. Tell whether it is the first of its person's queue."""
        self._open[seq] = None
        queue = self._queues.get(user)
        if queue is not None:
            queue.append(seq)
            return False
        self._queues[user] = deque((seq,))
        self._ready.append(user)
        return True

    def take(self) -> str | None:
        """Say whose first command is to leave now; None: nobody's. It is under way until `done`."""
        return self._ready.popleft() if self._ready else None

    def first(self, user: str, count: int) -> list[int]:
        """Give the sequences of the first commands of a person who has some."""
        return list(islice(self._queues[user], count))

    def done(self, user: str) -> None:
        """Note that a person's first command has left. Their next one is behind those of all who wait now."""
        queue = self._queues[user]
        seq = queue.popleft()
        del self._open[seq]
        self.left.append(seq)
        if queue:
            self._ready.append(user)
        else:
            del self._queues[user]

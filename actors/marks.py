"""The sums of a partition as they were at some sequences, at which all who hold it compare them.

A mark is set at the first command at or behind each thousandth sequence of the stream, and where another holder has set
one. They are dropped when somebody is forgotten: the log loses commands then, and who reads it later has other sums
there.
"""

from typing import Final, NamedTuple

MARK_EVERY: Final = 1000
"""Sequences of the stream between two marks: what is applied differently is found with the next one."""

MAX_MARKS: Final = 64
"""Marks that are kept, so that a copy which lags behind, or is made anew, finds one to compare with."""


class SumsAt(NamedTuple):
    """Both sums at one sequence."""

    log: int
    state: int


class SumMarks:
    """The marks of one partition in one worker."""

    __slots__ = ("_wanted", "kept", "next_at")

    def __init__(self) -> None:
        self.kept: dict[int, SumsAt] = {}
        """By sequence, the oldest first."""
        self.next_at = 0
        """The next mark is due at this sequence, or the first one behind it that the partition has."""
        self._wanted: set[int] = set()

    def want(self, seq: int) -> None:
        """Have a mark at a sequence that is still to be applied."""
        if len(self._wanted) < MAX_MARKS:
            self._wanted.add(seq)
            self.next_at = min(self.next_at, seq)

    def put(self, seq: int, log_sum: int, state_sum: int) -> None:
        """Set a mark at the sequence that was applied last."""
        self.kept.pop(seq, None)
        self.kept[seq] = SumsAt(log_sum, state_sum)
        if len(self.kept) > MAX_MARKS:
            del self.kept[next(iter(self.kept))]
        self._wanted = {one for one in self._wanted if one > seq}
        self.next_at = min([*self._wanted, seq - seq % MARK_EVERY + MARK_EVERY])

    def drop(self) -> None:
        """Forget all of them."""
        self.kept.clear()

"""When an ask is sent again early, and how many may be.

What lies in the socket of a worker that dies is lost, and nobody is told. Asks change nothing, so one without an answer
is soon sent once more. It may come to another worker of its partition, and the first answer counts. So that a slow
worker does not get twice the load, only asks that are answered quickly pay for it: where all are slow, none is sent
early after the first few. Others call this hedged requests with a retry budget.
"""

from typing import Final

EARLY_S: Final = 0.3
"""Seconds without an answer after which an ask is sent again early: many times what a fit worker takes. Doubled each
time: the second one, too, may come to a worker that is stopped, or has died without anybody's notice."""

ANSWERS_FOR_ONE: Final = 10
"""Quick answers for which one ask may be sent early: so in the long run no more than one in ten is."""

MOST_AT_ONCE: Final = 200
"""Asks that may be sent early whatever was answered before: about what lies in the sockets of one worker."""


class HedgeBudget:
    """Counts what may still be sent early by one process. It begins full: a worker may die at once."""

    def __init__(self) -> None:
        self._answers = MOST_AT_ONCE * ANSWERS_FOR_ONE

    def earn(self, answers: int) -> None:
        """Note so many asks that were answered quickly."""
        self._answers = min(MOST_AT_ONCE * ANSWERS_FOR_ONE, self._answers + answers)

    def spend(self) -> bool:
        """Take one if there is one left, and tell whether there was."""
        if self._answers < ANSWERS_FOR_ONE:
            return False
        self._answers -= ANSWERS_FOR_ONE
        return True

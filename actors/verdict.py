"""Which copies of a partition are wrong when their sums differ: a pure function, so that all come to the same.

1. What more than half of them hold is right.
2. Without a majority, what a copy holds is right that was made anew from the log and came to it a second time.
3. Else the primary is right. Whoever else is taken for wrong is made anew, which brings a second opinion.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple


class Vote(NamedTuple):
    """What one holder says."""

    value: object
    """Equal for copies that agree."""
    primary: bool
    anew: bool
    """It was made anew from the log up to there and beyond, because it had differed."""


def wrong_among(votes: Mapping[str, Vote]) -> frozenset[str]:
    """Name the holders that are wrong; none if all agree, or nothing tells who is right."""
    right = _right(votes)
    return frozenset(holder for holder, vote in votes.items() if right and vote.value not in right)


def _right(votes: Mapping[str, Vote]) -> set[object]:
    """Give the one value that is right; nothing if that cannot be told."""
    counted = Counter(vote.value for vote in votes.values())
    value, count = counted.most_common(1)[0]
    if 2 * count > len(votes):
        return {value}
    for some in ({vote.value for vote in votes.values() if vote.anew}, _of_primaries(votes)):
        if len(some) == 1:
            return some
    return set()


def _of_primaries(votes: Mapping[str, Vote]) -> set[object]:
    return {vote.value for vote in votes.values() if vote.primary}

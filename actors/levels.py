"""The level of a partition, as a worker meets it: raised by a command of the log, or above what this llum knows.

What a partition's level is follows from its log, so all workers raise it at the same command. A worker that does not
know a level stops before that command: what comes behind it, it would not read as others do.
"""

from collections.abc import Collection
from typing import NamedTuple

from actors.incoming import Incoming
from actors.settling import Settled
from actors.store.digests import Digests
from actors.uncommitted import Uncommitted
from bus.workers import WorkerWord
from schemas.errors import Code, Transient
from schemas.levels import FIRST_LEVEL, Levels
from schemas.replies import Accepted


class BeyondLevelError(Transient):
    """A partition has a level that this llum does not know: it is for workers of a later version."""

    def __init__(self, number: int, level: int, newest: int) -> None:
        self.level = level
        self.what = f"partition {number} has level {level}, and this llum knows levels up to {newest}"
        super().__init__(Code.UNAVAILABLE, self.what, "start a later llum here; it goes on where this one has stopped")


class LevelsMet(NamedTuple):
    """What a worker knows of levels, and what it has come to."""

    newest: int
    """The highest that its llum knows."""
    met: int
    """The highest of a partition that it serves, or has stopped for."""
    stopped: frozenset[int] = frozenset()
    """The partitions that it has stopped, as it does not know their level."""


def level_of(words: Collection[WorkerWord]) -> int:
    """Give the level of the installation, as its workers have met it: that of the partition with the highest."""
    return max((word.met_level for word in words), default=FIRST_LEVEL)


def may_serve(word: WorkerWord, level: int) -> bool:
    """Tell whether partitions of this level are to be placed on a worker."""
    return not word.draining and word.newest_level >= level


class LevelsHere:
    """What a worker knows of levels, and what its partitions have come to."""

    def __init__(self, known: Levels | None = None) -> None:
        self.known = known or Levels()
        self.stopped: set[int] = set()
        """Partitions that are stopped, as their level is not known here."""
        self._met = self.known.base

    @property
    def met(self) -> LevelsMet:
        return LevelsMet(self.known.newest, self._met, frozenset(self.stopped))

    def meet(self, level: int) -> None:
        """Note that a partition has a level."""
        self._met = max(self._met, level)


class PartitionLevel:
    """The level of one partition, and what is known at it."""

    def __init__(self, number: int, here: LevelsHere, waiting: Uncommitted) -> None:
        """Raises `BeyondLevelError` if the partition has come to a level already that is not known here."""
        self._number = number
        self._here = here
        self._levels = here.known
        self._waiting = waiting
        self.look_again()
        if not self.knows(self.level):
            raise self.beyond(self.level)

    @property
    def level(self) -> int:
        return max(self._levels.base, self._waiting.level)

    def look_again(self) -> None:
        """Read messages by what the level is now."""
        self._here.meet(self.level)
        self.known = self._levels.at(self.level)

    def knows(self, level: int) -> bool:
        """Tell whether a level is known here."""
        return level <= self._levels.newest

    def beyond(self, level: int) -> BeyondLevelError:
        """Note a level that is not known here, and say so."""
        self._here.meet(level)
        return BeyondLevelError(self._number, level, self._levels.newest)

    def apply(self, one: Incoming, digests: Digests) -> Settled:
        """Apply a command that raises the level, and have it wait for its commit. It is known here."""
        assert one.level is not None, "only a command that raises the level comes here"
        assert one.id is not None, "a command has an id"
        if one.level > self.level:
            self._waiting.raise_level(one.level)
            self.look_again()
        self._waiting.note(one.message, digests.of(one.message)[0])
        return Settled(one, Accepted(id=one.id, seq=one.message.seq, result=self.level))

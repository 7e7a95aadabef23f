"""Bounds of what is remembered: what was used last is kept. In the lowest layer, because every layer caches."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, Generic, Protocol, TypeVar

CHEAP_RESULTS: Final = 1000
"""Results that one process keeps of a function that takes some microseconds: of whoever comes again and again.

Each stranger brings others, up to 8 kB for a header of cookies: with more of them memory would go on growing for days.
"""

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most `bound` entries. When one more is set, the one that was unused for longest goes.

    Setting an entry and finding it with `get` count as uses; `in` does not. No value may be None.
    """

    __slots__ = ("_bound", "_entries")

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Give an entry's value, and count that as a use; None if there is none."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def __setitem__(self, key: K, value: V) -> None:
        self.put(key, value)

    def put(self, key: K, value: V) -> tuple[K, V] | None:
        """Set an entry, and give the one that has to go for it; None if none has to."""
        entries = self._entries
        entries[key] = value
        entries.move_to_end(key)
        return entries.popitem(last=False) if len(entries) > self._bound else None

    def discard(self, key: K) -> V | None:
        """Drop an entry, and give its value; None if it is not there."""
        return self._entries.pop(key, None)

    def clear(self) -> None:
        """Drop all entries."""
        self._entries.clear()

    def __iter__(self) -> Iterator[K]:
        """Give the keys, what was unused for longest first. They may be dropped meanwhile."""
        return iter(list(self._entries))

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)


class Holder(Protocol):
    """What holds something in a `Room`."""

    def give_way(self) -> None:
        """Let go of all that is held: the room has noted that already."""


class Room:
    """So many bytes for many holders together. When they are too many, whoever was unused for longest lets all go."""

    __slots__ = ("_held", "_limit", "used")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[Holder, int] = OrderedDict()
        self.used = 0
        """Bytes that are held now."""

    def use(self, holder: Holder) -> None:
        """Note a use."""
        if holder in self._held:
            self._held.move_to_end(holder)

    def grow(self, holder: Holder, more: int) -> None:
        """Note that a holder holds so many bytes more than before, which is a use."""
        held = self._held
        held[holder] = held.get(holder, 0) + more
        held.move_to_end(holder)
        self.used += more
        while self.used > self._limit:
            oldest, size = held.popitem(last=False)
            self.used -= size
            oldest.give_way()

    def leave(self, holder: Holder) -> None:
        """Note that a holder holds nothing any more."""
        self.used -= self._held.pop(holder, 0)

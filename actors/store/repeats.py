"""A filter in memory that says whether a command may have been seen before: a blocked Bloom filter, 2 bytes a key.

"No" is certain. "Maybe" is wrong for one new command in 200, and whoever asks then looks into the shard. Until all keys
of the shard have been taken in, the answer is "maybe" for everything.

Theory: a key sets some bits of one 64-bit word, so a look-up is one index, one mask and one comparison. A word gets 4
keys, 16 bits each. When a filter is full another one is put behind it, twice as large as all before it: so there are
few, and no key must be read from the disk again. The next start makes one filter of them.

Beside the commands' keys there is a mark for each person (`actors.store.keys.person_mark`): whoever is certainly new
needs no look into the shard either.

Keys come as the hashes that are stored, which anybody can compute. So that nobody can choose ids that fill one word,
the place of a hash is found by multiplying it with a number that this process has drawn at random and tells nobody
(`a * x + b`, the upper bits, is strongly universal). Python's own `hash` would not do: of an integer it has no key.
"""

import secrets
from array import array
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from actors.store.keys import CommandKey

KEYS_PER_WORD: Final = 4
"""16 bits a key: with 5 bits set for each, one new key in 200 is taken for a known one."""

BITS_PER_KEY: Final = 5

FIRST_CAPACITY: Final = 4096
"""Keys that a new filter has room for: 8 kB, so that 64 partitions without commands take half a megabyte."""

GROWTH: Final = 2
"""How much larger the next filter is than all before it. Room that is not used yet costs 6 bytes a key at most."""

_PATTERN_BITS: Final = 12
"""A key's bits are one of 4,096 sets: 150 kB for all filters of a process, and one mistake more in 1,000 new keys."""

_PATTERN_MASK: Final = (1 << _PATTERN_BITS) - 1

_FACTOR: Final = secrets.randbits(128) | 1
_SUMMAND: Final = secrets.randbits(128)


def _patterns() -> list[int]:
    return [_pattern(secrets.token_bytes(4 * BITS_PER_KEY)) for _ in range(1 << _PATTERN_BITS)]


def _pattern(noise: bytes) -> int:
    """Set bits as the noise says until they are enough: faster at each start than drawing them from 64."""
    pattern = 0
    for byte in noise:
        pattern |= 1 << (byte & 63)
        if pattern.bit_count() == BITS_PER_KEY:
            break
    return pattern


_pattern_of: Final = _patterns()


class Repeats:
    """The keys of one partition's commands. Never says no to a key that was added or loaded."""

    def __init__(self, *, is_complete: bool) -> None:
        self._filters = [_Filter(FIRST_CAPACITY)]
        self._is_complete = is_complete
        self._was_emptied = False

    @property
    def is_complete(self) -> bool:
        """Whether all keys are in here; else any command may be a repeat."""
        return self._is_complete

    @property
    def size_bytes(self) -> int:
        return sum(8 * len(each.words) for each in self._filters)

    def maybe(self, key: CommandKey) -> bool:
        """Tell whether a command may have been seen before. No is certain."""
        return bool(self.doubtful((key,)))

    def doubtful(self, keys: Iterable[CommandKey | None]) -> list[CommandKey]:
        """Name those of which `maybe` is true; many in one go, because it is asked of every command."""
        if not self._is_complete:
            return [key for key in keys if key is not None]
        found, filters = [], [(each.words, len(each.words)) for each in self._filters]
        for key in keys:
            if key is not None:
                place = (_FACTOR * key.hashed + _SUMMAND) >> 64
                pattern, place = _pattern_of[place & _PATTERN_MASK], place >> _PATTERN_BITS
                for words, count in filters:
                    if words[place % count] & pattern == pattern:
                        found.append(key)
                        break
        return found

    def add(self, hashes: Iterable[int]) -> None:
        """Take in the hashes of commands that have been applied, committed or not."""
        self._add_all(hashes)

    async def load(self, count: int, pages: AsyncIterator[Sequence[int]]) -> None:
        """Take in the hashes of all commands that are stored, at most `count`, page by page; keys are added meanwhile.

        What was added before `empty` was called, and what is added later, stays.
        """
        self._was_emptied = False
        if count > FIRST_CAPACITY:
            self._filters.append(_Filter(count + count // 2))
        async for page in pages:
            self._add_all(page)
        self._is_complete = True

    def empty(self) -> None:
        """Drop all keys, because a person is being forgotten. Load when that is committed; until then all is a maybe.

        Call it before anything is applied after the forget. A second call, when the commit is tried again, keeps what
        was added since the first.
        """
        if not self._was_emptied:
            self._filters = [_Filter(FIRST_CAPACITY)]
            self._is_complete = False
            self._was_emptied = True

    def _add_all(self, hashes: Iterable[int]) -> None:
        filling = self._filters[-1]
        for hashed in hashes:
            if not filling.room:
                filling = _Filter(GROWTH * sum(each.capacity for each in self._filters))
                self._filters.append(filling)
            filling.room -= 1
            place = (_FACTOR * hashed + _SUMMAND) >> 64
            words = filling.words
            words[(place >> _PATTERN_BITS) % len(words)] |= _pattern_of[place & _PATTERN_MASK]


class _Filter:
    """Words with room for so many keys."""

    __slots__ = ("capacity", "room", "words")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.room = capacity
        self.words = array("Q", bytes(8 * (capacity // KEYS_PER_WORD)))

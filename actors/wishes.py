"""In which order a host wishes for partitions: a shuffle that the host's id alone decides."""

import hashlib
from array import array
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

_FIRST: Final = 128
"""Partitions that are drawn at first. Where there are many hosts, few of them look further."""

_ENOUGH: Final = 24
"""Times the number of partitions: after that many draws none is likely to be left (1 of 10^10)."""

_BYTES: Final = 4
"""Of one draw."""

_KEPT: Final = 8192
"""Hosts whose lists are remembered. Those of 1,000 hosts take some 3 MB."""


class WishList:
    """All partitions, once each. `start` is a number from 0 to 1 by which hosts take their first turns."""

    def __init__(self, host: str, partitions: int) -> None:
        self._host = host
        self._partitions = partitions
        self.start = _start(host)

    def __iter__(self) -> Iterator[int]:
        draws = min(_FIRST, self._partitions * _ENOUGH)
        given = 0
        while True:
            found = _drawn(self._host, self._partitions, draws)
            yield from found[given:]
            given = len(found)
            if given == self._partitions:
                return
            draws *= 4


@lru_cache(_KEPT)
def _start(host: str) -> float:
    return int.from_bytes(hashlib.blake2b(host.encode(), digest_size=6).digest()) / 2**48


@lru_cache(_KEPT)
def _drawn(host: str, partitions: int, draws: int) -> "array[int]":
    """Draw partitions and give those that came up, each where it came up first. After enough draws, all."""
    source = hashlib.shake_128(host.encode())
    numbers = memoryview(source.digest(draws * _BYTES)).cast("I")
    found = dict.fromkeys(number % partitions for number in numbers)
    if draws >= partitions * _ENOUGH:
        found |= dict.fromkeys(range(partitions))
    return array("H", found)

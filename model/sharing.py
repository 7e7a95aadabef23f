"""What models have in common exists once in memory: names, and the contents of contexts.

Tables remember what was used last, each within a bound, and what falls out of one is merely made again. They are no
part of any model: with and without them everything is the same. A table may hold a person's own names, so all are
emptied whenever somebody is forgotten.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

MAX_SHARED: Final = 4096
"""Names and contents of contexts, as bytes, that new models are given too if they have the same: about 2 MB."""

MAX_OPENED: Final = 1024
"""Contents of contexts that are kept ready to be looked at: about 3 kB each, some 30 kB at most."""

T = TypeVar("T", str, bytes)
Function = TypeVar("Function", bound=Callable[..., Any])
S = TypeVar("S", bound=msgspec.Struct)

_tables: Final[list[Any]] = []


def remembered(bound: int) -> Callable[[Function], Function]:
    """Have a function remember so many of its results, until somebody is forgotten. They are shared: never change one.

    The same arguments must always give the same.
    """

    def remembering(function: Function) -> Function:
        table: Any = lru_cache(maxsize=bound)(function)
        _tables.append(table)
        remembers: Function = table
        return remembers

    return remembering


@remembered(MAX_SHARED)
def _first_of_equals(value: Any) -> Any:
    return value


def shared(value: T) -> T:
    """Give the object that stands for all that are equal to this one."""
    same: T = _first_of_equals(value)
    return same


def opener(of: type[S]) -> Callable[[bytes], S]:
    """Make a function that reads these structs from their MessagePack. What it gives is shared: never change it."""
    opened: Callable[[bytes], S] = remembered(MAX_OPENED)(msgspec.msgpack.Decoder(of).decode)
    return opened


def forget_shared() -> None:
    """Empty all tables. Models keep what they have."""
    for table in _tables:
        table.cache_clear()

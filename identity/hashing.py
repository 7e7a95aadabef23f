"""Argon2id in threads of its own: what makes a stolen hash of a password nearly worthless."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

from schemas.errors import Code, Transient

if TYPE_CHECKING:
    import argon2

MAX_AT_ONCE: Final = 2
"""Passwords hashed at the same time. Each takes about 20 ms of a core and 19 MiB."""

MAX_WAITING: Final = 32
"""Passwords that may wait to be hashed, less than a second's work; further callers are told to come again."""

MAX_OF_UNKNOWN: Final = 8
"""Of these, those for names that have no password: whoever makes up names does not keep out those that have one."""

KEPT_FOR_KNOWN: Final = 8
"""Further ones for passwords that were right before: whoever guesses keeps out no device that has been here."""

_MEMORY_KIB: Final = 19 * 1024
_PASSES: Final = 2
_LANES: Final = 1
"""OWASP's parameters for argon2id with little memory: as strong as those with more memory and fewer passes."""

T = TypeVar("T")


@cache
def _hasher() -> "argon2.PasswordHasher":
    """Make it for the first password: many an llum has only tokens."""
    import argon2

    return argon2.PasswordHasher(_PASSES, _MEMORY_KIB, _LANES)


def _verify(stored: str, password: bytes) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


class Hashing:
    """Hashes few passwords at a time; whoever leaves does not let more of them run.

    When many wait, names without a password are refused sooner than others, so they can be told apart then. Otherwise
    they take as long as all.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MAX_AT_ONCE, "llum-argon2")
        self._under_way = 0
        self._unknown = 0
        """Those of them whose name has no password."""
        self._nobodys: str | None = None

    async def make(self, password: bytes) -> str:
        """Hash a password. Raises `Transient` when too many wait."""
        return await self._run(lambda: _hasher().hash(password))

    async def matches(self, stored: str, password: bytes, *, known: bool = False) -> bool:
        """Tell whether the password matches. `known`: it did before. Raises `Transient` when too many wait."""
        return await self._run(lambda: _verify(stored, password), KEPT_FOR_KNOWN if known else 0)

    async def match_nothing(self, password: bytes) -> None:
        """Compute as much as `matches`, for a name that has no password. Raises `Transient` when too many wait."""
        if self._unknown >= MAX_OF_UNKNOWN:
            raise _too_many()
        self._unknown += 1
        try:
            self._nobodys = self._nobodys or await self.make(secrets.token_bytes(32))
            nobodys = self._nobodys
            await self._run(lambda: _verify(nobodys, password))
        finally:
            self._unknown -= 1

    async def _run(self, work: Callable[[], T], kept: int = 0) -> T:
        if self._under_way >= MAX_AT_ONCE + MAX_WAITING + kept:
            raise _too_many()
        self._under_way += 1
        try:
            return await asyncio.wrap_future(self._threads.submit(work))
        finally:
            self._under_way -= 1


def _too_many() -> Transient:
    return Transient(Code.UNAVAILABLE, "too many passwords are being checked")

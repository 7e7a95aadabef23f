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
    """Hashes few passwords at a time; whoever leaves does not let more of them run."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MAX_AT_ONCE, "llum-argon2")
        self._under_way = 0
        self._nobodys: str | None = None

    async def make(self, password: bytes) -> str:
        """Hash a password. Raises `Transient` when too many wait."""
        return await self._run(lambda: _hasher().hash(password))

    async def matches(self, stored: str | None, password: bytes) -> bool:
        """Tell whether the password matches; without a stored hash compute just as much, and say no."""
        if stored is None:
            self._nobodys = self._nobodys or await self.make(secrets.token_bytes(32))
        return await self._run(lambda: _verify(stored or self._nobodys or "", password)) and stored is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._under_way >= MAX_AT_ONCE + MAX_WAITING:
            raise Transient(Code.UNAVAILABLE, "too many passwords are being checked")
        self._under_way += 1
        try:
            return await asyncio.wrap_future(self._threads.submit(work))
        finally:
            self._under_way -= 1

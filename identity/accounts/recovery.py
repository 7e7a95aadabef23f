"""Recovery codes: each lets a person in once who has lost their passkey or password. Shown once, stored hashed.

A code has 80 random bits, so a plain hash of it is as safe as one of a token.
"""

import hashlib
import hmac
import secrets
from typing import Final

import msgspec

from identity.accounts.account import Account
from identity.accounts.store import Accounts
from identity.throttle import Attempts
from schemas.errors import Code, Refusal

CODES: Final = 10
"""Codes that a person gets at a time; earlier ones end then."""

_ALPHABET: Final = "abcdefghjkmnpqrstvwxyz0123456789"
"""Crockford's, in small letters: no i, l, o and u, which are mistaken for others."""

_CHARACTERS: Final = 16
_GROUP: Final = 4
_MISREAD: Final = str.maketrans("ilo", "110")
_NOT_THERE: Final = hashlib.sha256(b"").hexdigest()


def new_codes() -> list[str]:
    """Make codes, as a person writes them down: `k7f2-9q4m-x3wd-6tnh`."""
    return [_written("".join(secrets.choice(_ALPHABET) for _ in range(_CHARACTERS))) for _ in range(CODES)]


def with_codes(account: Account, codes: list[str], now: float) -> Account:
    """Put new codes in place of all earlier ones."""
    return msgspec.structs.replace(account, recovery=tuple(map(_hash, codes)), recovery_made=now)


class Recovery:
    """Lets people in by a code. One for each process: it counts guesses."""

    def __init__(self, accounts: Accounts, attempts: Attempts | None = None) -> None:
        self._accounts = accounts
        self._attempts = attempts or Attempts("wrong recovery codes")

    async def use(self, user: str, code: str, source: str, device: str = "") -> Account | None:
        """Use a code up, and give the account; None: it is wrong, used, or there is no such account.

        Of many who use one code at once, one gets in. Raises `Transient`: `rate_limited`.
        """
        taken = self._attempts.take(source, user, device)
        account, hashed = await self._accounts.find(user), _hash(code)
        there = [hmac.compare_digest(one, hashed) for one in (account.recovery if account else (_NOT_THERE,))]
        if account is None or not any(there):
            return None
        try:
            used = await self._accounts.change(user, lambda one: _without(one, hashed))
        except Refusal:
            return None
        taken.give_back()
        return used


def _without(account: Account, hashed: str) -> Account:
    """Take a code away; whoever comes second finds it gone. Raises `not_authenticated`."""
    if hashed not in account.recovery:
        raise Refusal(Code.NOT_AUTHENTICATED, "the code has been used", "code")
    return msgspec.structs.replace(account, recovery=tuple(one for one in account.recovery if one != hashed))


def _written(code: str) -> str:
    return "-".join(code[start : start + _GROUP] for start in range(0, _CHARACTERS, _GROUP))


def _hash(code: str) -> str:
    """Hash a code as it is meant, however it was typed."""
    meant = "".join(one for one in code.lower().translate(_MISREAD) if one in _ALPHABET)
    return hashlib.sha256(meant.encode()).hexdigest()

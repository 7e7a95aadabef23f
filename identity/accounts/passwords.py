"""Passwords of people: what may be one, and whether one is right.

The rules follow NIST SP 800-63B: a password is long enough, not easy to guess, and may be anything else; none is asked
to be changed for its age. Whoever has no account, or no password, is answered as slowly and in the same way as whoever
has mistyped theirs.
"""

import asyncio
import secrets
from collections.abc import Iterable
from typing import Final

from identity.accounts.account import Account
from identity.accounts.store import Accounts
from identity.hashing import Hashing
from identity.throttle import Attempts
from schemas.errors import Code, Refusal

MIN_CHARACTERS: Final = 8
"""Characters of a password: shorter ones can be tried one after the other by whoever steals the hashes."""

MAX_CHARACTERS: Final = 256
"""Characters of a password: a sentence fits, and longer ones only cost time."""

JUDGED_CHARACTERS: Final = 72
"""Characters of a password that are looked at for how easy it is to guess: the time for that grows fast."""

MIN_SCORE: Final = 3
"""Of 4, by zxcvbn: more than a hundred million guesses."""

_LLUMS_WORDS: Final = ("llum", "usermodel", "user model")
"""Words that come to mind here, and so to whoever guesses."""

_SHORTEST_WORD: Final = 3


class Passwords:
    """Sets and checks the passwords of people. One for each process: it counts guesses."""

    def __init__(self, accounts: Accounts, hashing: Hashing | None = None, attempts: Attempts | None = None) -> None:
        self._accounts = accounts
        self._hashing = hashing or Hashing()
        self._attempts = attempts or Attempts("wrong passwords")
        self._nobodys: str | None = None

    async def hashed(self, password: str, words: Iterable[str] = ()) -> str:
        """Prepare a password to be stored. `words` are known of the person: none of them makes it harder to guess.

        Raises `bad_field` (field `password`) that says what is wrong with it, `Transient`.
        """
        encoded = _encoded(password)
        if encoded is None:
            raise Refusal(Code.BAD_FIELD, "A password is text of at most 256 characters.", "password")
        if len(password) < MIN_CHARACTERS:
            hint = "A few words that do not belong together are easy to remember."
            message = f"A password has at least {MIN_CHARACTERS} characters."
            raise Refusal(Code.BAD_FIELD, message, "password", hint)
        said = await asyncio.to_thread(_weakness, password, [one for one in words if len(one) >= _SHORTEST_WORD])
        if said is not None:
            raise Refusal(Code.BAD_FIELD, *said)
        return await self._hashing.make(encoded)

    async def verify(self, user: str, password: str, source: str, device: str = "") -> Account | None:
        """Give the account whose password this is; None: it is wrong, whatever is wrong with it.

        `source` is the address that it comes from, `device` a browser that was in this account before, where that is
        proven. Raises `Transient`: `rate_limited` after too many wrong ones, `unavailable`.
        """
        taken = self._attempts.take(source, user, device)
        account = await self._accounts.find(user)
        stored = account.password if account is not None and account.password else await self._nobodys_hash()
        encoded = _encoded(password)
        is_right = await self._hashing.matches(stored, encoded or b"", known=bool(device))
        if account is None or not account.password or encoded is None or not is_right:
            return None
        taken.give_back()
        return account

    async def _nobodys_hash(self) -> str:
        """Give what is compared for whoever has no password."""
        if self._nobodys is None:
            self._nobodys = await self._hashing.make(secrets.token_bytes(32))
        return self._nobodys


def _encoded(password: str) -> bytes | None:
    """Write a password in one way, however it was typed: as NIST advises, in Unicode's form NFKC."""
    if len(password) > MAX_CHARACTERS:
        return None
    try:
        return _normal(password).encode()
    except UnicodeEncodeError:
        return None


def _normal(password: str) -> str:
    if password.isascii():
        return password
    import unicodedata2

    return str(unicodedata2.normalize("NFKC", password))


def _weakness(password: str, words: list[str]) -> tuple[str, str, str] | None:
    """Say why a password is easy to guess: message, field and hint; None: it is not."""
    # Its lists of words take 10 MB.
    from zxcvbn import zxcvbn

    judged = zxcvbn(password[:JUDGED_CHARACTERS], user_inputs=[*words, *_LLUMS_WORDS])
    if judged["score"] >= MIN_SCORE:
        return None
    feedback = judged["feedback"]
    why = feedback["warning"] or "Many would guess it."
    hint = " ".join(feedback["suggestions"]) or "Add another word or two. Uncommon words are better."
    return f"This password is easy to guess. {why}", "password", hint

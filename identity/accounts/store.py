"""Accounts in their bucket. An account is one value, changed by compare-and-set; an identifier is a key of its own.

    account.<user>                    the account
    identifier.<kind>.<key>.<user>    whose identifier that is: one user's, which nats-server sees to
    founded                           there is, or was, an account

An identifier counts once its account lists it. One that is claimed and not listed after `CLAIM_HOLDS_S` was left by a
process that has died; whoever wants it takes it.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from bus.as_app import Sending
from bus.connection import Bus
from bus.kv import Bucket, KeyValue
from bus.logger import get_logger
from bus.subjects import ACCOUNT_BUCKET
from identity.accounts.account import (
    LOOKS,
    Account,
    Identifier,
    check_identifier,
    with_identifier,
    without_identifier,
)
from identity.accounts.links import FOUNDED
from identity.accounts.models import check_claimable, is_there, make_model, tell_profile
from schemas.apps import OWNER_APP, is_llums_own
from schemas.errors import Code, LlumError, Refusal, Transient
from schemas.lookalikes import skeleton
from schemas.paths import check_token, is_token

CLAIM_HOLDS_S: Final = 60.0
"""Seconds in which whoever has claimed an identifier makes the account: it needs a model, and a worker may be busy."""

CHANGE_ATTEMPTS: Final = 10
"""Attempts to change an account that others change at the same time."""

HANDLE_BYTES: Final = 32

log = get_logger("llum.identity")

AccountChange = Callable[[Account], Account]
"""Gives an account as it is to be. It may be called again with a newer one; it may raise a `Refusal`."""

_decoder: Final = msgspec.json.Decoder(Account)


class Accounts:
    """Finds, makes and changes accounts. Costs nothing to make. All methods raise `Transient`, `ApiError`."""

    def __init__(self, bus: Bus, requests: Sending, now: Callable[[], float] = time.time) -> None:
        self._bucket = Bucket(bus, ACCOUNT_BUCKET)
        self._requests = requests
        self._now = now

    async def find(self, user: str) -> Account | None:
        """Give the account of a user; None: they have none, and so are not registered."""
        entry = await self._find_entry(user)
        return None if entry is None else _decoder.decode(entry.value)

    async def by_identifier(self, kind: str, key: str) -> str | None:
        """Tell whose identifier this is; None: nobody's. Raises `bad_field` for what cannot be one."""
        check_identifier(kind, key)
        entry = await self._bucket.find(f"identifier.{kind}.{key}.*")
        user = None if entry is None else _user_in(entry.key)
        account = await self.find(user) if user else None
        return user if account is not None and account.has(kind, key) else None

    async def list(self) -> list[Account]:
        """List all accounts, the oldest first."""
        found = [_decoder.decode(entry.value) for entry in await self._bucket.list("account.*")]
        return sorted(found, key=lambda one: (one.made, one.user))

    async def register(
        self,
        user: str,
        identifiers: Iterable[Identifier | tuple[str, str, str]] = (),
        profile: Mapping[str, str] | None = None,
        admin: bool = False,
        *,
        source: str = OWNER_APP,
        existing: bool = False,
        change: AccountChange = lambda account: account,
    ) -> Account:
        """Make an account, with its model, which llum itself speaks for as the owner's app. Of many at once one wins.

        `identifiers` are those of the person, also as `(kind, key, label)`. `profile` says what is known of the person
        (`firstname`, `lastname`, `email`, `gid`, `picture`); it becomes evidence from `source`. `existing`: the person
        may have the model that is there. `change` adds a password or passkeys before the account is stored.

        Raises `already_exists` (field `user`: the id is taken, or looks like one that is; `identifier`: it is
        another account's), `bad_field`.
        """
        check_id(user)
        now = self._now()
        account = Account(user=user, made=now, admin=admin, handle=secrets.token_urlsafe(HANDLE_BYTES))
        account = with_identifier(account, Identifier(LOOKS, skeleton(user), user, now))
        for one in identifiers:
            account = with_identifier(account, one if isinstance(one, Identifier) else Identifier(*one, now))
        account = change(account)
        if await self._find_entry(user) is not None:
            raise taken(user)
        await self._found(account, existing=existing)
        await self._bucket.create(FOUNDED, b"1")
        await self._tell_profile(user, profile or {}, source)
        return account

    async def check_free(self, user: str) -> None:
        """Raise what `register` would about the id, as far as can be told before: `already_exists`, `bad_field`."""
        check_id(user)
        looks = await self._bucket.find(f"identifier.{LOOKS}.{skeleton(user)}.*")
        if looks is not None or await is_there(self._requests, user):
            raise taken(user)

    async def change(self, user: str, change: AccountChange) -> Account:
        """Change an account, and give it as it is then. Raises what `change` raises, `not_authenticated` without one.

        What others change meanwhile is kept: `change` is called again, with the account as they have left it.
        """
        for _ in range(CHANGE_ATTEMPTS):
            entry = await self._newest_entry(user)
            if entry is None:
                raise Refusal(Code.NOT_AUTHENTICATED, "there is no such account", "user")
            before = _decoder.decode(entry.value)
            after = change(before)
            if after == before or await self._bucket.replace(entry, msgspec.json.encode(after)):
                return after
        raise Transient(Code.UNAVAILABLE, "others change the account all the time")

    async def link(
        self, user: str, kind: str, key: str, label: str, change: AccountChange = lambda account: account
    ) -> Account:
        """Give an account one more identifier, and with `change` what goes with it.

        Again it only changes the label. Raises `already_exists` when it is another account's, `bad_field`,
        `not_authenticated`.
        """
        identifier = Identifier(kind, key, label, self._now())
        claimed = await self._claim(user, identifier)
        try:
            return await self.change(user, lambda one: change(with_identifier(one, identifier)))
        except Refusal:
            await self._release([claimed])
            raise

    async def unlink(self, user: str, kind: str, key: str, change: AccountChange = lambda account: account) -> Account:
        """Take an identifier from an account, if it has it, and with `change` what goes with it."""
        check_identifier(kind, key)
        account = await self.change(user, lambda one: change(without_identifier(one, kind, key)))
        await self._bucket.delete(f"identifier.{kind}.{key}.{user}")
        return account

    async def erase_user(self, user: str) -> int:
        """Erase the account of a user and all that names them here, and give the number of accounts: 0 or 1."""
        check_token(user, "user")
        there = await self._find_entry(user) is not None
        for keys in (f"account.{user}", f"identifier.*.*.{user}", f"link.*.*.{user}"):
            for entry in await self._bucket.list(keys):
                await self._bucket.delete(entry.key)
            await self._bucket.erase(keys)
        return int(there)

    async def count(self, user: str) -> int:
        """Count what is stored about a user here."""
        check_token(user, "user")
        keys = (f"account.{user}", f"identifier.*.*.{user}", f"link.*.*.{user}")
        return sum([await self._bucket.count(one) for one in keys])

    async def _find_entry(self, user: str) -> KeyValue | None:
        return await self._bucket.find(f"account.{user}") if is_token(user) else None

    async def _newest_entry(self, user: str) -> KeyValue | None:
        return await self._bucket.find_at_leader(f"account.{user}") if is_token(user) else None

    async def _found(self, account: Account, *, existing: bool) -> None:
        """Store a new account once all of it is its own. Raises `already_exists`; then nothing is left."""
        claimed: list[KeyValue | None] = []
        try:
            for one in account.identifiers:
                claimed.append(await self._claim(account.user, one))  # noqa: PERF401 - what is claimed when one fails
            await self._make_model(account.user, existing=existing)
            if not await self._bucket.claim(f"account.{account.user}", msgspec.json.encode(account)):
                raise taken(account.user)
        except Refusal:
            await self._release(claimed)
            raise

    async def _claim(self, user: str, identifier: Identifier) -> KeyValue | None:
        """Claim an identifier for a user; None: the account lists it. Raises `already_exists`, `bad_field`."""
        kind, key = identifier.kind, identifier.key
        check_identifier(kind, key)
        unique = f"identifier.{kind}.{key}.*"
        for _ in range(CHANGE_ATTEMPTS):
            claimed = await self._bucket.claim(f"identifier.{kind}.{key}.{user}", b"%d" % self._now(), unique)
            if claimed is not None:
                return claimed
            entry = await self._bucket.find_at_leader(unique)
            if entry is None:
                continue
            account = await self.find(_user_in(entry.key))
            is_listed = account is not None and account.has(kind, key)
            if is_listed and _user_in(entry.key) == user:
                return None
            if is_listed or self._now() - float(entry.value) < CLAIM_HOLDS_S:
                raise taken(user) if kind == LOOKS else _anothers()
            await self._bucket.take(entry)
        raise Transient(Code.UNAVAILABLE, "others claim the same all the time")

    async def _make_model(self, user: str, *, existing: bool) -> None:
        if existing and await check_claimable(self._requests, user):
            return
        try:
            await make_model(self._requests, user)
        except Refusal as refusal:
            if refusal.code is Code.ALREADY_EXISTS:
                raise taken(user) from refusal
            raise

    async def _tell_profile(self, user: str, profile: Mapping[str, str], source: str) -> None:
        """Tell the model what the profile says. The account is there by now: it is not lost for this."""
        try:
            await tell_profile(self._requests, user, profile, source)
        except LlumError as error:
            log.warning("profile_not_told", user=user, error=str(error))

    async def _release(self, claimed: Iterable[KeyValue | None]) -> None:
        """Let go of what was claimed for nothing."""
        for entry in claimed:
            if entry is not None:
                await self._bucket.take(entry)


def check_id(user: str) -> str:
    """Give the id that a person has chosen, or raise `bad_field`."""
    if is_llums_own(user):
        raise Refusal(Code.BAD_FIELD, "ids with a _ in front are llum's own", "user")
    return check_token(user, "user")


def taken(user: str) -> Refusal:
    return Refusal(Code.ALREADY_EXISTS, f"{user} is taken, or looks like a name that is", "user", "choose another name")


def _anothers() -> Refusal:
    return Refusal(Code.ALREADY_EXISTS, "this belongs to another account", "identifier")


def _user_in(key: str) -> str:
    return key.rpartition(".")[2]

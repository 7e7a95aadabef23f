"""Passkeys (WebAuthn): how one is added to an account, and how a person proves with one who they are.

A passkey stands by itself: it is a discoverable credential, so nobody types a name, and the authenticator verifies its
user. It belongs to one host name, that of llum's public address.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from bus.connection import Bus
from identity.accounts import ceremonies
from identity.accounts.account import PASSKEY, Account, Identifier, Passkey
from identity.accounts.ceremonies import PasskeyOwner, base64url, site_of, unpacked
from identity.accounts.challenges import Challenges
from identity.accounts.store import AccountChange, Accounts
from identity.throttle import Attempts
from schemas.errors import Code, Refusal
from schemas.names import check_seen

MAX_PASSKEYS: Final = 20
"""Passkeys of one account."""

MAX_NAME_CHARACTERS: Final = 64
"""Characters of a passkey's name."""

MAX_CREDENTIAL_CHARACTERS: Final = 16_384
"""Characters of what a browser sends of a ceremony."""

_TRANSPORTS: Final = 8


class Passkeys:
    """The ceremonies. One for each process: it counts guesses. All methods raise `Transient`."""

    def __init__(
        self,
        bus: Bus,
        accounts: Accounts,
        public_url: str,
        now: Callable[[], float] = time.time,
        attempts: Attempts | None = None,
    ) -> None:
        self.site = site_of(public_url)
        self._accounts = accounts
        self._challenges = Challenges(bus, now)
        self._now = now
        self._attempts = attempts or Attempts("failed passkeys")

    async def creation_options(self, person: PasskeyOwner, known: Sequence[Passkey] = ()) -> str:
        """Give what a browser needs to make a passkey, as JSON. Authenticators that have one of `known` make none."""
        challenge = await self._challenges.make(_making(person))
        return await asyncio.to_thread(ceremonies.creation_options, self.site, person, challenge, known)

    async def request_options(self, account: Account | None = None) -> str:
        """Give what a browser needs to prove who somebody is, as JSON; `account`: that it is they."""
        challenge = await self._challenges.make(_proving(account))
        return await asyncio.to_thread(
            ceremonies.request_options, self.site, challenge, account.passkeys if account else ()
        )

    async def made(self, person: PasskeyOwner, credential: str, name: str) -> Passkey:
        """Check a passkey that a browser says was made, and give it. Raises `bad_field` (field `passkey`)."""
        name = check_passkey_name(name)
        parsed, challenge = _parsed(credential)
        if not await self._challenges.take(challenge, _making(person)):
            raise _stale()
        try:
            # What a stranger sends may fail anywhere in the library.
            verified = await asyncio.to_thread(ceremonies.verify_made, self.site, parsed, challenge)
        except Exception as error:
            raise _wrong() from error
        listed = parsed["response"].get("transports")
        transports = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
        return Passkey(
            id=base64url(verified.credential_id),
            public_key=base64url(verified.credential_public_key),
            name=name,
            made=self._now(),
            sign_count=verified.sign_count,
            transports=[one[:32] for one in transports[:_TRANSPORTS]],
            backed_up=verified.credential_backed_up,
        )

    async def add(self, account: Account, passkey: Passkey) -> Account:
        """Give an account one more passkey. Raises `already_exists`, `too_large`."""
        one = identifier_of(passkey)
        return await self._accounts.link(
            account.user, PASSKEY, one.key, passkey.name, lambda fresh: with_passkey(fresh, passkey)
        )

    async def remove(self, user: str, passkey_id: str, check: AccountChange = lambda account: account) -> Account:
        """Take a passkey from an account, if it has it. `check` is given the account as it would be, and may refuse."""
        return await self._accounts.unlink(
            user, PASSKEY, _key(passkey_id), lambda fresh: check(without_passkey(fresh, passkey_id))
        )

    async def prove(self, credential: str, source: str, account: Account | None = None) -> Account:
        """Give the account whose passkey has signed; `account`: it must be this one.

        Raises `bad_field` (field `passkey`), in the same words whatever is wrong with it; `rate_limited`.
        """
        taken = self._attempts.take(source)
        parsed, challenge = _parsed(credential)
        if not await self._challenges.take(challenge, _proving(account)):
            raise _stale()
        passkey_id = str(parsed.get("id"))
        user = await self._accounts.by_identifier(PASSKEY, _key(passkey_id))
        owner = await self._accounts.find(user) if user else None
        known = next((one for one in owner.passkeys if one.id == passkey_id), None) if owner else None
        if owner is None or known is None or (account is not None and account.user != owner.user):
            raise _wrong()
        handle = parsed["response"].get("userHandle")
        if handle and handle != owner.handle:
            raise _wrong()
        try:
            verified = await asyncio.to_thread(ceremonies.verify_proof, self.site, parsed, challenge, known)
        except Exception as error:
            raise _wrong() from error
        proven = await self._accounts.change(
            owner.user, lambda fresh: _with_use(fresh, passkey_id, verified.new_sign_count, self._now())
        )
        taken.give_back()
        return proven


def check_passkey_name(name: str) -> str:
    """Give the name of a passkey, or raise `bad_field` (field `name`)."""
    name = name.strip() or "Passkey"
    if len(name) > MAX_NAME_CHARACTERS:
        raise Refusal(Code.BAD_FIELD, f"A name has at most {MAX_NAME_CHARACTERS} characters.", "name")
    return check_seen(name, Code.BAD_FIELD, "name")


def identifier_of(passkey: Passkey) -> Identifier:
    """Give the identifier by which a passkey finds its account."""
    return Identifier(PASSKEY, _key(passkey.id), passkey.name, passkey.made)


def with_passkey(account: Account, passkey: Passkey, handle: str | None = None) -> Account:
    """Add a passkey; of a new account the first one, with the handle that it was made for. Raises `too_large`."""
    kept = [one for one in account.passkeys if one.id != passkey.id]
    if len(kept) >= MAX_PASSKEYS:
        raise Refusal(
            Code.TOO_LARGE, f"An account has at most {MAX_PASSKEYS} passkeys.", "passkey", "Remove one first."
        )
    return msgspec.structs.replace(account, handle=handle or account.handle, passkeys=(*kept, passkey))


def without_passkey(account: Account, passkey_id: str) -> Account:
    return msgspec.structs.replace(account, passkeys=tuple(one for one in account.passkeys if one.id != passkey_id))


def renamed(account: Account, passkey_id: str, name: str) -> Account:
    """Give a passkey another name."""
    passkeys = tuple(
        msgspec.structs.replace(one, name=name) if one.id == passkey_id else one for one in account.passkeys
    )
    return msgspec.structs.replace(account, passkeys=passkeys)


def _with_use(account: Account, passkey_id: str, sign_count: int, now: float) -> Account:
    """Note a use. Raises `bad_field` if the passkey is gone, or has been copied: its counter has not grown."""
    known = next((one for one in account.passkeys if one.id == passkey_id), None)
    if known is None or (max(sign_count, known.sign_count) > 0 and sign_count <= known.sign_count):
        raise _wrong()
    used = msgspec.structs.replace(known, sign_count=sign_count, used=now)
    passkeys = tuple(used if one.id == passkey_id else one for one in account.passkeys)
    return msgspec.structs.replace(account, passkeys=passkeys)


def _making(person: PasskeyOwner) -> str:
    return f"make {person.user} {person.handle}"


def _proving(account: Account | None) -> str:
    return "prove" if account is None else f"prove {account.user}"


def _parsed(credential: str) -> tuple[dict[str, Any], bytes]:
    """Read what a browser sends, and the challenge that it says was signed."""
    try:
        if len(credential) > MAX_CREDENTIAL_CHARACTERS:
            raise ValueError("too long")
        parsed = json.loads(credential)
        client = json.loads(unpacked(parsed["response"]["clientDataJSON"]))
        return parsed, unpacked(client["challenge"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _wrong() from error


def _key(passkey_id: str) -> str:
    return hashlib.sha256(passkey_id.encode("utf-8", "replace")).hexdigest()


def _wrong() -> Refusal:
    hint = "Try again, or use another way to sign in."
    return Refusal(
        Code.BAD_FIELD, "llum does not know this passkey, or it was not used as it should be.", "passkey", hint
    )


def _stale() -> Refusal:
    return Refusal(
        Code.BAD_FIELD, "This page has been open for too long, or was used already.", "passkey", "Try again."
    )

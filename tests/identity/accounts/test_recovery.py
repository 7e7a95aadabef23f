"""Recovery codes."""

import asyncio
import re

import pytest

from identity.accounts.account import Account
from identity.accounts.recovery import CODES, Recovery, new_codes, with_codes
from identity.accounts.store import Accounts
from identity.throttle import ATTEMPTS
from schemas.errors import Code, Transient

HERE = "192.0.2.7"


@pytest.fixture
def recovery(accounts: Accounts) -> Recovery:
    return Recovery(accounts)


async def with_new_codes(accounts: Accounts, user: str) -> list[str]:
    codes = new_codes()
    await accounts.change(user, lambda one: with_codes(one, codes, 1.0))
    return codes


async def test_each_code_lets_its_person_in_once(accounts: Accounts, recovery: Recovery) -> None:
    """In any order, and nobody else."""
    await accounts.register("alice")
    await accounts.register("bob")
    codes = await with_new_codes(accounts, "alice")
    assert len(set(codes)) == CODES
    assert all(re.fullmatch(r"([a-z0-9]{4}-){3}[a-z0-9]{4}", one) for one in codes)
    for code in reversed(codes):
        assert await recovery.use("bob", code, HERE) is None
        used = await recovery.use("alice", code, HERE)
        assert used is not None
        assert used.user == "alice"
        assert await recovery.use("alice", code, HERE) is None
        recovery = Recovery(accounts)
    account = await accounts.find("alice")
    assert account is not None
    assert account.recovery == ()


async def test_of_many_who_use_a_code_at_once_one_gets_in(accounts: Accounts, recovery: Recovery) -> None:
    """It is taken by compare-and-set."""
    await accounts.register("alice")
    codes = await with_new_codes(accounts, "alice")
    outcomes = await asyncio.gather(*(recovery.use("alice", codes[0], HERE) for _ in range(6)))
    assert sum(isinstance(one, Account) for one in outcomes) == 1


async def test_new_codes_end_the_earlier_ones(accounts: Accounts, recovery: Recovery) -> None:
    """Whoever has found an old list gets in no more."""
    await accounts.register("alice")
    old = await with_new_codes(accounts, "alice")
    new = await with_new_codes(accounts, "alice")
    assert await recovery.use("alice", old[0], HERE) is None
    assert await recovery.use("alice", new[0], HERE)


async def test_a_code_may_be_typed_as_it_was_read(accounts: Accounts, recovery: Recovery) -> None:
    """In capitals, with spaces or without lines, with the letters that look like digits."""
    await accounts.register("alice")
    codes = await with_new_codes(accounts, "alice")
    as_read = [codes[0].upper().replace("-", " "), codes[1].replace("-", "").replace("1", "l").replace("0", "O")]
    for typed in as_read:
        assert await recovery.use("alice", typed, HERE)


async def test_codes_are_stored_hashed(accounts: Accounts) -> None:
    """Nothing of one stands in the account."""
    await accounts.register("alice")
    codes = await with_new_codes(accounts, "alice")
    stored = str(await accounts.find("alice"))
    assert not any(one in stored or one.replace("-", "") in stored for one in codes)


async def test_guessing_is_limited(accounts: Accounts, recovery: Recovery) -> None:
    """The same for an account that is not there."""
    await accounts.register("alice")
    for user in ("alice", "nobody-here"):
        for _ in range(ATTEMPTS):
            assert await recovery.use(user, "aaaa-aaaa-aaaa-aaaa", HERE) is None
        with pytest.raises(Transient) as caught:
            await recovery.use(user, "aaaa-aaaa-aaaa-aaaa", HERE)
        assert caught.value.code is Code.RATE_LIMITED

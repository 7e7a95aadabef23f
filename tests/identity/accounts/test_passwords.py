"""Passwords of people."""

import msgspec
import pytest

from identity import hashing
from identity.accounts.passwords import MAX_CHARACTERS, Passwords
from identity.accounts.store import Accounts
from identity.throttle import ACCOUNT_ATTEMPTS, ATTEMPTS
from schemas.errors import Code, Refusal, Transient

GOOD = "staple battery correct"
HERE = "192.0.2.7"


@pytest.fixture
def passwords(accounts: Accounts) -> Passwords:
    return Passwords(accounts)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The passwords that argon2 was asked about."""
    seen: list[bytes] = []
    verify = hashing._verify

    def watched(stored: str, password: bytes) -> bool:
        seen.append(password)
        return verify(stored, password)

    monkeypatch.setattr(hashing, "_verify", watched)
    return seen


async def set_password(accounts: Accounts, passwords: Passwords, user: str, password: str) -> None:
    hashed = await passwords.hashed(password)
    await accounts.change(user, lambda one: msgspec.structs.replace(one, password=hashed))


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("", "at least 8"),
        ("x7$kQ", "at least 8"),
        ("password1", "very common"),
        ("qwertyuiop", "common"),
        ("aaaaaaaaaaaaaaaa", "Repeats"),
        ("llumllumllum", "Repeats"),
        ("a@example.org", "easy to guess"),
        ("AliceSmith", "easy to guess"),
        ("x" * (MAX_CHARACTERS + 1), "at most 256"),
        ("battery\ud800staple correct", "text"),
    ],
)
async def test_a_password_that_many_would_guess_is_refused(passwords: Passwords, password: str, says: str) -> None:
    """Too short, common, a pattern, the person's own name: it says what is wrong, at the field."""
    with pytest.raises(Refusal) as caught:
        await passwords.hashed(password, ["alice", "Alice", "Smith", "a@example.org"])
    assert (caught.value.code, caught.value.error.field) == (Code.BAD_FIELD, "password")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "password", [GOOD, "кот съел батарейку", "vT9#kq!2zL", " leading space kept x9", "🐈" * 3 + "батарея"]
)
async def test_any_text_that_is_hard_to_guess_will_do(accounts: Accounts, passwords: Passwords, password: str) -> None:
    """There are no rules about kinds of characters; nothing is cut off or stripped."""
    await accounts.register("alice")
    await set_password(accounts, passwords, "alice", password)
    found = await passwords.verify("alice", password, HERE)
    assert found is not None
    assert found.user == "alice"
    assert await passwords.verify("alice", password.strip() + "x", HERE) is None


async def test_30_only_an_argon2id_hash_of_a_password_is_stored(accounts: Accounts, passwords: Passwords) -> None:
    """Statement 30. Two people with one password have different hashes."""
    for user in ("alice", "bob"):
        await accounts.register(user)
        await set_password(accounts, passwords, user, GOOD)
    alice, bob = await accounts.find("alice"), await accounts.find("bob")
    assert alice is not None
    assert bob is not None
    assert alice.password.startswith("$argon2id$")
    assert alice.password != bob.password


async def test_the_same_password_typed_in_another_form_of_unicode_is_right(
    accounts: Accounts, passwords: Passwords
) -> None:
    """A Mac writes é as two characters, other computers as one."""
    await accounts.register("alice")
    await set_password(accounts, passwords, "alice", "cafe\u0301 batterie agrafe")
    assert await passwords.verify("alice", "caf\u00e9 batterie agrafe", HERE)


@pytest.mark.parametrize("user", ["alice", "nobody-here", "carol", "*", "", "not an id"])
async def test_30_whatever_is_wrong_argon2_computes_once(
    accounts: Accounts, passwords: Passwords, computed: list[bytes], user: str
) -> None:
    """A wrong password, no account, an account without a password: the same answer after the same work."""
    await accounts.register("alice")
    await accounts.register("carol")
    await set_password(accounts, passwords, "alice", GOOD)
    assert await passwords.verify(user, "wrong one", HERE) is None
    assert computed == [b"wrong one"]


async def test_guessing_at_an_account_is_limited(accounts: Accounts, passwords: Passwords) -> None:
    """By address and account, the same for an account that is not there; it says when to come again."""
    await accounts.register("alice")
    await set_password(accounts, passwords, "alice", GOOD)
    for user in ("alice", "nobody-here"):
        for _ in range(ATTEMPTS):
            assert await passwords.verify(user, "wrong one", HERE) is None
        with pytest.raises(Transient) as caught:
            await passwords.verify(user, GOOD, HERE)
        assert caught.value.code is Code.RATE_LIMITED
        assert caught.value.retry_after_s > 0
    assert await passwords.verify("alice", GOOD, "198.51.100.1")


async def test_right_passwords_are_no_guesses(accounts: Accounts, passwords: Passwords) -> None:
    """However often."""
    await accounts.register("alice")
    await set_password(accounts, passwords, "alice", GOOD)
    for _ in range(ATTEMPTS + 2):
        assert await passwords.verify("alice", GOOD, HERE)


async def test_strangers_do_not_lock_the_owner_out(
    accounts: Accounts, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After guesses from many addresses the owner still gets in, from a new address."""
    await accounts.register("alice")
    await set_password(accounts, passwords, "alice", GOOD)
    with monkeypatch.context() as patched:
        patched.setattr(hashing, "_verify", lambda _stored, _password: False)
        for number in range(ACCOUNT_ATTEMPTS):
            assert await passwords.verify("alice", "wrong one", f"198.51.100.{number}") is None
    assert await passwords.verify("alice", GOOD, HERE)

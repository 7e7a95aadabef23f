"""Passkeys, with a software authenticator."""

import asyncio
import json

import pytest

from identity.accounts.account import Account
from identity.accounts.ceremonies import PasskeyOwner, site_of
from identity.accounts.challenges import LIFETIME_S
from identity.accounts.passkeys import MAX_PASSKEYS, Passkeys, identifier_of, renamed, with_passkey
from identity.accounts.store import Accounts
from identity.throttle import SOURCE_ATTEMPTS
from schemas.errors import Code, Refusal, Transient
from tests.actors.serving import Llum
from tests.identity.accounts.authenticator import PRESENT, Authenticator
from tests.identity.accounts.clock import Clock

HERE = "192.0.2.7"


@pytest.fixture
def passkeys(llum: Llum, accounts: Accounts, clock: Clock) -> Passkeys:
    return Passkeys(llum.bus, accounts, "http://localhost:8080", clock)


async def signed_up(accounts: Accounts, passkeys: Passkeys, user: str, authenticator: Authenticator) -> Account:
    """Sign somebody up with a passkey, as the pages do."""
    person = PasskeyOwner(user, "aGFuZGxlLW9mLQ" + user.encode().hex(), "")
    made = await passkeys.made(person, authenticator.make(await passkeys.creation_options(person)), "Phone")
    return await accounts.register(
        user, [identifier_of(made)], change=lambda one: with_passkey(one, made, person.handle)
    )


def person_of(account: Account) -> PasskeyOwner:
    return PasskeyOwner(account.user, account.handle, "")


async def fails(prove: object) -> None:
    with pytest.raises(Refusal) as caught:
        await prove  # type: ignore[misc]
    assert (caught.value.code, caught.value.error.field) == (Code.BAD_FIELD, "passkey")


async def test_whoever_has_the_passkey_is_known_without_a_name(accounts: Accounts, passkeys: Passkeys) -> None:
    """It is a discoverable credential; another person's finds that person."""
    alices, bobs = Authenticator(), Authenticator()
    await signed_up(accounts, passkeys, "alice", alices)
    await signed_up(accounts, passkeys, "bob", bobs)
    for authenticator, user in ((alices, "alice"), (bobs, "bob")):
        proven = await passkeys.prove(authenticator.prove(await passkeys.request_options()), HERE)
        assert proven.user == user
        assert proven.passkeys[0].used is not None


async def test_a_browser_is_asked_for_a_discoverable_passkey_of_this_host(passkeys: Passkeys) -> None:
    """With its user verified; and for no second one where there is one."""
    options = json.loads(await passkeys.creation_options(PasskeyOwner("alice", "aGFuZGxl", "Alice Smith")))
    assert options["rp"]["id"] == "localhost"
    assert options["user"] == {"id": "aGFuZGxl", "name": "alice", "displayName": "Alice Smith"}
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    asked = json.loads(await passkeys.request_options())
    assert (asked["rpId"], asked["userVerification"]) == ("localhost", "required")


async def test_a_challenge_is_good_once(accounts: Accounts, passkeys: Passkeys) -> None:
    """Also for many who bring the same answer at the same time: one gets in."""
    authenticator = Authenticator()
    authenticator.counts = False
    await signed_up(accounts, passkeys, "alice", authenticator)
    answer = authenticator.prove(await passkeys.request_options())
    outcomes = await asyncio.gather(*(passkeys.prove(answer, HERE) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(one, Account) for one in outcomes) == 1
    await fails(passkeys.prove(answer, HERE))


async def test_a_challenge_ends(accounts: Accounts, passkeys: Passkeys, clock: Clock) -> None:
    """After some minutes."""
    authenticator = Authenticator()
    await signed_up(accounts, passkeys, "alice", authenticator)
    options = await passkeys.request_options()
    clock.now += LIFETIME_S
    await fails(passkeys.prove(authenticator.prove(options), HERE))


async def test_a_challenge_is_for_its_own_ceremony(accounts: Accounts, passkeys: Passkeys) -> None:
    """One to sign in adds no passkey; one for Alice's passkey makes none for Bob; an invented one is nothing."""
    authenticator = Authenticator()
    alice = await signed_up(accounts, passkeys, "alice", authenticator)
    bob = await accounts.register("bob")
    signing_in = json.loads(await passkeys.request_options())
    making = json.loads(await passkeys.creation_options(person_of(alice)))
    fresh = Authenticator()
    await fails(
        passkeys.made(person_of(alice), fresh.make(json.dumps(making | {"challenge": signing_in["challenge"]})), "")
    )
    await fails(passkeys.made(person_of(bob), fresh.make(json.dumps(making)), ""))
    await fails(passkeys.prove(authenticator.prove(json.dumps(signing_in | {"challenge": "aW52ZW50ZWQ"})), HERE))
    await fails(passkeys.prove(authenticator.prove(json.dumps(signing_in | {"challenge": making["challenge"]})), HERE))


@pytest.mark.parametrize(
    "falsify",
    [
        lambda one: setattr(one, "origin", "http://localhost:9090"),
        lambda one: setattr(one, "origin", "https://llum.evil.example"),
        lambda one: setattr(one, "host", "evil.example"),
        lambda one: setattr(one, "flags", PRESENT),
        lambda one: setattr(one, "flags", 0),
        lambda one: setattr(one, "sign_count", 2),
        lambda one: setattr(one, "handle", "bm90LWFsaWNl"),
        lambda one: setattr(one, "id", b"another one"),
        lambda one: setattr(one, "_key", Authenticator()._key),
    ],
    ids=["port", "origin", "host", "not verified", "not present", "copied", "handle", "id", "key"],
)
async def test_what_is_not_the_passkey_proves_nothing(accounts: Accounts, passkeys: Passkeys, falsify: object) -> None:
    """Another origin or host, a user who was not verified, a counter that does not grow, another key."""
    authenticator = Authenticator()
    await signed_up(accounts, passkeys, "alice", authenticator)
    authenticator.sign_count = 7
    await passkeys.prove(authenticator.prove(await passkeys.request_options()), HERE)
    falsify(authenticator)  # type: ignore[operator]
    await fails(passkeys.prove(authenticator.prove(await passkeys.request_options()), HERE))


@pytest.mark.parametrize(
    "credential",
    ["", "{}", "[]", "null", '{"response": {}}', '{"response": {"clientDataJSON": "e30"}}', "x" * 20_000, "[" * 5000,
     '{"id": 7, "response": {"clientDataJSON": 7}}', '{"response": {"clientDataJSON": "\\ud800"}}'],
)  # fmt: skip
async def test_what_is_no_credential_is_refused(passkeys: Passkeys, credential: str) -> None:
    """In the same words, whatever it is; nothing breaks."""
    await fails(passkeys.prove(credential, HERE))
    await fails(passkeys.made(PasskeyOwner("alice", "aGFuZGxl", ""), credential, ""))


async def test_damaged_answers_are_refused(accounts: Accounts, passkeys: Passkeys) -> None:
    """With a good challenge, and anything else missing or of another kind."""
    authenticator = Authenticator()
    await signed_up(accounts, passkeys, "alice", authenticator)
    for name in ("authenticatorData", "signature"):
        for damage in ("", "AAAA", "!", 7, None):
            answer = json.loads(authenticator.prove(await passkeys.request_options()))
            answer["response"][name] = damage
            await fails(passkeys.prove(json.dumps(answer), HERE))
    fresh, person = Authenticator(), PasskeyOwner("bob", "aGFuZGxl", "")
    for damage in ("", "AAAA", "oWNmbXRkbm9uZQ", 7, None):
        answer = json.loads(fresh.make(await passkeys.creation_options(person)))
        answer["response"]["attestationObject"] = damage
        await fails(passkeys.made(person, json.dumps(answer), ""))


async def test_a_person_has_several_passkeys_with_names(accounts: Accounts, passkeys: Passkeys) -> None:
    """Each lets them in; one that is removed does not, and may go to another account."""
    phone, key = Authenticator(), Authenticator()
    alice = await signed_up(accounts, passkeys, "alice", phone)
    made = await passkeys.made(person_of(alice), key.make(await passkeys.creation_options(person_of(alice))), "  Key ")
    await passkeys.add(alice, made)
    await accounts.change("alice", lambda one: renamed(one, made.id, "Blue key"))
    account = await accounts.find("alice")
    assert account is not None
    assert [one.name for one in account.passkeys] == ["Phone", "Blue key"]
    assert account.ways == 2
    assert (await passkeys.prove(key.prove(await passkeys.request_options()), HERE)).user == "alice"
    await passkeys.remove("alice", made.id)
    await fails(passkeys.prove(key.prove(await passkeys.request_options()), HERE))
    assert (await passkeys.prove(phone.prove(await passkeys.request_options()), HERE)).user == "alice"


async def test_a_passkey_belongs_to_one_account(accounts: Accounts, passkeys: Passkeys) -> None:
    """Whoever brings another person's credential id is refused, and the other keeps it."""
    authenticator = Authenticator()
    await signed_up(accounts, passkeys, "alice", authenticator)
    bob = await accounts.register("bob")
    thief = Authenticator()
    thief.id = authenticator.id
    made = await passkeys.made(person_of(bob), thief.make(await passkeys.creation_options(person_of(bob))), "")
    with pytest.raises(Refusal) as caught:
        await passkeys.add(bob, made)
    assert caught.value.code is Code.ALREADY_EXISTS
    assert (await passkeys.prove(authenticator.prove(await passkeys.request_options()), HERE)).user == "alice"
    await fails(passkeys.prove(thief.prove(await passkeys.request_options()), HERE))


async def test_step_up_wants_a_passkey_of_the_same_person(accounts: Accounts, passkeys: Passkeys) -> None:
    """Another person's does not do, nor a challenge that was for anybody."""
    alices, bobs = Authenticator(), Authenticator()
    alice = await signed_up(accounts, passkeys, "alice", alices)
    await signed_up(accounts, passkeys, "bob", bobs)
    await fails(passkeys.prove(bobs.prove(await passkeys.request_options(alice)), HERE, alice))
    await fails(passkeys.prove(alices.prove(await passkeys.request_options()), HERE, alice))
    assert (await passkeys.prove(alices.prove(await passkeys.request_options(alice)), HERE, alice)).user == "alice"


async def test_guessing_is_limited_by_address(passkeys: Passkeys) -> None:
    """Whoever fails too often waits; others do not."""
    for _ in range(SOURCE_ATTEMPTS):
        await fails(passkeys.prove("{}", HERE))
    with pytest.raises(Transient) as caught:
        await passkeys.prove("{}", HERE)
    assert caught.value.code is Code.RATE_LIMITED
    await fails(passkeys.prove("{}", "198.51.100.1"))


async def test_an_account_has_a_bounded_number(accounts: Accounts, passkeys: Passkeys) -> None:
    """The next one is refused, and leaves nothing."""
    alice = await accounts.register("alice")
    person = person_of(alice)
    made = await passkeys.made(person, Authenticator().make(await passkeys.creation_options(person)), "")
    for number in range(MAX_PASSKEYS):
        alice = with_passkey(alice, type(made)(id=f"{number}", public_key="", name="", made=0.0))
    with pytest.raises(Refusal) as caught:
        with_passkey(alice, made)
    assert caught.value.code is Code.TOO_LARGE


@pytest.mark.parametrize(
    ("url", "origin", "host", "has"),
    [
        ("http://localhost:8080", "http://localhost:8080", "localhost", True),
        ("https://Llum.example.org/", "https://llum.example.org", "llum.example.org", True),
        ("https://llum.example.org:443/x", "https://llum.example.org", "llum.example.org", True),
        ("http://llum.example.org", "http://llum.example.org", "llum.example.org", False),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1", False),
        ("https://[::1]:8443", "https://[::1]:8443", "::1", False),
    ],
)
def test_a_site_is_read_off_the_public_address(url: str, origin: str, host: str, has: bool) -> None:
    """Browsers make passkeys for host names, over TLS or on this machine."""
    site = site_of(url)
    assert (site.origin, site.host, site.has_passkeys) == (origin, host, has)

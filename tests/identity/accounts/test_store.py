"""Accounts in their bucket, with the models that come with them."""

import asyncio

import msgspec
import pytest

from bus.as_app import new_id
from bus.kv import Bucket
from bus.subjects import ACCOUNT_BUCKET
from identity.accounts.account import LOOKS, Account
from identity.accounts.links import Links
from identity.accounts.store import CLAIM_HOLDS_S, Accounts
from schemas.commands import MakeModel, RegisterApp
from schemas.errors import Code, Refusal
from schemas.evidence import EvidenceFilter
from schemas.queries import Access, Ask
from schemas.replies import AccessReply, AskReply
from tests.actors.serving import Llum
from tests.identity.accounts.clock import Clock

GOOGLE = ("oidc", "f00d", "Google")


async def personal(llum: Llum, user: str, app: str = "llum") -> AskReply:
    query = Ask(context=["Personal"], include_evidence=True, evidence_filter=EvidenceFilter(name="all"))
    reply = await llum.requests.ask(user, app, query)
    assert isinstance(reply, AskReply)
    return reply


def problem(caught: pytest.ExceptionInfo[Refusal]) -> tuple[Code, str | None]:
    return caught.value.code, caught.value.error.field


async def test_an_account_comes_with_a_model_of_its_owner(accounts: Accounts, llum: Llum) -> None:
    """llum's own app speaks for the owner, and Personal holds the profile, as evidence from who gave it."""
    assert await accounts.find("alice") is None
    profile = {"firstname": "Alice", "email": "a@example.org", "shoe_size": "43", "lastname": " "}
    account = await accounts.register("alice", [GOOGLE], profile, source="https://accounts.google.com")
    assert await accounts.find("alice") == account
    access = await llum.requests.ask("alice", "llum", Access())
    assert isinstance(access, AccessReply)
    assert access.role == "owner"
    told = {one.path[-1]: [(piece.value, piece.source) for piece in one.evidence or []]
            for one in (await personal(llum, "alice")).components}  # fmt: skip
    assert told["firstname"] == [("Alice", "https://accounts.google.com")]
    assert told["email"] == [("a@example.org", "https://accounts.google.com")]
    assert told["lastname"] == []


async def test_an_identifier_finds_its_account(accounts: Accounts) -> None:
    """Of the same kind and key only; an e-mail is a value in the model, and finds nobody."""
    await accounts.register("alice", [GOOGLE], {"email": "a@example.org"})
    assert await accounts.by_identifier("oidc", "f00d") == "alice"
    assert await accounts.by_identifier("oidc", "beef") is None
    assert await accounts.by_identifier("passkey", "f00d") is None


async def test_of_many_who_want_a_name_one_gets_it(accounts: Accounts) -> None:
    """At the same time, each with an identity of their own; nothing of the others is left."""
    outcomes = await asyncio.gather(
        *(accounts.register("alice", [("oidc", f"id{number}", "")]) for number in range(8)), return_exceptions=True
    )
    won = [one for one in outcomes if isinstance(one, Account)]
    lost = [one for one in outcomes if isinstance(one, Refusal)]
    assert len(won) == 1
    assert len(lost) == 7
    assert {(one.code, one.error.field) for one in lost} == {(Code.ALREADY_EXISTS, "user")}
    found = [await accounts.by_identifier("oidc", f"id{number}") for number in range(8)]
    assert sorted(found, key=str) == [None] * 7 + ["alice"]
    assert await accounts.find("alice") == won[0]
    free = found.index(None)
    await accounts.register("bob", [("oidc", f"id{free}", "")])


async def test_of_many_who_bring_one_identity_one_gets_in(accounts: Accounts) -> None:
    """Each wants another name; the other names are still free afterwards."""
    names = [f"name-{number}" for number in range(2, 8)]
    outcomes = await asyncio.gather(*(accounts.register(one, [GOOGLE]) for one in names), return_exceptions=True)
    won = [one.user for one in outcomes if isinstance(one, Account)]
    assert len(won) == 1
    assert await accounts.by_identifier("oidc", "f00d") == won[0]
    for one in set(names) - set(won):
        assert await accounts.find(one) is None
        await accounts.register(one)


@pytest.mark.parametrize("name", ["", "Alice", "a.b", "_admin", "x" * 65, "al ice"])
async def test_what_cannot_be_an_id_is_refused(accounts: Accounts, name: str) -> None:
    """As everywhere in llum."""
    with pytest.raises(Refusal) as caught:
        await accounts.register(name)
    assert problem(caught) == (Code.BAD_FIELD, "user")


async def test_an_id_that_looks_like_another_is_taken(accounts: Accounts) -> None:
    """Whoever permits something to alice must not mean a1ice."""
    await accounts.register("alice")
    with pytest.raises(Refusal) as caught:
        await accounts.register("a1ice")
    assert problem(caught) == (Code.ALREADY_EXISTS, "user")


async def test_a_model_that_is_there_is_not_for_the_first_who_wants_it(accounts: Accounts, llum: Llum) -> None:
    """Only who is allowed to claims it; it stays as it is, and gets the profile."""
    await llum.do(MakeModel(id=new_id()), "bob", "_admin")
    with pytest.raises(Refusal) as caught:
        await accounts.register("bob", [GOOGLE])
    assert problem(caught) == (Code.ALREADY_EXISTS, "user")
    assert await accounts.by_identifier("oidc", "f00d") is None
    await accounts.register("bob", [GOOGLE], {"firstname": "Bob"}, existing=True)
    assert {one.path[-1]: one.value for one in (await personal(llum, "bob")).components} == {"firstname": "Bob"}


async def test_a_model_of_another_owners_app_is_not_claimed(accounts: Accounts, llum: Llum) -> None:
    """llum could not speak for its owner there."""
    await llum.do(MakeModel(id=new_id(), owner="other"), "bob", "_admin")
    with pytest.raises(Refusal) as caught:
        await accounts.register("bob", existing=True)
    assert problem(caught) == (Code.PERMISSION_DENIED, "user")
    await llum.do(RegisterApp(id=new_id(), app="llum", description="", role="owner"), "bob", "other")
    await accounts.register("bob", existing=True)


async def test_an_identity_is_linked_once(accounts: Accounts) -> None:
    """A second one finds the same account; one of another account is refused, and both keep theirs."""
    await accounts.register("alice", [GOOGLE])
    await accounts.register("bob")
    await accounts.link("alice", "oidc", "beef", "Work")
    await accounts.link("alice", "oidc", "beef", "Work again")
    assert await accounts.by_identifier("oidc", "beef") == "alice"
    with pytest.raises(Refusal) as caught:
        await accounts.link("bob", "oidc", "beef", "Mine")
    assert problem(caught) == (Code.ALREADY_EXISTS, "identifier")
    account = await accounts.find("alice")
    assert account is not None
    assert [one.label for one in account.identifiers if one.kind != LOOKS] == ["Google", "Work again"]
    await accounts.unlink("alice", "oidc", "beef")
    assert await accounts.by_identifier("oidc", "beef") is None
    await accounts.link("bob", "oidc", "beef", "Mine")


async def test_of_many_who_link_one_identity_one_has_it(accounts: Accounts) -> None:
    """At the same time, in accounts of their own."""
    users = ["alice", "bob", "carol"]
    for user in users:
        await accounts.register(user)
    outcomes = await asyncio.gather(*(accounts.link(user, *GOOGLE) for user in users), return_exceptions=True)
    won = [one.user for one in outcomes if isinstance(one, Account)]
    assert len(won) == 1
    assert await accounts.by_identifier("oidc", "f00d") == won[0]


async def test_what_a_process_claimed_and_left_is_free_after_a_while(
    accounts: Accounts, llum: Llum, clock: Clock
) -> None:
    """It died before it stored the account."""
    await Bucket(llum.bus, ACCOUNT_BUCKET).put("identifier.oidc.f00d.ghost", b"%d" % clock.now)
    assert await accounts.by_identifier("oidc", "f00d") is None
    with pytest.raises(Refusal):
        await accounts.register("alice", [GOOGLE])
    clock.now += CLAIM_HOLDS_S
    await accounts.register("alice", [GOOGLE])
    assert await accounts.by_identifier("oidc", "f00d") == "alice"


async def test_changes_at_the_same_time_are_all_kept(accounts: Accounts) -> None:
    """Compare-and-set: whoever comes second changes what the first has left."""
    await accounts.register("alice")
    await asyncio.gather(*(accounts.link("alice", "oidc", f"id{number}", "") for number in range(5)))
    account = await accounts.find("alice")
    assert account is not None
    assert {one.key for one in account.identifiers if one.kind == "oidc"} == {f"id{number}" for number in range(5)}


async def test_nobody_changes_an_account_that_is_not_there(accounts: Accounts) -> None:
    """Neither one that never was nor what cannot be an id."""
    for user in ("ghost", "*", ">"):
        with pytest.raises(Refusal) as caught:
            await accounts.change(user, lambda one: msgspec.structs.replace(one, admin=True))
        assert caught.value.code is Code.NOT_AUTHENTICATED
        assert await accounts.find(user) is None


async def test_erasing_leaves_nothing_of_a_user_and_others_as_they_are(accounts: Accounts, llum: Llum) -> None:
    """The name and the identities are free for others at once."""
    await accounts.register("alice", [GOOGLE])
    await accounts.register("bob", [("oidc", "beef", "")])
    assert await accounts.erase_user("alice") == 1
    assert await accounts.count("alice") == 0
    assert await accounts.find("alice") is None
    assert await accounts.by_identifier("oidc", "f00d") is None
    assert await accounts.by_identifier("oidc", "beef") == "bob"
    assert await accounts.erase_user("alice") == 0
    await accounts.link("bob", *GOOGLE)
    assert await Links(llum.bus).is_founded()
    assert [one.user for one in await accounts.list()] == ["bob"]

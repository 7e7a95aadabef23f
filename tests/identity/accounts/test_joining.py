"""Who may sign up, with one-time links."""

import asyncio

import pytest

from bus.as_app import new_id
from bus.kv import Bucket
from bus.subjects import ACCOUNT_BUCKET
from identity.accounts.account import Account
from identity.accounts.joining import Admission, Joining, SignUp
from identity.accounts.links import LIFETIMES_S, Links
from identity.accounts.store import Accounts
from schemas.commands import MakeModel
from schemas.errors import Code, Refusal
from tests.actors.serving import Llum
from tests.identity.accounts.clock import Clock


@pytest.fixture
def links(llum: Llum, clock: Clock) -> Links:
    return Links(llum.bus, clock)


def joining(accounts: Accounts, links: Links, policy: SignUp = "open") -> Joining:
    return Joining(accounts, links, policy)


async def is_refused(attempt: object, says: str) -> None:
    with pytest.raises(Refusal) as caught:
        await attempt  # type: ignore[misc]
    assert caught.value.code is Code.PERMISSION_DENIED
    assert says in str(caught.value)


@pytest.mark.parametrize("policy", ["open", "invited", "closed"])
async def test_nobody_is_first_but_the_holder_of_the_first_link(
    accounts: Accounts, links: Links, policy: SignUp
) -> None:
    """They become administrator, whatever the setting says; an invented token or an older link helps nobody."""
    doors = joining(accounts, links, policy)
    await is_refused(doors.admission(), "no account yet")
    await is_refused(doors.admission("invented"), "has been used")
    older = await links.make("first")
    token = await links.make("first")
    await is_refused(doors.admission(older), "has been used")
    account = await doors.register(await doors.admission(token), "alice")
    assert account.admin
    await is_refused(doors.admission(token), "has been used")


async def test_of_many_with_the_first_link_one_is_administrator(accounts: Accounts, links: Links) -> None:
    """At the same time, each with a name of their own."""
    doors = joining(accounts, links)
    admission = await doors.admission(await links.make("first"))
    names = [f"name-{number}" for number in range(2, 8)]
    outcomes = await asyncio.gather(*(doors.register(admission, one) for one in names), return_exceptions=True)
    assert sum(isinstance(one, Account) for one in outcomes) == 1
    assert [one.admin for one in await accounts.list()] == [True]


async def test_after_the_first_the_setting_counts(accounts: Accounts, links: Links) -> None:
    """Open to everybody, to who is invited, or to nobody new; who signs up is no administrator."""
    await accounts.register("alice", admin=True)
    assert not (await joining(accounts, links).register(Admission(), "bob")).admin
    await is_refused(joining(accounts, links, "invited").admission(), "by invitation")
    await is_refused(joining(accounts, links, "closed").admission(), "no new accounts")
    invitation = await links.make("invite", by="alice")
    await is_refused(joining(accounts, links, "closed").admission(invitation), "has been used")
    doors = joining(accounts, links, "invited")
    assert not (await doors.register(await doors.admission(invitation), "carol")).admin


async def test_a_model_that_the_operator_made_is_claimed_by_its_link(
    accounts: Accounts, links: Links, llum: Llum
) -> None:
    """Under its own name, whatever is typed."""
    await accounts.register("alice", admin=True)
    await llum.do(MakeModel(id=new_id()), "bob", "_admin")
    doors = joining(accounts, links, "closed")
    admission = await doors.admission(await links.make("claim", "bob"))
    assert admission.user == "bob"
    assert (await doors.register(admission, "mallory")).user == "bob"
    assert await accounts.find("mallory") is None


async def test_a_name_that_is_taken_costs_no_link(accounts: Accounts, links: Links) -> None:
    """Whoever has it tries another name."""
    await accounts.register("alice", admin=True)
    doors = joining(accounts, links, "invited")
    token = await links.make("invite")
    with pytest.raises(Refusal) as caught:
        await doors.register(await doors.admission(token), "alice")
    assert caught.value.code is Code.ALREADY_EXISTS
    await doors.register(await doors.admission(token), "bob")


async def test_links_end(accounts: Accounts, links: Links, clock: Clock) -> None:
    """After their time; and one of another purpose lets nobody sign up."""
    await accounts.register("alice", admin=True)
    doors = joining(accounts, links)
    token = await links.make("invite")
    await is_refused(doors.admission(await links.make("recover", "alice")), "has been used")
    clock.now += LIFETIMES_S["invite"] - 1
    await doors.admission(token)
    clock.now += 1
    await is_refused(doors.admission(token), "has been used")


async def test_only_a_hash_of_a_link_is_stored(llum: Llum, links: Links) -> None:
    """Whoever reads the bucket cannot use one; forgetting a person takes theirs along."""
    token = await links.make("recover", "alice")
    bucket = Bucket(llum.bus, ACCOUNT_BUCKET)
    stored = [one for one in await bucket.list(">") if one.key.startswith("link.")]
    assert len(stored) == 1
    assert token not in str(stored)
    await Accounts(llum.bus, llum.requests).erase_user("alice")
    assert await links.find(token) is None

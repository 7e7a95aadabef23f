"""Signing up, on pages."""

from collections.abc import Callable

import pytest

from bus.as_app import new_id
from edge_http.accounts.reception import SIGN_UPS
from identity.accounts.events import events_of
from schemas.commands import MakeModel
from schemas.queries import Access, Ask
from schemas.replies import AccessReply, AskReply
from tests.edge_http.accounts.conftest import Site
from tests.edge_http.accounts.walking import GOOD
from tests.identity.accounts.authenticator import Authenticator

TLS = {"origin": "https://llum.example", "host": "llum.example"}


async def first_link(site: Site) -> str:
    return await site.reception.links.make("first")


async def test_the_first_person_is_told_that_they_are_administrator(site: Site) -> None:
    """With the first link and a passkey; nobody is let in without it, and it works once."""
    stranger = site.browser()
    refused = await stranger.open("/sign-up")
    assert (refused.status, "no account yet" in refused.text) == (403, True)
    link, browser = await first_link(site), site.browser()
    done = await browser.sign_up_with_passkey("alice", Authenticator(**TLS), link)
    assert done.location == "/account/welcome"
    assert "You are the administrator" in (await browser.open(done.location)).text
    assert await browser.whoami() == "alice"
    assert (await stranger.open(f"/sign-up?link={link}")).status == 403


async def test_signing_up_makes_the_persons_model(site: Site) -> None:
    """llum speaks for its owner, Personal has what was typed, and the record says that somebody has signed up."""
    browser = site.browser()
    await browser.sign_up("alice", await first_link(site), firstname="Alice", email="a@example.org")
    access = await site.llum.requests.ask("alice", "llum", Access())
    assert isinstance(access, AccessReply)
    assert access.role == "owner"
    reply = await site.llum.requests.ask("alice", "llum", Ask(context=["Personal"]))
    assert isinstance(reply, AskReply)
    assert {one.path[-1]: one.value for one in reply.components if one.value} == {
        "firstname": "Alice", "email": "a@example.org",
    }  # fmt: skip
    assert [one.verb for one in await events_of(site.llum.bus, "alice")] == ["signed_up"]


async def test_passkeys_and_passwords_let_in_again(site: Site) -> None:
    """In another browser; each person gets into their own account."""
    authenticator = Authenticator(**TLS)
    await site.browser().sign_up_with_passkey("alice", authenticator, await first_link(site))
    await site.browser().sign_up("bob")
    again = site.browser()
    assert (await again.sign_in_with_passkey(authenticator)).location.startswith("/")
    assert await again.whoami() == "alice"
    assert (await again.sign_in("bob", then="/account")).location == "/account"
    assert await again.whoami() == "bob"


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"user": ""}, "user", "1 to 64"),
        ({"user": "al ice"}, "user", "1 to 64"),
        ({"user": "_admin"}, "user", "llum's own"),
        ({"user": "first"}, "user", "taken"),
        ({"user": "f1rst-one"}, "user", "looks like a name that is"),
        ({"user": "bob", "email": "bob"}, "email", "no e-mail"),
        ({"user": "bob", "firstname": "B\u202eob"}, "firstname", "RIGHT-TO-LEFT"),
        ({"user": "bob", "lastname": "x" * 300}, "lastname", "at most 200"),
    ],
)
async def test_what_is_wrong_stands_next_to_its_field(site: Site, typed: dict[str, str], field: str, says: str) -> None:
    """In plain words, and what was typed is still there."""
    await site.browser().sign_up("first", await first_link(site))
    await site.browser().sign_up("flrst-one")
    named = {"firstname": "Robert", **{name: one for name, one in typed.items() if name != "user"}}
    page = await site.browser().choose_name(typed["user"], **named)
    assert page.status in (400, 409)
    assert says in page.error(field)
    assert page.value("user") == typed["user"]
    assert page.value("firstname") == named["firstname"]


async def test_a_weak_password_is_explained_and_never_shown_again(site: Site) -> None:
    """The rest of what was typed is kept, and the passkey is still offered."""
    browser = site.browser()
    page = await browser.sign_up("alice", await first_link(site), password="password1", firstname="Alice")
    assert page.status == 400
    assert "very common" in page.error("password")
    assert "password1" not in page.text
    assert (page.value("user"), page.value("firstname")) == ("alice", "Alice")
    assert page.options
    again = {"way": "password", "user": "alice", "link": page.value("link"), "password": GOOD}
    assert (await browser.send(page, "/sign-up", **again)).location == "/account/welcome"


async def test_a_name_in_capitals_is_written_in_small_letters(site: Site) -> None:
    """As whoever signs in types it, too."""
    await site.browser().sign_up(" Alice ", await first_link(site))
    browser = site.browser()
    await browser.sign_in("ALICE")
    assert await browser.whoami() == "alice"


async def test_a_model_of_the_operator_is_claimed_by_its_link_alone(site: Site) -> None:
    """Whoever else wants the name is refused."""
    await site.llum.do(MakeModel(id=new_id()), "bob", "_admin")
    await site.browser().sign_up("alice", await first_link(site))
    assert "taken" in (await site.browser().choose_name("bob")).error("user")
    browser, link = site.browser(), await site.reception.links.make("claim", "bob")
    assert "bob" in (await browser.open(f"/sign-up?link={link}")).text
    assert (await browser.sign_up("mallory", link)).location == "/account/welcome"
    assert await browser.whoami() == "bob"


@pytest.mark.parametrize(("policy", "says"), [("invited", "by invitation"), ("closed", "no new accounts")])
async def test_who_may_sign_up_is_a_setting(make_site: Callable[..., Site], policy: str, says: str) -> None:
    """It is said at the door; an invitation opens it, unless it is closed."""
    site = make_site(sign_up=policy)
    async with site.http:
        await site.browser().sign_up("alice", await first_link(site))
        assert says in (await site.browser().open("/sign-up")).text
        done = await site.browser().open(f"/sign-up?link={await site.reception.links.make('invite')}")
        assert done.status == (403 if policy == "closed" else 200)


async def test_signing_up_is_limited_by_address(site: Site) -> None:
    """429, with the time to wait."""
    browser = site.browser()
    page = await browser.choose_name("alice", link := await first_link(site))
    sent = {"way": "password", "user": "alice", "link": link, "password": "short"}
    for _ in range(SIGN_UPS):
        assert (await browser.send(page, "/sign-up", **sent)).status == 400
    limited = await browser.send(page, "/sign-up", **sent)
    assert limited.status == 429
    assert int(limited.headers["Retry-After"]) > 0


async def test_a_passkey_made_for_another_name_makes_no_account(site: Site) -> None:
    """The name and the handle are part of what was signed."""
    browser, authenticator = site.browser(), Authenticator(**TLS)
    page = await browser.choose_name("alice", link := await first_link(site))
    credential = authenticator.make(page.options)
    sent = {"way": "passkey", "user": "bob", "link": link, "credential": credential, "handle": page.value("handle")}
    refused = await browser.send(page, "/sign-up", **sent)
    assert refused.status == 400
    assert await site.reception.accounts.list() == []
    assert not await site.reception.links.is_founded()

"""One's own account and those of others, on pages."""

import re
import time
from typing import Any

import msgspec
import pytest

from bus.as_app import AsApp, LastWrites, new_id
from identity.accounts.events import events_of
from identity.sessions.session import FRESH_S
from schemas.apps import OWNER_APP
from schemas.commands import SetTimeZone
from tests.edge_http.accounts.conftest import Site
from tests.edge_http.accounts.walking import GOOD, Walker
from tests.identity.accounts.authenticator import Authenticator

TLS = {"origin": "https://llum.example", "host": "llum.example"}
OTHER = "paper garden kettle"


@pytest.fixture
async def alice(site: Site) -> Walker:
    """Alice's browser: she has signed up with a password, as the first."""
    browser = site.browser()
    await browser.sign_up("alice", await site.reception.links.make("first"), firstname="Alice")
    return browser


@pytest.fixture
async def bob(site: Site, alice: Walker) -> Walker:
    browser = site.browser()
    await browser.sign_up("bob")
    return browser


async def let_time_pass(site: Site, user: str) -> None:
    """Let somebody's sign-in be longer ago than is fresh."""
    sessions = site.authenticator.sessions
    for one in await sessions.sessions_of(user):
        old = msgspec.structs.replace(one.session, authenticated=time.time() - FRESH_S)
        await sessions._bucket.put(one.key, msgspec.json.encode(old))
        sessions._changed(one.key)


async def test_an_account_is_seen_by_its_person_alone(site: Site, bob: Walker) -> None:
    """Whoever is not signed in is sent to sign in, and comes back."""
    assert "You are bob" in re.sub(r"<[^>]*>", "", (await bob.open("/account")).text)
    assert (await site.browser().open("/account")).location == "/sign-in?then=%2Faccount"


async def test_a_changed_password_ends_the_other_sessions(site: Site, alice: Walker) -> None:
    """The one that changed it goes on; the old password is worth nothing."""
    elsewhere = site.browser()
    await elsewhere.sign_in("alice")
    done = await alice.send(await alice.open("/account"), "/account/password", password=OTHER)
    assert done.location == "/account?done=password"
    assert await alice.whoami() == "alice"
    assert await elsewhere.whoami() is None
    assert (await site.browser().sign_in("alice", GOOD)).status == 401
    assert (await site.browser().sign_in("alice", OTHER)).status == 303


async def test_passkeys_are_added_named_and_removed(site: Site, alice: Walker) -> None:
    """One that is removed lets nobody in, and ends what was signed in elsewhere."""
    blue = Authenticator(**TLS)
    page = await alice.open("/account")
    await alice.send(page, "/account/passkeys/add", credential=blue.make(page.options), name="Blue key")
    page = await alice.open("/account?done=passkey")
    assert "Blue key" in page.text
    passkey = page.value("passkey")
    await alice.send(page, "/account/passkeys/rename", passkey=passkey, name="Green key")
    elsewhere = site.browser()
    await elsewhere.sign_in_with_passkey(blue)
    assert await elsewhere.whoami() == "alice"
    page = await alice.open("/account")
    assert "Green key" in page.text
    await alice.send(page, "/account/passkeys/remove", passkey=passkey)
    assert "Green key" not in (await alice.open("/account")).text
    assert await elsewhere.whoami() is None
    assert (await site.browser().sign_in_with_passkey(blue)).status == 400


async def test_the_last_way_to_sign_in_stays(site: Site, alice: Walker) -> None:
    """Be it the password or a passkey."""
    refused = await alice.send(await alice.open("/account"), "/account/password/remove")
    assert "only way to sign in" in refused.text
    key = Authenticator(**TLS)
    page = await alice.open("/account")
    await alice.send(page, "/account/passkeys/add", credential=key.make(page.options))
    page = await alice.open("/account")
    assert (await alice.send(page, "/account/password/remove")).location == "/account?done=no-password"
    page = await alice.open("/account")
    refused = await alice.send(page, "/account/passkeys/remove", passkey=page.value("passkey"))
    assert "only way to sign in" in refused.text
    assert (await site.browser().sign_in_with_passkey(key)).status == 303


async def test_a_name_is_told_to_the_model(site: Site, alice: Walker) -> None:
    """Only what is new; what is wrong stands next to its field."""
    page = await alice.open("/account")
    assert page.value("firstname") == "Alice"
    sent = {"firstname": "Al", "lastname": "Smith", "email": ""}
    assert (await alice.send(page, "/account/name", **sent)).location == "/account?done=name"
    page = await alice.open("/account")
    assert (page.value("firstname"), page.value("lastname")) == ("Al", "Smith")
    refused = await alice.send(page, "/account/name", **(sent | {"firstname": "A\u202el"}))
    assert "RIGHT-TO-LEFT" in refused.error("firstname")


@pytest.mark.parametrize(
    "path",
    ["/account/passkeys/add", "/account/passkeys/rename", "/account/passkeys/remove", "/account/password",
     "/account/password/remove", "/account/recovery-codes", "/account/delete", "/admin/invite",
     "/admin/make-administrator"],
)  # fmt: skip
async def test_what_matters_asks_for_a_fresh_sign_in(site: Site, alice: Walker, path: str) -> None:
    """Step-up: a browser is sent to sign in once more, and nothing has changed."""
    page = await alice.open("/account")
    before = await site.reception.accounts.find("alice")
    await let_time_pass(site, "alice")
    sent = await alice.send(page, path, password=OTHER, user="alice", confirm="alice")
    assert sent.location.startswith("/sign-in")
    assert await site.reception.accounts.find("alice") == before
    again = await alice.open(sent.location)
    assert "Is it still you, alice?" in again.text


async def test_a_person_deletes_their_account_and_gets_the_receipt(site: Site, alice: Walker, bob: Walker) -> None:
    """After their name was typed; the session ends, and the page says what was erased and that nothing is left."""
    asked: list[str] = []

    async def forget(user: str) -> dict[str, Any]:
        asked.append(user)
        await site.reception.accounts.erase_user(user)
        counts = {"models": 1, "evidence": 3, "accounts": 1, "tokens": 0}
        return {"removed": counts, "left": dict.fromkeys(counts, 0), "told_by": [], "not_looked_at": []}

    site.reception.forget = forget
    page = await bob.open("/account")
    assert "Type your name" in (await bob.send(page, "/account/delete", confirm="alice")).text
    assert asked == []
    done = await bob.send(page, "/account/delete", confirm="bob")
    assert (done.status, asked) == (200, ["bob"])
    assert "Your account is deleted" in done.text
    assert "evidence" in done.text
    assert await bob.whoami() is None
    assert (await site.browser().sign_in("bob")).status == 401


async def test_administrators_see_accounts_and_nobody_elses_values(site: Site, alice: Walker, bob: Walker) -> None:
    """Bob is none, and is told so; Alice sees that he is there, and nothing of his model."""
    await bob.send(await bob.open("/account"), "/account/name", firstname="Robertino", lastname="", email="")
    page = await alice.open("/admin")
    assert page.status == 200
    assert "bob" in page.text
    assert "Robertino" not in page.text
    assert (await bob.open("/admin")).status == 403
    page = await bob.open("/account")
    for path in ("/admin/invite", "/admin/make-administrator"):
        assert (await bob.send(page, path, user="bob")).status == 403
    account = await site.reception.accounts.find("bob")
    assert account is not None
    assert not account.admin
    model = await alice.get("/model/Personal", "text/html")
    assert "Robertino" not in await model.text()


async def test_an_administrator_makes_another_one_which_stands_in_their_record(
    site: Site, alice: Walker, bob: Walker
) -> None:
    """And is asked again for a name of which there is no account."""
    page = await alice.open("/admin")
    assert "no account" in (await alice.send(page, "/admin/make-administrator", user="nobody")).error("user")
    assert "bob is an administrator now" in (await alice.send(page, "/admin/make-administrator", user="bob")).text
    assert (await bob.open("/admin")).status == 200
    assert "administrator alice" in (await bob.open("/account")).text
    assert ("made_administrator", "admin:alice") in [
        (one.verb, one.by) for one in await events_of(site.llum.bus, "bob")
    ]


async def test_an_invitation_is_shown_once_and_good_for_one(site: Site, alice: Walker) -> None:
    """It holds llum's public address."""
    page = await alice.send(await alice.open("/admin"), "/admin/invite")
    link = re.search(r"https://llum\.example/sign-up\?link=([A-Za-z0-9_-]+)", page.text)
    assert link
    assert link[1] not in (await alice.open("/admin")).text
    assert (await site.browser().sign_up("carol", link[1])).location == "/account/welcome"
    assert (await site.browser().open(f"/sign-up?link={link[1]}")).status == 403


async def test_times_are_by_the_persons_own_clock(site: Site, alice: Walker) -> None:
    """What happened to the account stands in the time zone that its model says."""
    before = (await alice.open("/account")).text
    zone = SetTimeZone(id=new_id(), time_zone="Asia/Tokyo")
    await AsApp(site.llum.requests, "alice", OWNER_APP, LastWrites()).send(zone)
    after = (await alice.open("/account")).text
    assert [" UTC</time>" in page for page in (before, after)] == [True, False]
    assert [" UTC</time>" in (await alice.open(path)).text for path in ("/sessions", "/admin")] == [False, False]

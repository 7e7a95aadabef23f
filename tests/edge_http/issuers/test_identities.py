"""Linked identities: one more after a fresh proof, one less unless it is the last way in."""

from tests.edge_http.issuers.browsing import Browsing, browsing
from tests.edge_http.issuers.conftest import Stage
from tests.edge_http.issuers.test_first_sign_in import REGISTER

LINK = "/identities/link"
UNLINK = "/identities/unlink"


async def signed_up(stage: Stage, browser: Browsing, issuer: str = "there") -> None:
    await browser.send(await browser.go(f"{stage.url}/sign-in/with/{issuer}"), REGISTER)


async def fresh(stage: Stage, browser: Browsing, issuer: str = "there") -> None:
    """Prove at the issuer once more who one is, which it says it was just now."""
    hostile = stage.there if issuer == "there" else stage.other
    hostile.claims["auth_time"] = hostile.claims["iat"]
    await browser.go(f"{stage.url}/sign-in/with/{issuer}")
    assert (hostile.sent[-1]["max_age"], hostile.sent[-1]["prompt"]) == ("300", "login")


async def test_one_more_identity_opens_the_same_account(stage: Stage, browser: Browsing) -> None:
    """Linked from the list, through a page that leads there without a script; then both sign in the same person."""
    await signed_up(stage, browser)
    await fresh(stage, browser)
    page = await browser.go(f"{stage.url}/identities")
    page = await browser.send(page, LINK, button={"issuer": "other"})
    assert (page.path, page.status) == ("/identities", 200)
    assert "Other · ada@there.example" in page.text
    assert "There · ada@there.example" in page.text
    async with browsing() as another:
        await another.go(f"{stage.url}/sign-in/with/other")
        assert await stage.user_in(another) == "ada"


async def test_linking_asks_for_a_fresh_proof(stage: Stage, browser: Browsing) -> None:
    """Who has proven too long ago who they are is sent to sign in once more; so is whose issuer does not say when."""
    await signed_up(stage, browser)
    page = await browser.go(f"{stage.url}/identities")
    for action, button in ((LINK, {"issuer": "other"}), (LINK, {"issuer": "there"})):
        asked = len(stage.other.asked)
        await browser.send(page, action, button=button)
        assert any("/sign-in?then=" in url for url in browser.history)
        assert len(stage.other.asked) == asked
    await fresh(stage, browser)
    await stage.make_stale(browser)
    await browser.send(await browser.go(f"{stage.url}/identities"), LINK, button={"issuer": "other"})
    assert stage.other.sent == []


async def test_a_sign_in_that_was_remembered_is_not_fresh(stage: Stage, browser: Browsing) -> None:
    """An issuer that is asked for a new proof has to say when it was: it may have remembered the person."""
    await signed_up(stage, browser)
    page = await browser.go(f"{stage.url}/sign-in/with/there")
    assert (page.status, "does not say that you have just now" in page.text) == (400, True)
    stage.there.claims["auth_time"] = stage.there.claims["iat"] - 3600
    page = await browser.go(f"{stage.url}/sign-in/with/there")
    assert page.status == 400


async def test_an_identity_of_somebody_else_is_not_linked(stage: Stage, browser: Browsing) -> None:
    """It stays theirs, and the page says so."""
    async with browsing() as another:
        await signed_up(stage, another, "other")
    stage.there.userinfo["email"] = "bob@there.example"
    await signed_up(stage, browser)
    await fresh(stage, browser)
    page = await browser.send(await browser.go(f"{stage.url}/identities"), LINK, button={"issuer": "other"})
    assert page.status == 409
    async with browsing() as another:
        await another.go(f"{stage.url}/sign-in/with/other")
        assert await stage.user_in(another) == "ada"


async def test_the_last_way_in_stays(stage: Stage, browser: Browsing) -> None:
    """It is not offered to be unlinked, and who asks for it all the same is refused. One of two can go."""
    await signed_up(stage, browser)
    await fresh(stage, browser)
    page = await browser.go(f"{stage.url}/identities")
    assert "only way in" in page.text
    account = await stage.accounts.find("ada")
    assert account is not None
    [first] = [one.key for one in account.identifiers if one.kind == "oidc"]
    page = await browser.send(page, LINK, button={"issuer": "other"})
    page = await browser.send(page, UNLINK, button={"identity": first})
    assert (page.path, page.status) == ("/identities", 200)
    assert "There ·" not in page.text
    async with browsing() as another:
        assert (await another.go(f"{stage.url}/sign-in/with/there")).path == REGISTER
    account = await stage.accounts.find("ada")
    assert account is not None
    [last] = [one.key for one in account.identifiers if one.kind == "oidc"]
    forged = page.form(LINK, issuer="other")._replace(action=UNLINK)
    refused = await browser.send(page._replace(forms=[forged]), UNLINK, fields={"identity": last})
    assert refused.status == 409
    account = await stage.accounts.find("ada")
    assert account is not None
    assert account.has("oidc", last)


async def test_whoever_set_out_to_link_must_still_be_there(stage: Stage, browser: Browsing) -> None:
    """Signed out, or signed in as somebody else meanwhile: nothing is linked to anybody."""
    await signed_up(stage, browser)
    await fresh(stage, browser)
    page = await browser.go(f"{stage.url}/identities")
    onward = await browser.send(page, LINK, button={"issuer": "other"}, follow=False)
    browser.forget("llumsessionid")
    page = await browser.go(onward.refresh or "")
    assert page.status == 400
    assert await stage.accounts.by_identifier("oidc", stage.key_at(stage.other)) is None
    page = await browser.go(f"{stage.url}/sign-in/with/there?then=/identities")
    onward = await browser.send(page, LINK, button={"issuer": "other"}, follow=False)
    stage.there.speak_of("person-2")
    browser.forget("llumsessionid")
    await signed_up(stage, browser)
    assert await stage.user_in(browser) == "ada-2"
    page = await browser.go(onward.refresh or "")
    assert page.status == 400
    assert await stage.accounts.by_identifier("oidc", stage.key_at(stage.other)) is None

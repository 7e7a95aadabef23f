"""The first time that somebody comes from an issuer, and the times after it."""

import json

import pytest
import structlog.testing

from identity.accounts.events import events_of
from identity.accounts.links import Links
from identity.accounts.models import make_model
from schemas.queries import Access
from schemas.replies import AccessReply
from tests.edge_http.issuers.browsing import Browsing, browsing
from tests.edge_http.issuers.conftest import Stage
from tests.identity.issuers.hostile import ACCESS_TOKEN, SECRET

REGISTER = "/sign-up/with"


async def test_one_click_makes_account_and_model(stage: Stage, browser: Browsing) -> None:
    """The page proposes an id and shows what will be known; the model then holds it, with the issuer as its source."""
    page = await browser.go(f"{stage.url}/sign-in/with/there?then=/identities")
    assert (page.path, page.status) == (REGISTER, 200)
    assert page.form(REGISTER).fields["user"] == "ada"
    for shown in ("Ada", "Lovelace", "ada@there.example", "There"):
        assert shown in page.text
    assert await stage.accounts.find("ada") is None
    page = await browser.send(page, REGISTER)
    assert (page.path, page.status) == ("/identities", 200)
    assert await stage.user_in(browser) == "ada"
    personal = await stage.personal("ada")
    assert {name: (one.value, one.source) for name, one in personal.items()} == {
        "firstname": ("Ada", "there"),
        "lastname": ("Lovelace", "there"),
        "email": ("ada@there.example", "there"),
        "gid": ("person-1", "there"),
    }
    access = await stage.llum.requests.ask("ada", "llum", Access())
    assert isinstance(access, AccessReply)
    assert access.role == "owner"


async def test_who_comes_again_is_signed_in_and_nothing_is_told(stage: Stage, browser: Browsing) -> None:
    """From any browser, whatever the issuer says of them meanwhile: the person has the last word on their model."""
    await browser.send(await browser.go(f"{stage.url}/sign-in/with/there"), REGISTER)
    before = await stage.personal("ada")
    stage.there.claims |= {"given_name": "Augusta", "email": "new@there.example", "preferred_username": "augusta"}
    async with browsing() as another:
        page = await another.go(f"{stage.url}/sign-in/with/there?then=/identities")
        assert (page.path, page.status) == ("/identities", 200)
        assert await stage.user_in(another) == "ada"
    assert await stage.personal("ada") == before
    assert stage.there.asked.count("/userinfo") == 1


async def test_who_may_sign_up_is_the_same_as_without_an_issuer(new_stage: Stage, browser: Browsing) -> None:
    """Of an llum without accounts the first one is for the holder of the first link, who becomes administrator."""
    page = await browser.go(f"{new_stage.url}/sign-in/with/there")
    assert page.status == 403
    assert "first link" in page.text
    token = await Links(new_stage.llum.bus).make("first")
    page = await browser.go(f"{new_stage.url}/sign-in/with/there?link={token}")
    assert "administrator" in page.text
    await browser.send(page, REGISTER)
    account = await new_stage.accounts.find("ada")
    assert account is not None
    assert account.admin
    async with browsing() as another:
        new_stage.there.speak_of("person-2")
        assert (await another.go(f"{new_stage.url}/sign-in/with/there?link={token}")).status == 403


async def test_who_claims_a_model_gets_that_one(stage: Stage, browser: Browsing) -> None:
    """The operator has made it, and the link names it: there is nothing to choose. What the issuer says is added."""
    await make_model(stage.llum.requests, "countess")
    token = await Links(stage.llum.bus).make("claim", "countess")
    page = await browser.go(f"{stage.url}/sign-in/with/there?link={token}")
    assert "countess" in page.text
    await browser.send(page, REGISTER, {"user": "somebody-else"})
    assert await stage.user_in(browser) == "countess"
    assert (await stage.personal("countess"))["firstname"].value == "Ada"


async def test_a_person_sees_what_was_done_with_their_account(stage: Stage, browser: Browsing) -> None:
    """Signing up and in, in the record of who asked."""
    await browser.send(await browser.go(f"{stage.url}/sign-in/with/there"), REGISTER)
    async with browsing() as another:
        await another.go(f"{stage.url}/sign-in/with/there")
    rows = await events_of(stage.llum.bus, "ada")
    assert [row.verb for row in rows] == ["signed_in_with_issuer", "signed_up"]


async def test_a_same_address_is_not_the_same_person(stage: Stage, browser: Browsing) -> None:
    """Who has the e-mail of somebody, at another issuer or under another subject, registers as somebody else."""
    await browser.send(await browser.go(f"{stage.url}/sign-in/with/there"), REGISTER)
    stage.other.claims |= {"sub": "person-1", "email": "ada@there.example", "email_verified": True}
    async with browsing() as stranger:
        page = await stranger.go(f"{stage.url}/sign-in/with/other")
        assert page.path == REGISTER
        assert page.form(REGISTER).fields["user"] == "ada-2"
        assert await stage.user_in(stranger) is None
        await stranger.send(page, REGISTER)
        assert await stage.user_in(stranger) == "ada-2"
    assert await stage.user_in(browser) == "ada"


async def test_an_id_that_cannot_be_is_chosen_anew(stage: Stage, browser: Browsing) -> None:
    """One that is taken, looks like one, or is none: the page says so, and nothing is lost."""
    async with browsing() as first:
        await first.send(await first.go(f"{stage.url}/sign-in/with/there"), REGISTER)
    stage.there.speak_of("person-2")
    page = await browser.go(f"{stage.url}/sign-in/with/there")
    for wrong in ("ada", "Ädä", "_admin", "two words", ""):
        page = await browser.send(page, REGISTER, fields={"user": wrong})
        assert (page.path, page.status) == (REGISTER, 422), wrong
    page = await browser.send(page, REGISTER, fields={"user": " Countess "})
    assert await stage.user_in(browser) == "countess"
    again = await browser.go(f"{stage.url}{REGISTER}")
    assert again.status == 400
    assert "sign in once more" in again.text.lower()


async def test_what_an_issuer_says_is_text(stage: Stage, browser: Browsing) -> None:
    """Markup in a name is shown, not obeyed."""
    stage.there.userinfo["given_name"] = '<script>alert(1)</script>"'
    page = await browser.go(f"{stage.url}/sign-in/with/there")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize("path", ["/sign-in/with/nobody", "/signed-in/nobody", "/sign-in/with/%2e%2e"])
async def test_nobody_signs_in_where_no_issuer_is_known(path: str, stage: Stage, browser: Browsing) -> None:
    """A page says so, in words and with the status of its code."""
    page = await browser.go(stage.url + path)
    assert page.status == 404


async def test_no_log_line_holds_what_must_not_be_told(stage: Stage, browser: Browsing) -> None:
    """Neither tokens, codes and secrets, nor what the issuer says of a person."""
    with structlog.testing.capture_logs() as lines:
        await browser.send(await browser.go(f"{stage.url}/sign-in/with/there"), REGISTER)
        stage.there.claims["aud"] = "another"
        await browser.go(f"{stage.url}/sign-in/with/there")
    assert "sign_in_not_proven" in [line["event"] for line in lines]
    written = json.dumps(lines, default=str)
    secrets = (
        ACCESS_TOKEN,
        SECRET,
        "code-1",
        "Lovelace",
        "ada@there",
        stage.there.signed(),
        stage.there.sent[-1]["state"],
    )
    assert [one for one in secrets if one in written] == []

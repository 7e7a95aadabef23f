"""What others try with the way to an issuer and back: each try ends with nobody signed in who was not, and a page."""

import pytest

from edge_http.issuers.bounds import AT_ONCE
from tests.edge_http.issuers.browsing import Browsing, browsing
from tests.edge_http.issuers.conftest import Stage
from tests.edge_http.issuers.test_first_sign_in import REGISTER
from tests.edge_http.issuers.test_identities import LINK, UNLINK, signed_up


async def way_back(stage: Stage, browser: Browsing, issuer: str = "there") -> str:
    """Let a browser go to the issuer, and give where that sends it back to, without going there."""
    onward = await browser.go(f"{stage.url}/sign-in/with/{issuer}", follow=False)
    sent = await browser.go(onward.headers["Location"], follow=False)
    return sent.headers["Location"]


async def test_29_an_answer_is_taken_from_the_browser_that_was_sent(stage: Stage, browser: Browsing) -> None:
    """Who makes a victim's browser bring the attacker's answer signs nobody in (login CSRF)."""
    async with browsing() as attacker:
        await signed_up(stage, attacker)
        answer = await way_back(stage, attacker)
    page = await browser.go(answer)
    assert page.status == 400
    assert await stage.user_in(browser) is None
    await browser.go(f"{stage.url}/sign-in/with/other")
    async with browsing() as attacker:
        answer = await way_back(stage, attacker)
    assert (await browser.go(answer)).status == 400


async def test_29_an_answer_counts_once(stage: Stage, browser: Browsing) -> None:
    """Going back in the history brings nobody in again."""
    await signed_up(stage, browser)
    answer = await way_back(stage, browser)
    await browser.go(answer)
    browser.forget("llumsessionid")
    page = await browser.go(answer)
    assert page.status == 400
    assert await stage.user_in(browser) is None


async def test_29_an_answer_counts_at_the_address_of_its_issuer(stage: Stage, browser: Browsing) -> None:
    """An issuer that sends people on to another's address gets nobody's code (mix-up)."""
    answer = await way_back(stage, browser)
    page = await browser.go(answer.replace("/signed-in/there", "/signed-in/other"))
    assert page.status == 400
    assert stage.other.forms == []
    stage.there.sends_back = {"iss": stage.other.url}
    assert (await browser.go(await way_back(stage, browser))).status == 400
    assert stage.there.forms == []


@pytest.mark.parametrize("doubled", ["state", "code", "iss"])
async def test_29_an_answer_says_nothing_twice(doubled: str, stage: Stage, browser: Browsing) -> None:
    """Who reads the first and who reads the second would believe different things."""
    answer = await way_back(stage, browser)
    assert (await browser.go(f"{answer}&{doubled}=x")).status == 400
    assert stage.there.forms == []


async def test_29_an_answer_that_was_made_up_is_refused(stage: Stage, browser: Browsing) -> None:
    """Without a state, with an error, with odd bytes, and before anybody was sent."""
    for query in ("", "?state=", "?state=x&code=y", "?error=access_denied", "?state=%ff%00&code=%ff", "?state[]=x"):
        page = await browser.go(f"{stage.url}/signed-in/there{query}")
        assert (page.status, "not_proven" in page.text) == (400, False), query
    await way_back(stage, browser)
    assert (await browser.go(f"{stage.url}/signed-in/there?state=x&code=y&iss={stage.there.url}")).status == 400


async def test_who_turns_back_at_the_issuer_is_told_how_to_go_on(stage: Stage, browser: Browsing) -> None:
    """With the status of a refusal, and a way to the sign-in page."""
    stage.there.sends_back = {"error": "access_denied"}
    page = await browser.go(f"{stage.url}/sign-in/with/there")
    assert page.status == 403
    assert "/sign-in" in page.links


@pytest.mark.parametrize(
    "then", ["//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aX: y", "javascript:1"]
)
async def test_the_way_back_leads_to_no_other_site(then: str, stage: Stage, browser: Browsing) -> None:
    """Whatever was asked for: after signing in one is here."""
    await signed_up(stage, browser)
    browser.forget("llumsessionid")
    page = await browser.go(f"{stage.url}/sign-in/with/there?then={then}")
    assert page.url.startswith(stage.url + "/")
    assert "evil" not in page.path


async def test_no_form_is_taken_from_another_site(stage: Stage, browser: Browsing) -> None:
    """Registering, linking and unlinking each need the page's token and our origin (CSRF)."""
    page = await browser.go(f"{stage.url}/sign-in/with/there")
    await refused(stage, browser, page, REGISTER)
    assert await stage.accounts.find("ada") is None
    await browser.send(page, REGISTER)
    listed = await browser.go(f"{stage.url}/identities")
    await refused(stage, browser, listed, LINK)
    await refused(stage, browser, listed, UNLINK)
    assert stage.other.sent == []


async def refused(stage: Stage, browser: Browsing, page: object, action: str) -> None:
    """Send a form as another site would, and with a wrong token: it is refused both times."""
    from tests.edge_http.issuers.browsing import FoundForm, Shown

    assert isinstance(page, Shown)
    token = page.forms[-1].fields["csrf_token"]
    fields = {"user": "ada", "issuer": "other", "identity": "x", "csrf_token": token}
    forged = page._replace(url="http://evil.example/", forms=[FoundForm(stage.url + action, "POST", fields)])
    assert (await browser.send(forged, stage.url + action)).status == 403
    without = forged._replace(url=page.url, forms=[FoundForm(action, "POST", fields | {"csrf_token": "wrong"})])
    assert (await browser.send(without, action)).status == 403


async def test_who_waits_for_an_id_waits_in_one_browser(stage: Stage, browser: Browsing) -> None:
    """Another has nothing to register, whatever it sends."""
    await browser.go(f"{stage.url}/sign-in/with/there")
    async with browsing() as other:
        page = await other.go(f"{stage.url}{REGISTER}")
        assert page.status == 400
        assert await stage.user_in(other) is None


async def test_an_address_sets_out_so_often(stage: Stage, browser: Browsing) -> None:
    """Each time something is kept here. Who does it all the time is told when to come back."""
    for _ in range(10 * AT_ONCE):
        page = await browser.go(f"{stage.url}/sign-in/with/there", follow=False)
        if page.status != 303:
            break
    assert page.status == 429
    assert int(page.headers["Retry-After"]) >= 1


async def test_an_issuer_that_is_away_is_away_alone(stage: Stage, browser: Browsing) -> None:
    """People are told when to come back, and sign in at the others."""
    stage.there.metadata["issuer"] = "https://elsewhere.example"
    page = await browser.go(f"{stage.url}/sign-in/with/there")
    assert (page.status, page.headers["Retry-After"]) == (503, "30")
    assert "There does not answer as it should" in page.text
    await signed_up(stage, browser, "other")
    assert await stage.user_in(browser) == "ada"


async def test_programs_read_the_code_of_an_error(stage: Stage, browser: Browsing) -> None:
    """In JSON, as everywhere."""
    import aiohttp

    async with aiohttp.ClientSession() as program:
        for path, status, code in (
            ("/sign-in/with/nobody", 404, "no_such_issuer"),
            ("/signed-in/there", 400, "not_proven"),
        ):
            async with program.get(stage.url + path, allow_redirects=False) as answer:
                assert (answer.status, (await answer.json())["error"]["code"]) == (status, code)


async def test_this_machine_has_one_name_for_issuers(stage: Stage, browser: Browsing) -> None:
    """Who calls it by another one goes there first, or the cookie of the way back would be missing."""
    page = await browser.go(stage.url.replace("127.0.0.1", "localhost") + "/sign-in/with/there")
    assert (page.path, page.status) == (REGISTER, 200)
    assert page.url.startswith(stage.url)


async def test_pages_about_signing_in_have_strict_headers(stage: Stage, browser: Browsing) -> None:
    """Nobody frames or keeps them, and no address is told to anybody; redirects are 303."""
    onward = await browser.go(f"{stage.url}/sign-in/with/there", follow=False)
    assert onward.status == 303
    page = await browser.go(f"{stage.url}/sign-in/with/there")
    for headers in (onward.headers, page.headers):
        assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    cookies = onward.headers.getall("Set-Cookie")  # type: ignore[attr-defined]
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)

"""The list of one's sessions, and their end."""

import time
from collections.abc import AsyncIterator

import pytest

from identity.sessions.store import shown_id
from schemas.errors import Code, Refusal
from tests.edge_http.browser import Browser, token_in
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import context_reply
from tests.edge_http.signing_in import open_edge, signed_in

JSON = "application/json"


@pytest.fixture
async def site() -> AsyncIterator[Edge]:
    async with open_edge() as edge:
        yield edge


async def is_in(browser: Browser) -> bool:
    return (await browser.get("/me", JSON)).status == 200


async def end(browser: Browser, **fields: str) -> int:
    """Press a button of the page; give the status that a program gets."""
    sent = {"csrf_token": await browser.token(), **fields}
    return int((await browser.post("/sessions/end", accept=JSON, data=sent)).status)


async def test_a_person_sees_where_they_are_signed_in(site: Edge) -> None:
    """Place, time and way of each, and which one this is; those of others are not there, and no id opens anything."""
    here = await signed_in(site, place="Firefox on Linux, this machine")
    await signed_in(site, place="Chrome on Android, 192.0.x.x", how="oidc:https://issuer.example", made=5.0)
    await signed_in(site, "bob", place="Safari on iPhone")
    found = (await (await here.get("/sessions", JSON)).json())["sessions"]
    assert [(one["place"], one["this"]) for one in found] == [
        ("Firefox on Linux, this machine", True), ("Chrome on Android, 192.0.x.x", False),
    ]  # fmt: skip
    assert found[1]["how"] == "an account at https://issuer.example"
    assert found[1]["made"] == 5.0
    page = await (await here.get("/sessions")).text()
    assert page.index("this browser") < page.index("Chrome on Android")
    assert "Safari" not in page
    assert here.cookies["llumsessionid"] not in page


async def test_times_are_by_the_persons_own_clock(site: Edge) -> None:
    """In the zone that their model says, or that of the installation where it says none or cannot be read."""
    here = await signed_in(site, made=5.0)
    unread = Refusal(Code.NO_SUCH_MODEL, "there is no model")
    site.requests.replies = [context_reply(time_zone="Asia/Tokyo"), context_reply(), unread]
    pages = [await (await here.get("/sessions")).text() for _ in range(3)]
    shown = ["1 Jan 1970, 09:00<", "1 Jan 1970, 00:00 UTC<", "1 Jan 1970, 00:00 UTC<"]
    assert [time in page for time, page in zip(shown, pages, strict=True)] == [True] * 3


async def test_what_a_browser_says_of_itself_is_no_part_of_the_page(site: Edge) -> None:
    """A place is escaped, wherever it comes from."""
    browser = await signed_in(site, place="<script>alert(1)</script>")
    assert "<script>alert" not in await (await browser.get("/sessions")).text()


async def test_one_session_is_ended(site: Edge) -> None:
    """The other browser is out; this one sees the list as it is then."""
    here, there = await signed_in(site), await signed_in(site)
    token = token_in(await (await here.get("/sessions")).text())
    sent = {"csrf_token": token, "session": shown_id(there.cookies["llumsessionid"])}
    response = await here.post("/sessions/end", data=sent)
    assert (response.status, response.headers["Location"]) == (303, "/sessions?ended=1")
    assert [await is_in(here), await is_in(there)] == [True, False]
    assert await end(here, session=sent["session"]) == 400, "it has ended already"
    assert "One session has ended" in await (await here.get("/sessions?ended=1")).text()


async def test_nobody_ends_the_session_of_another_person(site: Edge) -> None:
    """Whatever the form says."""
    alice, bob = await signed_in(site), await signed_in(site, "bob")
    assert await end(alice, session=shown_id(bob.cookies["llumsessionid"])) == 400
    assert await end(alice, session=bob.cookies["llumsessionid"]) == 400
    assert await end(alice, which="everybody") == 400
    assert await is_in(bob)


async def test_all_others_are_ended(site: Edge) -> None:
    """This one goes on."""
    here, there, bob = await signed_in(site), await signed_in(site), await signed_in(site, "bob")
    assert await end(here, which="others") == 200
    assert [await is_in(one) for one in (here, there, bob)] == [True, False, True]


async def test_signing_out_everywhere_ends_this_one_too(site: Edge) -> None:
    """The browser drops its cookie, and is sent to the way in."""
    here, there = await signed_in(site), await signed_in(site)
    response = await here.post("/sessions/end", data={"csrf_token": await here.token(), "which": "all"})
    assert (response.status, response.headers["Location"]) == (303, "/")
    assert "llumsessionid" not in here.cookies
    assert not await is_in(there)


async def test_ending_sessions_wants_the_token_of_a_page(site: Edge) -> None:
    """And a session: whoever has none is sent to sign in."""
    browser = await signed_in(site, authenticated=time.time() - 86_400)
    assert (await browser.post("/sessions/end", accept=JSON, data={"which": "all"})).status == 403
    assert await is_in(browser)
    assert (await Browser(site).get("/sessions", JSON)).status == 401
    assert (await Browser(site).get("/sessions")).status == 303

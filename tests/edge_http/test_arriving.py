"""Who comes to a page: the facts are found, and session and cookies brought in order on the same response."""

import time
from collections.abc import AsyncIterator

import pytest

from tests.edge_http.browser import Browser, token_in
from tests.edge_http.conftest import Edge
from tests.edge_http.signing_in import open_edge, signed_in


@pytest.fixture
async def site() -> AsyncIterator[Edge]:
    async with open_edge() as edge:
        yield edge


async def state(browser: Browser) -> str:
    response = await browser.get("/test/arrive")
    assert response.status == 200
    return await response.text()


async def test_a_new_visitor_is_welcome(site: Edge) -> None:
    """A first request sets nothing that would make the second one another one."""
    browser = Browser(site)
    assert [await state(browser), await state(browser)] == ["new_visitor", "new_visitor"]


async def test_a_session_goes_on(site: Edge) -> None:
    """As long as the browser knows that somebody has used llum in it: a session alone was carried off from there."""
    browser = await signed_in(site, authenticated=time.time() - 86_400)
    assert await state(browser) == "session_goes_on"
    del browser.cookies["llumprofile"]
    assert await state(browser) == "session_without_profile"


async def test_the_profile_cookie_is_never_trusted(site: Edge) -> None:
    """It makes a page say `welcome back`, whatever it holds."""
    browser = Browser(site)
    for value in ("password", "oidc%3Ahttps%3A%2F%2Fissuer.example", "alice", "%00", "a" * 3000):
        browser.cookies["llumprofile"] = value
        assert await state(browser) == "long_time_no_see"


async def test_a_temporary_user_gets_the_profile_cookie(site: Edge) -> None:
    """On the page that they see, so the next one finds it."""
    browser = await signed_in(site, "guest-1", temporary=True, authenticated=0, how="")
    del browser.cookies["llumprofile"]
    assert await state(browser) == "anonymous_set_profile_cookie"
    assert browser.cookies["llumprofile"] == "temporary"
    assert await state(browser) == "anonymous_go"


async def test_after_the_first_sign_in_of_a_browser_the_way_in_says_welcome(site: Edge) -> None:
    """And not after the second one."""
    browser = Browser(site)
    for wanted in ("/?first=1", "/"):
        token = token_in(await (await browser.get("/test/form")).text())
        response = await browser.post("/test/in", data={"csrf_token": token, "user": "alice"})
        assert response.headers["Location"] == wanted
    assert await state(browser) == "session_goes_on"

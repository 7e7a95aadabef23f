"""Sessions of browsers: their cookies, who is let in, and the way out."""

import time
from collections.abc import AsyncIterator

import pytest

from edge_http.sessions.local_paths import local_path
from edge_http.sessions.places import browser_in_words, coarse
from edge_http.sessions.signing_in import SESSION_LIFETIME_S
from schemas.errors import Code, Transient
from tests.edge_http.browser import HTML, Browser, token_in
from tests.edge_http.conftest import Edge
from tests.edge_http.signing_in import open_edge, signed_in

JSON = "application/json"


@pytest.fixture
async def site() -> AsyncIterator[Edge]:
    async with open_edge() as edge:
        yield edge


async def sign_in(browser: Browser, user: str = "alice", **fields: str) -> str:
    """Sign in by a form, and give where the browser is sent then."""
    token = token_in(await (await browser.get("/test/form")).text())
    response = await browser.post("/test/in", data={"csrf_token": token, "user": user, **fields})
    assert response.status == 303, await response.text()
    return str(response.headers["Location"])


async def test_23_the_id_of_a_session_rotates_at_sign_in(site: Edge) -> None:
    """Whatever id a browser comes with, be it of a live session or planted by somebody: another one counts then."""
    browser = Browser(site)
    await sign_in(browser)
    first = browser.cookies["llumsessionid"]
    await sign_in(browser)
    second = browser.cookies["llumsessionid"]
    assert first != second
    assert list(site.authenticator.sessions.by_id) == [second], "the first one has ended"
    planted = "6f1d2c1e-5a0b-4c55-9b1e-0a8d7d0e1f2a"
    victim = Browser(site)
    victim.cookies["llumsessionid"] = planted
    await sign_in(victim, "bob")
    assert victim.cookies["llumsessionid"] != planted
    attacker = Browser(site)
    attacker.cookies["llumsessionid"] = planted
    assert (await attacker.get("/me", JSON)).status == 401


async def test_23_cookies_are_out_of_reach_for_scripts_and_other_sites(site: Edge) -> None:
    """HttpOnly, SameSite=Lax, for all paths and no other host; the session's outlives the browser, not for ever."""
    browser = Browser(site)
    await browser.get("/test/form")
    set_by_form = dict(browser.last_set)
    await sign_in(browser)
    session, profile = browser.last_set["llumsessionid"], browser.last_set["llumprofile"]
    for morsel in (session, profile, set_by_form["llumvisitor"]):
        assert (morsel["httponly"], morsel["samesite"], morsel["path"], morsel["domain"]) == (True, "Lax", "/", "")
        assert not morsel["secure"], "this llum has no TLS"
    assert int(session["max-age"]) == SESSION_LIFETIME_S
    assert int(profile["max-age"]) > SESSION_LIFETIME_S
    assert set_by_form["llumvisitor"]["max-age"] == ""
    assert profile.value == "password", "it says by what, and not who"


async def test_23_behind_tls_cookies_are_secure_and_of_this_host_alone() -> None:
    """The name promises it to the browser: no other host and no page without TLS can plant one."""
    async with open_edge("https://llum.example") as edge:
        browser = Browser(edge, "https://llum.example")
        await sign_in(browser)
        assert set(browser.cookies) == {"__Host-llumsessionid", "__Host-llumprofile", "__Host-llumvisitor"}
        assert all(morsel["secure"] for morsel in browser.last_set.values())
        assert (await browser.get("/me", JSON)).status == 200
        plain = Browser(edge, "https://llum.example")
        plain.cookies["llumsessionid"] = browser.cookies["__Host-llumsessionid"]
        assert (await plain.get("/me", JSON)).status == 401, "that name can be planted"


async def test_21_a_browser_is_sent_on_by_303(site: Edge) -> None:
    """So that its credentials are not posted once more to where it is sent."""
    assert await sign_in(Browser(site), then="/account?a=b") == "/account?a=b"


@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "/\t/evil.example", "/ok\r\nSet-Cookie: a=b", "evil", "", "/%" + "a" * 3000, "/ä", "http:evil.example",
    ],
)  # fmt: skip
async def test_22_nobody_is_sent_to_another_site(then: str, site: Edge) -> None:
    """What is no path of this llum leads to the way in."""
    browser = Browser(site)
    await sign_in(browser)
    assert await sign_in(browser, then=then) == "/"


def test_22_paths_of_this_llum_are_kept() -> None:
    """With their queries."""
    for path in ("/", "/account", "/a/b?c=d&e=%2F", "/a//b"):
        assert local_path(path) == path
    assert local_path(None) == "/"


async def test_a_program_that_signs_in_is_told_where_its_session_is(site: Edge) -> None:
    """201 with `Location`, as for whatever is made; and the token that its further requests need."""
    browser = Browser(site)
    token = token_in(await (await browser.get("/test/form")).text())
    sent = {"user": "alice", "then": "/me"}
    response = await browser.post("/test/in", accept=JSON, json=sent, headers={"X-CSRF-Token": token})
    assert response.status == 201
    assert response.headers["Location"] == "/me"
    made = await response.json()
    assert made["user"] == "alice"
    assert made["csrf_token"] == await browser.token() != token


async def test_me_says_who_a_session_belongs_to(site: Edge) -> None:
    """JSON, to browsers as well, with what is known of the person; a temporary user has a self, too."""
    browser = await signed_in(site, details={"fullname": "Alice"}, place="here")
    response = await browser.get("/me", HTML)
    about = await response.json()
    assert (response.status, response.headers["Cache-Control"]) == (200, "no-store")
    assert (about["user"], about["details"], about["how"]) == ("alice", {"fullname": "Alice"}, "passkey")
    temporary = await signed_in(site, "guest-1", temporary=True, how="", authenticated=0)
    assert (await (await temporary.get("/me")).json())["temporary"] is True


async def test_me_says_who_a_token_belongs_to(site: Edge) -> None:
    """Whoever sends a token is judged by it alone, whatever cookie comes along."""
    browser = await signed_in(site, "bob")
    response = await browser.get("/me", JSON, Authorization="Bearer good")
    assert (await response.json())["user"] == "alice"
    assert (await browser.get("/me", JSON, Authorization="Bearer bad")).status == 401


@pytest.mark.parametrize("accept", [JSON, HTML])
@pytest.mark.parametrize("sid", [None, "", "x", "6f1d2c1e-5a0b-4c55-9b1e-0a8d7d0e1f2a", "a.*", "ü"])
async def test_me_is_a_401_for_whoever_has_no_session(site: Edge, sid: str | None, accept: str) -> None:
    """Whatever the cookie says: malformed, unknown or none. Nobody is sent anywhere."""
    browser = Browser(site)
    if sid is not None:
        browser.cookies["llumsessionid"] = sid
    response = await browser.get("/me", accept)
    assert response.status == 401
    assert (await response.json())["error"]["code"] == "not_authenticated"


async def test_two_ids_are_none(site: Edge) -> None:
    """A neighbour on the same host may plant a second cookie of the name: it is not guessed which one is ours."""
    browser = await signed_in(site)
    cookie = f"llumsessionid={browser.cookies['llumsessionid']}; llumsessionid=6f1d2c1e-5a0b-4c55-9b1e-0a8d7d0e1f2a"
    response = await site.http.get("/me", headers={"Cookie": cookie})
    assert response.status == 401


async def test_an_expired_session_is_none(site: Edge) -> None:
    """From its last second on."""
    browser = await signed_in(site, expires=time.time() - 1)
    assert (await browser.get("/me")).status == 401


async def test_when_the_store_cannot_be_asked_nobody_is_told_to_sign_in(site: Edge) -> None:
    """Not knowing is not the same as unknown."""
    browser = await signed_in(site)
    site.authenticator.sessions.failure = Transient(Code.UNAVAILABLE, "the bus is away")
    assert (await browser.get("/me")).status == 503
    assert (await browser.get("/test/page")).status == 503


async def test_a_browser_without_a_session_is_sent_to_sign_in_and_comes_back(site: Edge) -> None:
    """A program gets a 401."""
    browser = Browser(site)
    response = await browser.get("/test/page?a=b")
    assert (response.status, response.headers["Location"]) == (303, "/sign-in?then=%2Ftest%2Fpage%3Fa%3Db")
    assert (await browser.get("/test/page", JSON)).status == 401


async def test_signing_out_ends_the_session_in_the_store_and_in_the_browser(site: Edge) -> None:
    """A copy of the cookie is worth nothing then. The browser still knows that somebody has used llum in it."""
    browser = await signed_in(site)
    copied = Browser(site)
    copied.cookies = dict(browser.cookies)
    response = await browser.post("/sign-out", data={"csrf_token": await browser.token()})
    assert (response.status, response.headers["Location"]) == (303, "/")
    assert set(browser.cookies) == {"llumprofile"}
    assert (await copied.get("/me")).status == 401
    assert (await browser.get("/sign-out")).status == 405


async def test_fresh_is_who_has_signed_in_within_five_minutes(site: Edge) -> None:
    """Others are asked once more (RFC 9470): a program by the challenge, a browser by the page."""
    fresh, stale = await signed_in(site), await signed_in(site, authenticated=time.time() - 301)
    assert (await fresh.get("/test/fresh")).status == 200
    assert (await stale.get("/test/page")).status == 200
    response = await stale.get("/test/fresh", JSON)
    assert response.status == 401
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer ")
    assert 'error="insufficient_user_authentication"' in challenge
    assert "max_age=300" in challenge
    assert (await response.json())["error"]["code"] == "not_fresh"
    for asked in (await stale.get("/test/fresh"), await stale.post("/test/fresh")):
        assert (asked.status, asked.headers["Location"]) == (303, "/sign-in?then=%2Ftest%2Ffresh")
    temporary = await signed_in(site, temporary=True, authenticated=0)
    assert (await temporary.get("/test/fresh", JSON)).status == 401


async def test_nothing_of_a_session_is_logged(site: Edge, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither its id nor the token of its forms."""
    browser = Browser(site)
    await sign_in(browser)
    token, sid = await browser.token(), browser.cookies["llumsessionid"]
    await browser.post("/sign-out", data={"csrf_token": token})
    said = "".join(capfd.readouterr())
    assert "/me" in said, "what is said is seen here"
    assert sid not in said
    assert token not in said


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
            "Safari/537.36 Edg/126.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile "
            "Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8.5.0", "curl"),
        ("<script>alert(1)</script>", "an unknown browser"),
        ("", "an unknown browser"),
    ],
)
def test_a_browser_is_named_in_words(agent: str, words: str) -> None:
    """Its person recognises it, and nothing of what it says of itself is repeated."""
    assert browser_in_words(agent) == words


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("192.0.2.17", "192.0.x.x"), ("127.0.0.1", "this machine"), ("::/64", "this machine"), ("", ""),
        ("2001:db8:1:2::/64", "2001:db8:…"),
    ],
)  # fmt: skip
def test_an_address_is_shown_in_part(source: str, shown: str) -> None:
    """Enough to tell home from abroad, and no household. An IPv6 one comes as its network."""
    assert coarse(source) == shown

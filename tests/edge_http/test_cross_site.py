"""Whoever is known by a cookie alone shows that a page of llum has sent the request, before anything changes."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from edge_http.auth.own_page import origin_of, own_origins
from tests.edge_http.browser import Browser, token_in
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import apps_reply
from tests.edge_http.signing_in import open_edge, signed_in

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
OWN = "http://llum.example"
EVIL = "https://evil.example"
TELL = {"version": "11.2", "componentid": "c", "evidence": {"value": "v"}}


@pytest.fixture
async def site() -> AsyncIterator[Edge]:
    async with open_edge() as edge:
        yield edge


async def tell(browser: Browser, token: str | None, **headers: str | None) -> Any:
    """Post a tell as a page does it; a header of None is left out."""
    site = browser._edge
    given = {"Origin": OWN, "Content-Type": JSON, "X-CSRF-Token": token}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    sent = {name: value for name, value in given.items() if value is not None}
    return await site.http.post("/tell", data=b'{"version": "11.2", "componentid": "c", "evidence": {"value": "v"}}',
                                headers={"Cookie": cookie, **sent}, skip_auto_headers=["Content-Type"])  # fmt: skip


async def test_a_page_of_llum_speaks_for_its_person(site: Edge) -> None:
    """As their own app, which is an owner's: the way from a cookie to the bus."""
    browser = await signed_in(site)
    response = await tell(browser, await browser.token())
    assert (response.status, await response.json()) == (200, {"result": "ok", "val": None})
    assert site.requests.sent[0][:2] == ("alice", "llum")
    assert site.taken == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "http://llum.example.evil.example"},
        {"Origin": "https://llum.example"},
        {"Origin": "http://llum.example:81"},
        {"Origin": ""},
        {"Origin": "null"},
        {"Origin": "null", "Referer": f"{OWN}/"},
        {"Origin": None},
        {"Origin": None, "Sec_Fetch_Site": "cross-site"},
        {"Origin": None, "Sec_Fetch_Site": "same-site", "Referer": f"{OWN}/"},
        {"Origin": None, "Sec_Fetch_Site": "none"},
        {"Origin": None, "Referer": f"{EVIL}/?{OWN}"},
        {"Origin": None, "Referer": "http://llum.example@evil.example/"},
        {"Content_Type": None},
        {"Content_Type": "text/plain"},
        {"Content_Type": "multipart/form-data; boundary=x"},
        {"X_CSRF_Token": None},
        {"X_CSRF_Token": ""},
        {"X_CSRF_Token": "0" * 32},
    ],
    ids=str,
)
async def test_each_of_the_three_is_wanted_by_the_personis_operations(site: Edge, headers: dict[str, Any]) -> None:
    """Type, origin and token. One that is missing or wrong is a 403 that says which, and nothing is sent."""
    browser = await signed_in(site)
    response = await tell(browser, await browser.token(), **headers)
    assert response.status == 403
    error = (await response.json())["error"]
    assert error["code"] == "cross_site"
    assert error["hint"]
    assert site.requests.sent == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null", "Sec_Fetch_Site": "same-origin"},
        {"Origin": None, "Sec_Fetch_Site": "same-origin"},
        {"Origin": None, "Referer": f"{OWN}/account"},
        {"Content_Type": FORM},
        {"Content_Type": "Application/JSON; charset=utf-8"},
    ],
    ids=str,
)
async def test_browsers_that_say_less_are_taken_at_their_word(site: Edge, headers: dict[str, Any]) -> None:
    """Without an origin another header that no page can forge says where the request comes from."""
    browser = await signed_in(site)
    assert (await tell(browser, await browser.token(), **headers)).status == 200


async def test_the_token_is_that_of_the_session(site: Edge) -> None:
    """One of another session is none: who has an account here cannot have others use its token."""
    mine, others = await signed_in(site), await signed_in(site, "mallory")
    assert (await tell(mine, await others.token())).status == 403


async def test_all_operations_want_it_asks_included(site: Edge) -> None:
    """An ask is recorded, so it changes something, too. An unknown operation is refused before it is answered."""
    browser = await signed_in(site)
    for op in ("ask", "access", "listapps", "export_model", "import_model", "mkcontext", "bogus"):
        response = await browser.post(f"/{op}", accept=JSON, json={"version": "11.2"})
        assert (response.status, (await response.json())["error"]["code"]) == (403, "cross_site"), op
    assert site.requests.asked == []


async def test_a_bearer_token_needs_none_of_it(site: Edge) -> None:
    """Whatever cookie, origin and type come along: no page of another site can have put it there."""
    browser = await signed_in(site, "bob")
    response = await tell(browser, None, Authorization="Bearer good", Origin=EVIL, Content_Type=None)
    assert response.status == 200
    assert site.requests.sent[0][:2] == ("alice", "probe")
    assert (await tell(browser, await browser.token(), Authorization="Bearer bad")).status == 401


@pytest.mark.parametrize("with_token", [False, True])
async def test_a_password_in_the_body_counts_before_a_cookie(site: Edge, with_token: bool) -> None:
    """And needs neither type, origin nor token. A wrong one is not made good by a cookie."""
    await site.passwords.store("alice", "scale", 1, "secret")
    browser = await signed_in(site, "bob")
    headers = {"X-CSRF-Token": await browser.token()} if with_token else {"Origin": EVIL}
    body = {**TELL, "modelname": "alice", "user": "scale", "password": "secret"}
    assert (await browser.post("/tell", accept=JSON, json=body, headers=headers)).status == 200
    assert site.requests.sent[0][:2] == ("alice", "scale")
    body["password"] = "wrong"
    assert (await browser.post("/tell", accept=JSON, json=body, headers=headers)).status == 401
    assert len(site.requests.sent) == 1


async def test_a_session_is_for_its_own_model(site: Edge) -> None:
    """`modelname` of somebody else is refused, as for a token."""
    browser = await signed_in(site)
    response = await browser.post(
        "/tell", accept=JSON, json={**TELL, "modelname": "bob"}, headers={"X-CSRF-Token": await browser.token()}
    )
    assert (await response.json())["error"]["code"] == "permission_denied"


async def test_an_expired_session_is_a_401(site: Edge) -> None:
    """Its token does not make it live."""
    browser = await signed_in(site)
    token = await browser.token()
    site.authenticator.sessions.by_id.clear()
    assert (await tell(browser, token)).status == 401


async def test_cors_does_not_open_it(site: Edge) -> None:
    """Not even a page that the owner has registered for the app reads what a cookie is good for, or may send it."""
    site.authenticator.registrations.origins["alice", "llum"] = frozenset({EVIL})
    browser = await signed_in(site)
    for response in (
        await tell(browser, await browser.token(), Origin=EVIL),
        await browser.get("/me", JSON, Origin=EVIL),
    ):
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Access-Control-Allow-Credentials" not in response.headers
    asked = {"Origin": EVIL, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-CSRF-Token"}
    preflight = await site.http.options("/tell", headers=asked)
    assert "csrf" not in preflight.headers["Access-Control-Allow-Headers"].lower()
    assert "Access-Control-Allow-Credentials" not in preflight.headers


@pytest.mark.parametrize(
    ("op", "body"),
    [
        ("forgetpart", {"context": ["a"]}),
        ("export_model", {}),
        ("import_model", {"partial_model": "{}"}),
        ("registerapp", {"app": "scale", "apppassword": "secret"}),
        ("registerapp", {"app": "scale", "realm": "none"}),
    ],
)
async def test_sensitive_operations_want_a_fresh_sign_in(site: Edge, op: str, body: dict[str, Any]) -> None:
    """Erase, export, import, passwords of apps: by a session of an hour ago they are a 401, by a token they go on."""
    site.requests.replies = [apps_reply(llum="owner")] * 9
    stale = await signed_in(site, authenticated=time.time() - 3600)
    sent = {"version": "11.2", **body}
    response = await stale.post(f"/{op}", accept=JSON, json=sent, headers={"X-CSRF-Token": await stale.token()})
    assert response.status == 401
    said = response.headers["WWW-Authenticate"]
    assert 'error="insufficient_user_authentication"' in said
    assert said.endswith(", max_age=300")
    assert (await response.json())["error"]["code"] == "not_fresh"
    assert site.requests.sent == site.requests.asked == []
    fresh = await signed_in(site)
    response = await fresh.post(f"/{op}", accept=JSON, json=sent, headers={"X-CSRF-Token": await fresh.token()})
    assert ((await response.json()).get("error") or {}).get("code") != "not_fresh"
    assert site.requests.sent or site.requests.asked
    before = len(site.requests.asked) + len(site.requests.sent)
    assert (await site.post(op, sent)).status != 401
    assert len(site.requests.asked) + len(site.requests.sent) > before


async def test_a_form_is_taken_from_a_page_of_llum_alone(site: Edge) -> None:
    """With the token of the browser's cookie in a field, before there is any session. All its values come through."""
    browser = Browser(site)
    token = token_in(await (await browser.get("/test/form")).text())
    response = await browser.post("/test/form", data=[("csrf_token", token), ("a", "1"), ("a", "ä & b"), ("b", "")])
    assert await response.json() == {"a": ["1", "ä & b"], "b": ""}
    assert (await browser.post("/test/form", accept=JSON, data={"a": "1"})).status == 403
    other = Browser(site)
    assert (await other.post("/test/form", accept=JSON, data={"csrf_token": token})).status == 403
    evil = {"Origin": EVIL}
    assert (await browser.post("/test/form", accept=JSON, data={"csrf_token": token}, headers=evil)).status == 403


async def test_a_browser_without_cookies_is_told_so_and_never_sent_in_a_circle(site: Edge) -> None:
    """The page that is shown sets the cookie on the same response; whoever does not keep it reads what to do."""
    browser = Browser(site)
    page = await browser.get("/test/form")
    assert page.status == 200
    token = token_in(await page.text())
    browser.cookies.clear()
    response = await browser.post("/test/in", accept=JSON, data={"csrf_token": token, "user": "alice"})
    assert response.status == 403
    assert "cookies" in (await response.json())["error"]["hint"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"data": b"a=%ff", "headers": {"Content-Type": FORM}}, "malformed"),
        ({"data": b"a=\xff", "headers": {"Content-Type": FORM}}, "malformed"),
        ({"data": b"[1]", "headers": {"Content-Type": JSON}}, "malformed"),
        ({"data": b"[" * 100_000, "headers": {"Content-Type": JSON}}, "malformed"),
        ({"data": b"&".join([b"a=1"] * 2000), "headers": {"Content-Type": FORM}}, "malformed"),
        ({"data": b"a=" + b"1" * 300_000, "headers": {"Content-Type": FORM}}, "too_large"),
        ({"data": b"b=1&b=2", "headers": {"Content-Type": FORM}}, "bad_field"),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused(site: Edge, sent: dict[str, Any], code: str) -> None:
    """With a token in the header, so that nothing else is wrong with it."""
    browser = await signed_in(site)
    sent["headers"] |= {"X-CSRF-Token": await browser.token()}
    response = await browser.post("/test/form", accept=JSON, **sent)
    assert (await response.json())["error"]["code"] == code


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://llum.example/a?b", "https://llum.example"),
        ("https://llum.example:443", "https://llum.example"),
        ("http://llum.example:8080/", "http://llum.example:8080"),
        ("HTTP://LLUM.example", "http://llum.example"),
        ("http://[::1]:80/", "http://[::1]"),
        ("http://a@b.example", "http://b.example"),
        ("ftp://a", ""), ("http://", ""), ("http://a:x", ""), ("http://[", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_origin_of_an_address(url: str, origin: str) -> None:
    """As browsers write it."""
    assert origin_of(url) == origin


def test_a_machines_own_browser_may_call_it_by_each_name() -> None:
    """Of the machine itself, and of no other one."""
    own = {"http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"}
    assert own_origins("http://127.0.0.1:8080") == own
    assert own_origins("http://[::1]:8080") == own
    assert own_origins("https://llum.example") == {"https://llum.example"}

"""Attacks on every route of the edge at once: what a new page forgets, these tests find.

Goal: no route lets another site act for a person, nor believes what a browser was made to send. Method: the routes are
taken from the application itself. What pages show under attack is tested where they have all that they need.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse

from tests.edge_http.all_routes import FORM, MULTIPART, UPLOADS, empty_form, paths_of, posted_by_programs
from tests.edge_http.browser import HTML, Browser
from tests.edge_http.conftest import Edge
from tests.edge_http.signing_in import open_edge, signed_in

EVIL = "evil.example"


POSTS = paths_of("POST")


@pytest.fixture
async def site() -> AsyncIterator[Edge]:
    async with open_edge() as edge:
        yield edge


async def refused_as_cross_site(response: ClientResponse) -> bool:
    return response.status == 403 and (await response.json())["error"]["code"] == "cross_site"


async def sent(browser: Browser, path: str, **headers: str) -> ClientResponse:
    """Send an empty form with these headers and those that a page of llum sends, unless they say otherwise."""
    kind, body = empty_form(path)
    usual = {"X-CSRF-Token": await browser.token(), "Content-Type": kind}
    given = {name: value for name, value in (usual | headers).items() if value}
    response: ClientResponse = await browser.post(path, accept="application/json", headers=given, data=body)
    return response


@pytest.mark.parametrize("path", sorted(set(POSTS) - posted_by_programs()))
async def test_no_other_site_posts_for_a_person(site: Edge, path: str) -> None:
    """Neither without the token, nor from another origin, nor with the types that any form can have."""
    alice, bob = await signed_in(site), await signed_in(site, "bob")
    for missing in (
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": await bob.token()},
        {"Origin": f"https://{EVIL}"},
        {"Origin": "null"},
        {"Origin": f"http://llum.example.{EVIL}"},
        {"Origin": "https://llum.example"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "multipart/mixed; boundary=x"},
        {"Content-Type": FORM if path in UPLOADS else MULTIPART},
    ):
        assert await refused_as_cross_site(await sent(alice, path, **missing)), missing
    assert not await refused_as_cross_site(await sent(alice, path))


@pytest.mark.parametrize("path", sorted(set(POSTS) & posted_by_programs()))
async def test_what_programs_post_to_takes_no_cookie(site: Edge, path: str) -> None:
    """Whoever sends a person's is answered as whoever sends none, and by an error."""
    alice = await signed_in(site)
    with_cookie, without = await sent(alice, path), await site.http.post(path, data=b"")
    assert (with_cookie.status, await with_cookie.json()) == (without.status, await without.json())
    assert with_cookie.status in (400, 401, 403)


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/sign-in/recovery-code", "/sign-in/by-link"])
async def test_no_other_site_signs_a_browser_in(site: Edge, path: str) -> None:
    """Nobody who has no session yet can be signed in as somebody else without knowing it."""
    visitor = Browser(site)
    await visitor.get("/sign-in")
    for headers in ({}, {"Origin": f"https://{EVIL}"}, {"X-CSRF-Token": "0" * 32}):
        response = await visitor.post(path, accept="application/json", headers=headers, data={"user": "mallory"})
        assert await refused_as_cross_site(response), headers


TRICKS = [
    f"//{EVIL}/..", f"/%2f%2f{EVIL}", f"/..;/{EVIL}", "/static/../../../etc/passwd", "/static/%2e%2e/%2e%2e/etc/passwd",
    "/static/..%2f..%2fllum.toml", "/static//etc/passwd", "/static/%00", "/%2e%2e/account", "/account/", "//account",
    "/account/..;/admin", "/admin%2f", "/ADMIN", "/sign-in/../admin", "/model/%2e%2e/%2e%2e", "/model/..%2f..%2f",
    "/model/" + "a/" * 500, "/model/" + "x" * 7000, "/tell/", "/%74ell/x", "/sign-in%00", "/sign-in%0d%0a", "/%ff%fe",
]  # fmt: skip


@pytest.mark.parametrize("path", TRICKS)
async def test_tricks_with_paths_lead_nowhere(site: Edge, path: str) -> None:
    """No file of the machine, no page of another, no fault, and nothing that leads elsewhere."""
    answer = await raw(site, f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {HTML}\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    assert status < 500
    assert status != 200
    assert b"root:" not in body
    locations = [line for line in head.split(b"\r\n") if line.lower().startswith(b"location:")]
    assert all(line.partition(b":")[2].strip().startswith(b"/") for line in locations)
    assert not any(line.partition(b":")[2].strip().startswith(b"//") for line in locations)


async def raw(site: Edge, text: str) -> bytes:
    """Send bytes that no client would make, and give all that comes back."""
    server = site.http.server
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(text.encode("latin-1"))
    try:
        return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
async def test_other_methods_are_not_taken(site: Edge, path: str, method: str) -> None:
    """They are refused, and nothing is sent for them."""
    alice = await signed_in(site)
    response = await alice._send(method, path, {"X-CSRF-Token": await alice.token(), "Origin": alice.origin})
    assert response.status in (404, 405)
    assert site.requests.sent == []


async def test_behind_tls_only_cookies_of_this_host_count() -> None:
    """A neighbour below the same name, or somebody on the way, can set others: they say nothing."""
    async with open_edge("https://llum.example") as edge:
        alice = await signed_in(edge)
        sid = alice.cookies["llumsessionid"]
        assert (await alice.get("/me", "application/json")).status == 401
        alice.cookies = {"__Host-llumsessionid": sid}
        assert (await alice.get("/me", "application/json")).status == 200
        alice.cookies = {"__host-llumsessionid": sid, "__Secure-llumsessionid": sid, " __Host-llumsessionid": "x"}
        assert (await alice.get("/me", "application/json")).status == 401


async def test_the_id_that_a_stranger_has_set_is_not_the_one_that_is_signed_in(site: Edge) -> None:
    """Session fixation: what the browser brings along at a sign-in is worth nothing afterwards."""
    mallory = await signed_in(site, "mallory")
    victim = Browser(site)
    victim.cookies = dict(mallory.cookies)
    token = await victim.token()
    response = await victim.post("/test/in", data={"user": "alice", "then": "/", "csrf_token": token})
    assert response.status == 303
    assert victim.cookies["llumsessionid"] != mallory.cookies["llumsessionid"]
    found = await mallory.get("/me", "application/json")
    assert found.status == 401 or (await found.json())["user"] != "alice"


async def test_17_a_token_in_the_address_is_refused_by_every_route(site: Edge) -> None:
    """It would end up in logs and histories. Who sends it is told so."""
    for path in POSTS:
        if path.startswith("/test"):
            continue
        response = await site.http.post(f"{path}?access_token=good", data=b"{}", allow_redirects=False)
        takes_bearers = path not in posted_by_programs() or path == "/preferences"
        assert response.status in ((401, 403) if takes_bearers else (400,)), path
    assert (await site.http.get("/me?access_token=good")).status == 401
    assert site.requests.sent == []


async def test_30_a_body_has_a_limit_with_a_clear_error(site: Edge) -> None:
    """413, and how large it may be; nothing is sent on."""
    response = await site.post("tell", b'{"version": "11.2", "x": "' + b"x" * (2 * 1024 * 1024) + b'"}')
    error = (await response.json())["error"]
    assert (response.status, error["code"]) == (413, "too_large")
    assert "1114112 bytes" in error["message"]
    assert site.requests.sent == []


async def test_30_the_head_of_a_request_has_a_limit_with_a_clear_error(site: Edge) -> None:
    """431, in the same JSON as all errors."""
    answer = await raw(site, f"GET / HTTP/1.1\r\nHost: x\r\nX-Long: {'x' * 20_000}\r\n\r\n")
    assert answer.split()[1] == b"431"
    assert b"too_large" in answer

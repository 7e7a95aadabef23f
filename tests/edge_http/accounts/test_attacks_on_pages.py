"""Attacks on all pages at once: what a new page forgets, these tests find.

Goal: no page leads people elsewhere, puts what came into headers or addresses, or lets itself be framed; no fault comes
of what it is sent. Method: the pages are taken from the application itself, and asked for by a visitor and by a person.
"""

from collections.abc import Callable

import pytest

from tests.edge_http.accounts.conftest import Site
from tests.edge_http.accounts.walking import Walker
from tests.edge_http.all_routes import pages, paths_of

EVIL = "evil.example"


@pytest.fixture
async def browsers(site: Site) -> Callable[[], list[Walker]]:
    """Give browsers: one of a visitor, one in which alice, an administrator, is signed in."""
    alice = site.browser()
    await alice.sign_up("alice", await site.reception.links.make("first"))

    def make() -> list[Walker]:
        person = site.browser()
        person.cookies = dict(alice.cookies)
        return [site.browser(), person]

    return make


def test_the_pages_are_found() -> None:
    """Those of all parts of the web face."""
    assert {"/", "/sign-in", "/sign-up", "/account", "/sessions", "/identities", "/admin", "/model/nothing"} <= set(
        pages()
    )


async def test_no_page_is_framed_or_kept(browsers: Callable[[], list[Walker]]) -> None:
    """Pages of errors included."""
    for path in [*pages(), "/nothing/at/all", "/sign-out", "/sessions/end"]:
        for browser in browsers():
            response = await browser.get(path)
            headers = response.headers
            assert response.status < 500, path
            assert "no-store" in headers["Cache-Control"], path
            if response.status == 303:
                continue
            assert headers["X-Content-Type-Options"] == "nosniff", path
            assert response.content_type == "text/html", path
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
            assert "unsafe" not in headers["Content-Security-Policy"], path
            assert headers["X-Frame-Options"] == "DENY", path


TOSSED = {
    "Host": EVIL,
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Proto": "https",
    "Forwarded": f"host={EVIL};proto=https",
    "X-Original-URL": f"https://{EVIL}/",
}


async def test_no_header_of_a_request_gets_into_an_address(browsers: Callable[[], list[Walker]]) -> None:
    """Addresses are made of the one that is configured, whoever asks under whichever name."""
    for path in pages():
        for browser in browsers():
            response = await browser.get(path, **TOSSED)
            assert EVIL not in await response.text(), path
            assert not any(EVIL in value for value in response.headers.values()), path
            assert response.status < 500, path


AWAY = [f"//{EVIL}", f"https://{EVIL}/", f"/\\{EVIL}", f"/%09/{EVIL}", f"\\\\{EVIL}", f"javascript:alert('{EVIL}')"]
NAMES = ("then", "next", "return_to", "redirect", "url", "link")


async def test_22_no_parameter_leads_to_another_site(browsers: Callable[[], list[Walker]]) -> None:
    """Whatever it is called: for somebody who is signed in and for somebody who is not."""
    for path in pages():
        for away in AWAY:
            for browser in browsers():
                response = await browser.get(f"{path}?" + "&".join(f"{name}={away}" for name in NAMES))
                location = response.headers.get("Location", "/")
                assert location.startswith("/"), (path, location)
                assert not location.startswith(("//", "/\\", "/%09")), (path, location)
                assert response.status < 500, (path, away)


INJECTED = "%0d%0aSet-Cookie:%20llumsessionid=evil%0d%0aX-Evil:%20yes"
ODD = (INJECTED, "/" + INJECTED, "/%E2%80%A8%00%ff", "x" * 6000)


async def test_nothing_that_came_becomes_a_header(browsers: Callable[[], list[Walker]]) -> None:
    """Lines in parameters, characters that headers cannot have, and what is too long for one. Nor does a fault."""
    for path in pages():
        for value in ODD:
            for browser in browsers():
                response = await browser.get(f"{path}?" + "&".join(f"{name}={value}" for name in ("then", "user")))
                again = await browser.get(
                    f"{path}?" + "&".join(f"{name}={value}" for name in ("link", "code", "state"))
                )
                for one in (response, again):
                    assert "X-Evil" not in one.headers, path
                    assert not any("evil" in cookie for cookie in one.headers.getall("Set-Cookie", [])), path
                    assert one.status < 500, (path, value)


async def test_a_get_changes_nothing_whatever_it_calls_itself(browsers: Callable[[], list[Walker]]) -> None:
    """A link, or a picture on another page, ends no session and deletes nobody."""
    for path in paths_of("POST"):
        _, alice = browsers()
        token = await alice.token()
        headers = {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST", "X-Method-Override": "POST"}
        response = await alice.get(f"{path}?_method=POST&csrf_token={token}&user=alice", **headers)
        assert response.status < 500, path
        assert (await alice.get("/me", "application/json")).status == 200, path

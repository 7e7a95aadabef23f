"""Every form wants the token of a page, and every sensitive one a fresh sign-in: all that there are."""

import time
from typing import Any

import pytest

from edge_http.app import make_app
from edge_http.personis.routes import OPERATIONS
from edge_http.sessions.sensitive import SENSITIVE_FORMS, SENSITIVE_OPERATIONS
from tests.edge_http.all_routes import empty_form
from tests.edge_http.browser import Browser
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import FakeBus
from tests.edge_http.signing_in import signed_in

JSON = "application/json"

HARMLESS = {
    "/account/name",
    # What lets an app do more asks for a fresh sign-in: `tests/edge_http/apps`.
    "/list_apps_save",
    # What a person likes: `/my-preferences/join` lets an app in, and asks.
    "/my-preferences",
    # Whoever makes an owner signs in anew: `tests/edge_http/consent`. All else the app gets from this very page.
    "/consent", "/allow", "/disallow", "/dissallow",
    # They lead to that page, and let nothing in by themselves.
    "/device", "/device/confirm",
    "/sessions/end", "/sign-out", "/try",
    "/sign-in", "/sign-in/by-link", "/sign-in/recovery-code", "/sign-up", "/sign-up/with",
}  # fmt: skip
"""Forms that need no fresh sign-in: they change nothing that matters, or are a sign-in themselves."""


ENDPOINTS = {
    "/token",
    "/request_token",
    "/access_token",
    "/revoke",
    "/introspect",
    "/preferences",
    "/register",
    "/device_authorization",
}
"""What programs post to that show who they are by something else: no cookie counts there."""


def forms() -> list[str]:
    """Name all that takes a POST from a page."""
    nothing: Any = FakeBus(1)
    routes = make_app(nothing, nothing, nothing, "http://llum.example").router.routes()
    paths = {route.resource.canonical for route in routes if route.method == "POST" and route.resource}
    return sorted(path for path in paths if path.lstrip("/") not in OPERATIONS and path not in ENDPOINTS)


FORMS = forms()


def test_each_form_is_sensitive_or_harmless() -> None:
    """Whoever adds one says which it is."""
    assert set(FORMS) == HARMLESS | set(SENSITIVE_FORMS)
    assert set(SENSITIVE_OPERATIONS) <= set(OPERATIONS)


@pytest.mark.parametrize("path", FORMS)
async def test_each_form_wants_the_token_of_a_page(edge: Edge, path: str) -> None:
    """With a fresh session, and from llum's own origin; and it wants that origin, with the token."""
    browser = await signed_in(edge)
    without = await browser.post(path, accept=JSON, data={"user": "mallory"})
    assert (without.status, (await without.json())["error"]["code"]) == (403, "cross_site")
    foreign = {"Origin": "https://evil.example", "X-CSRF-Token": await browser.token()}
    response = await browser.post(path, accept=JSON, data={"user": "mallory"}, headers=foreign)
    assert (response.status, (await response.json())["error"]["code"]) == (403, "cross_site")
    assert edge.requests.sent == []


@pytest.mark.parametrize("path", SENSITIVE_FORMS)
async def test_each_sensitive_form_wants_a_fresh_sign_in(edge: Edge, path: str) -> None:
    """A program gets the challenge of RFC 9470, a browser the sign-in page, from which it comes back."""
    browser = await signed_in(edge, authenticated=time.time() - 301)
    kind, body = empty_form(path)
    headers = {"X-CSRF-Token": await browser.token(), "Content-Type": kind}
    response = await browser.post(path, accept=JSON, data=body, headers=headers)
    assert (response.status, (await response.json())["error"]["code"]) == (401, "not_fresh")
    challenge = response.headers["WWW-Authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert challenge.endswith("max_age=300")
    shown = await browser.post(path, data=body, headers=headers)
    assert shown.status == 303
    assert shown.headers["Location"].startswith("/sign-in?then=%2F")
    assert edge.requests.sent == []


@pytest.mark.parametrize("path", SENSITIVE_FORMS)
async def test_nobody_without_a_session_gets_that_far(edge: Edge, path: str) -> None:
    """Whatever they send."""
    response = await Browser(edge).post(path, accept=JSON, data={})
    assert response.status in (401, 403)

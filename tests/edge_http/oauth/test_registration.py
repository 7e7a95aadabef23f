"""`/register`: a program makes itself a client, within bounds (statement 28)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from edge_http.oauth.registration import REGISTRATIONS
from identity.oauth.clients import Clients, OAuthClient
from tests.edge_http.accounts.conftest import Site, llum, make_site

__all__ = ["llum", "make_site"]

QUOTA = 6
WANTED: dict[str, Any] = {
    "client_name": "Food log",
    "redirect_uris": ["https://log.example/cb", "http://127.0.0.1/cb", "com.example.log:/cb"],
    "token_endpoint_auth_method": "none",
    "client_uri": "https://log.example/",
}


@pytest.fixture
async def site(make_site: Callable[..., Site]) -> AsyncIterator[Site]:
    site = make_site(client_registrations=QUOTA)
    async with site.http:
        yield site


@pytest.fixture
def clients(site: Site) -> Clients:
    return site.authenticator.clients


async def register(site: Site, **more: Any) -> tuple[int, dict[str, Any]]:
    wanted = {name: value for name, value in (WANTED | more).items() if value is not None}
    response = await site.http.post("/register", json=wanted)
    assert response.headers["Cache-Control"] == "no-store"
    return response.status, await response.json()


async def test_a_public_client_registers_itself_and_gets_no_secret(site: Site, clients: Clients) -> None:
    """Its id is by chance, and it is known as one that has registered itself."""
    status, told = await register(site)
    assert status == 201
    assert "client_secret" not in told
    assert told["redirect_uris"] == WANTED["redirect_uris"]
    assert (told["client_name"], told["token_endpoint_auth_method"]) == ("Food log", "none")
    found = await clients.find(told["client_id"])
    assert found is not None
    assert (found.kind, found.made_by, found.origins) == ("public", "registration", ["https://log.example"])
    assert told["client_id_issued_at"] == int(found.made)


@pytest.mark.parametrize(
    "page", ["https://bank.example/", "https://log.example.evil.example/", "https://[x/", "about:"]
)
async def test_28_nobody_says_to_be_from_another_host(site: Site, clients: Clients, page: str) -> None:
    """The page of consent shows where an app is from: that is where browsers are sent back to, or nothing."""
    status, told = await register(site, client_uri=page, redirect_uris=["https://log.example/cb"])
    assert (status, told.get("client_uri")) == (201, None)
    found = await clients.find(told["client_id"])
    assert found is not None
    assert found.home == ""
    _, told = await register(site)
    assert told["client_uri"] == WANTED["client_uri"]


async def test_a_confidential_client_gets_a_secret(site: Site, clients: Clients) -> None:
    """Of llum's making, that does not expire."""
    _, told = await register(site, token_endpoint_auth_method=None)
    assert told["token_endpoint_auth_method"] == "client_secret_basic"
    assert told["client_secret_expires_at"] == 0
    assert await clients.check_secret(told["client_id"], told["client_secret"])


async def test_28_nobody_marks_or_names_themselves(site: Site, clients: Clients) -> None:
    """Neither an id nor a mark, a secret or an audience that it asks for counts. Nothing of another host is kept."""
    wished = {
        "client_id": "llum", "id": "llum", "client_secret": "mine", "legacy": True, "may_own": True, "scope": "owner",
        "audience": "https://api.example/", "made_by": "operator", "logo_uri": "https://evil.example/x.svg",
        "jwks_uri": "https://evil.example/jwks",
    }  # fmt: skip
    status, told = await register(site, **wished)
    assert status == 201
    assert told["client_id"].startswith("c-")
    assert "evil" not in str(told)
    found = await clients.find(told["client_id"])
    assert found is not None
    assert (found.legacy, found.may_own, found.audience, found.made_by) == (False, False, "", "registration")


@pytest.mark.parametrize(
    "uri",
    [
        "http://evil.example/cb", "https://*.example/cb", "https://log.example/*", "https://log.example/cb#x",
        "https://a@log.example/", "javascript:alert(1)", "app:/cb", "urn:ietf:wg:oauth:2.0:oob", "", "/cb",
        "https://[", "https://log.example:port/",
    ],
)  # fmt: skip
async def test_28_only_addresses_of_three_sorts_are_registered(site: Site, clients: Clients, uri: str) -> None:
    """https, the person's own machine, an app's own scheme; no wildcard."""
    status, told = await register(site, redirect_uris=["https://log.example/cb", uri])
    assert (status, told["error"]) == (400, "invalid_redirect_uri")
    assert told["hint"]
    assert await clients.list() == []


@pytest.mark.parametrize(
    "more",
    [
        {"redirect_uris": "https://log.example/cb"},
        {"redirect_uris": [7]},
        {"client_name": "x" * 65},
        {"client_name": "L\u202eog"},
        {"client_uri": "http://log.example/"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"grant_types": ["implicit"]},
        {"grant_types": ["authorization_code", "password"]},
        {"grant_types": []},
        {"response_types": ["token"]},
    ],
)
async def test_what_llum_does_not_know_is_refused(site: Site, clients: Clients, more: dict[str, Any]) -> None:
    """In the words of RFC 7591, with what to write instead where that can be said."""
    status, told = await register(site, **more)
    assert status in (400, 413)
    assert told["error"] == "invalid_client_metadata"
    assert await clients.list() == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b"[" * 50_000, b'{"redirect_uris": ["\\ud800"]}'])
async def test_a_body_that_says_no_client_is_refused(site: Site, body: bytes) -> None:
    """Whatever it is. So is a form."""
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        response = await site.http.post("/register", data=body, headers={"Content-Type": kind})
        assert (response.status, (await response.json())["error"]) == (400, "invalid_client_metadata")


async def test_a_code_needs_an_address(site: Site) -> None:
    """A sensor that signs in by a code which its person types needs none."""
    status, told = await register(site, redirect_uris=[])
    assert (status, told["error"]) == (400, "invalid_redirect_uri")


async def test_28_there_is_a_quota(site: Site, clients: Clients) -> None:
    """Of many at once as of one after the other. Those that others have registered do not count."""
    await clients.add(OAuthClient("log", "Log"))
    found = await asyncio.gather(*(register(site) for _ in range(REGISTRATIONS)))
    made = sum(status == 201 for status, _ in found)
    assert made <= QUOTA
    assert all(told["code"] == "quota" for status, told in found if status != 201)
    assert len(await clients.list()) == made + 1


async def test_28_an_address_registers_a_few(make_site: Callable[..., Site]) -> None:
    """Then it waits."""
    site = make_site(client_registrations=10_000)
    async with site.http:
        for _ in range(REGISTRATIONS):
            assert (await register(site))[0] == 201
        response = await site.http.post("/register", json=WANTED)
        assert response.status == 429
        assert int(response.headers["Retry-After"]) > 0
        assert (await response.json())["error"] == "temporarily_unavailable"


async def test_28_names_that_look_alike_are_flagged(site: Site, clients: Clients) -> None:
    """Where administrators see the client, and where a person is asked."""
    await clients.add(OAuthClient("log", "Food log"))
    _, told = await register(site, client_name="F00d  Log")
    assert [one.id for one in await clients.resembling(told["client_id"])] == ["log"]


async def test_28_it_is_off_unless_the_operator_says_how_many(make_site: Callable[..., Site]) -> None:
    """Then there is no such address, and the metadata name none."""
    site = make_site()
    async with site.http:
        assert (await site.http.post("/register", json=WANTED)).status == 404
        metadata = await (await site.http.get("/.well-known/oauth-authorization-server")).json()
        assert "registration_endpoint" not in metadata
    with_it = make_site(client_registrations=1)
    async with with_it.http:
        metadata = await (await with_it.http.get("/.well-known/oauth-authorization-server")).json()
        assert metadata["registration_endpoint"].endswith("/register")

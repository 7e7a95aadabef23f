"""What llum says of itself to programs that want a token."""

from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from edge_http.app import make_app
from edge_http.oauth import addresses
from tests.edge_http.conftest import EdgeServer
from tests.edge_http.fakes import FakeAuthenticator, FakeBus, FakeRequests

SERVER, RESOURCE = addresses.SERVER_METADATA, addresses.RESOURCE_METADATA


async def read(path: str, public_url: str = "https://llum.example", **headers: str) -> tuple[Any, dict[str, Any]]:
    fakes: Any = (FakeBus(1), FakeRequests(), FakeAuthenticator())
    async with TestClient(EdgeServer(make_app(*fakes, public_url, 1))) as client:
        response = await client.get(path, headers=headers)
        assert response.status == 200
        return response, await response.json()


@pytest.mark.parametrize(
    "url", ["https://llum.example", "https://llum.example/", "http://localhost:8080", "https://a.example/llum"]
)
@pytest.mark.parametrize("path", [SERVER, RESOURCE])
async def test_11_the_issuer_is_the_configured_address_byte_for_byte(url: str, path: str) -> None:
    """Whatever name a request comes under. The other addresses begin with it, and have no slash twice."""
    _, found = await read(path, url, **{"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert found.get("issuer", url) == url
    assert found.get("authorization_servers", [url]) == [url]
    assert found.get("resource", url) == url
    for name, value in found.items():
        if name.endswith("_endpoint"):
            assert value.startswith(url.rstrip("/") + "/")
            assert "//" not in value.partition("://")[2]


async def test_only_what_is_there_is_said() -> None:
    """S256 alone; no way to register as long as that is off, and no grant that gives the password away."""
    _, found = await read(SERVER)
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["response_types_supported"] == ["code"]
    assert found["authorization_details_types_supported"] == ["llum_model"]
    assert "registration_endpoint" not in found
    assert not {"password", "implicit", "client_credentials"} & set(found["grant_types_supported"])
    fakes: Any = (FakeBus(1), FakeRequests(), FakeAuthenticator())
    routes = make_app(*fakes, "https://llum.example", 1).router.routes()
    there = {route.resource.canonical for route in routes if route.resource}
    named = {value.removeprefix("https://llum.example") for name, value in found.items() if name.endswith("_endpoint")}
    assert named <= there
    assert {addresses.AUTHORIZE, addresses.TOKEN, addresses.REVOKE, addresses.INTROSPECT} & there <= named


@pytest.mark.parametrize("path", [SERVER, RESOURCE])
async def test_programs_on_any_page_may_read_them(path: str) -> None:
    """They are nobody's secret: a script must find its way before it has a token. A browser gets JSON, too."""
    response, _ = await read(path, Origin="https://log.example", Accept="text/html")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.content_type == "application/json"


async def test_18_the_resource_names_who_gives_tokens_for_it() -> None:
    """And takes them in the header alone."""
    _, found = await read(RESOURCE)
    assert found["authorization_servers"] == ["https://llum.example"]
    assert found["bearer_methods_supported"] == ["header"]

"""Scripts of other sites read what llum answers to an app only if its owner registered their origin with it."""

from http import HTTPStatus

import pytest
from aiohttp import ClientResponse, hdrs

from tests.edge_http.conftest import Edge

OWN, OTHER = "https://log.example", "https://evil.example"


@pytest.fixture
def registered(edge: Edge) -> Edge:
    """The app of the token `good` has a page."""
    edge.authenticator.registrations.note("alice", "probe", 1, 1, [OWN])
    return edge


def readers(response: ClientResponse) -> str | None:
    """Tell which origin may read the response."""
    return response.headers.get(hdrs.ACCESS_CONTROL_ALLOW_ORIGIN)


async def test_a_page_of_the_app_reads_the_answer(registered: Edge) -> None:
    """And no other page does; caches keep the two apart."""
    own = await registered.post("access", headers={"Origin": OWN})
    other = await registered.post("access", headers={"Origin": OTHER})
    assert (readers(own), readers(other)) == (OWN, None)
    assert own.headers["Vary"] == other.headers["Vary"] == "Origin"
    assert "Retry-After" in own.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in own.headers


async def test_errors_are_read_too(registered: Edge) -> None:
    """By a page of the app; those that come before any app is known, by every page: they hold nothing."""
    unknown = await registered.post("access", token="worthless", headers={"Origin": OTHER})
    assert (unknown.status, readers(unknown)) == (HTTPStatus.UNAUTHORIZED, "*")
    malformed = await registered.post("access", b"[", headers={"Origin": OWN})
    assert (await malformed.json())["error"]["code"] == "bad_field"
    assert readers(malformed) == OWN
    assert readers(await registered.post("access", b"[", headers={"Origin": OTHER})) is None


async def test_without_an_origin_nothing_is_said(registered: Edge) -> None:
    """Programs that are no browsers do not care."""
    response = await registered.post("access")
    assert (readers(response), response.headers.get("Vary")) == (None, None)


async def test_a_browser_may_ask_first(registered: Edge) -> None:
    """It asks without a token whether it may send one; nothing is done, and nothing of anybody is told."""
    asked = {
        "Origin": OTHER,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    response = await registered.http.options("/tell", headers=asked)
    assert (response.status, await response.read(), readers(response)) == (HTTPStatus.NO_CONTENT, b"", "*")
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    assert {"POST", "PUT", "PATCH"} <= set(response.headers["Access-Control-Allow-Methods"].split(", "))
    assert registered.requests.sent == []


async def test_without_a_browser_s_question_there_is_no_such_method(registered: Edge) -> None:
    """As before."""
    response = await registered.http.options("/tell")
    assert (response.status, response.headers["Allow"]) == (HTTPStatus.METHOD_NOT_ALLOWED, "POST")

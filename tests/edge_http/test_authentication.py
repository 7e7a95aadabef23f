"""Who may call at all."""

import pytest

from schemas.errors import Code, Transient
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import token_of

REFUSED_HEADERS = {
    "another scheme": "Basic Z29vZDpnb29k",
    "no token": "Bearer",
    "two tokens": "Bearer good good",
    "a quote": 'Bearer go"od',
    "not ASCII": "Bearer gööd",
    "far too long": "Bearer " + "a" * 5000,
    "unknown or expired": "Bearer stranger",
}


async def test_without_a_token_the_answer_is_401_in_json(edge: Edge) -> None:
    """The challenge names the realm, where the metadata are, and no error, as nothing was tried (RFC 6750, 9728)."""
    response = await edge.post("access", token=None)
    body = await response.json()
    assert response.status == 401
    metadata = 'resource_metadata="http://llum.example/.well-known/oauth-protected-resource"'
    assert response.headers["WWW-Authenticate"] == f'Bearer realm="http://llum.example", {metadata}'
    assert (body["result"], body["error"]["code"]) == ("error", "not_authenticated")
    assert body["error"]["code"] == "not_authenticated"


@pytest.mark.parametrize("header", REFUSED_HEADERS.values(), ids=REFUSED_HEADERS.keys())
async def test_a_bad_header_is_401(edge: Edge, header: str) -> None:
    """Whatever the Authorization header holds that is not one known token, it is refused before the body is read."""
    response = await edge.post("access", b"not json", token=None, headers={"Authorization": header})
    assert response.status == 401
    assert "error=" in response.headers["WWW-Authenticate"]
    assert edge.requests.asked == []


async def test_two_headers_are_refused(edge: Edge) -> None:
    """It is not guessed which of two identities is meant."""
    headers = [("Authorization", "Bearer good"), ("Authorization", "Bearer b")]
    response = await edge.http.post("/access", headers=headers)
    assert response.status == 401


@pytest.mark.parametrize("query", ["access_token=good", "access%5Ftoken=good", "a=b&access_token=good"])
async def test_17_a_token_in_the_query_string_is_refused(edge: Edge, query: str) -> None:
    """Even beside a good header: such URLs end up in logs."""
    assert (await edge.post(f"access?{query}")).status == 401
    assert (await edge.post(f"access?{query}", token=None)).status == 401


async def test_the_scheme_is_case_insensitive(edge: Edge) -> None:
    """As HTTP has it."""
    response = await edge.post("access", token=None, headers={"Authorization": "bearer good"})
    assert response.status == 200


async def test_without_the_token_store_the_answer_is_503(edge: Edge) -> None:
    """Not knowing is not the same as unknown: the client keeps its token and comes back."""
    edge.authenticator.known["good"] = Transient(Code.UNAVAILABLE, "the bus is away")
    response = await edge.post("access")
    assert response.status == 503
    assert "Retry-After" in response.headers


async def test_the_password_client_is_refused_with_401(edge: Edge) -> None:
    """It sends its password in the body and ignores `result`, so only the status can stop it."""
    body = {"modelname": "alice", "user": "probe", "password": "secret", "context": []}
    assert (await edge.post("ask", body, token=None)).status == 401


@pytest.mark.parametrize("name", ["-", "", None, "alice"])
async def test_the_model_is_the_tokens_user(edge: Edge, name: str | None) -> None:
    """`-`, nothing, and the user's own name all mean the same."""
    await edge.call("tell", {"modelname": name, "componentid": "c", "evidence": {}})
    assert edge.requests.sent[0][:2] == ("alice", "probe")


@pytest.mark.parametrize("op", ["access", "ask", "tell", "mkcontext", "mkcomponent", "mkview", "export_model"])
async def test_another_persons_model_is_refused_without_403(edge: Edge, op: str) -> None:
    """A 403 would make the original's client refresh its token and try again."""
    edge.authenticator.known["bob"] = token_of("bob", "probe")
    body = {
        "modelname": "bob",
        "componentid": "c",
        "evidence": {},
        "Identifier": "x",
        "component_list": [],
    }
    response = await edge.post(op, body)
    assert response.status == 200
    error = (await response.json())["error"]
    assert (error["code"], error["field"]) == ("permission_denied", "modelname")
    assert edge.requests.sent == []
    assert edge.requests.asked == []

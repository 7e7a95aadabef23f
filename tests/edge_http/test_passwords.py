"""Simple devices: they send model, name and password in the body, and look at nothing but the status."""

from typing import Any

import pytest

from edge_http.personis.passwords import MAX_UNKNOWN_BODY_BYTES
from schemas.errors import Code, Refusal, Transient
from schemas.queries import Access
from schemas.replies import AccessReply
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import refused

SCALE = {"modelname": "alice", "user": "scale", "password": "secret"}


@pytest.fixture
def known(edge: Edge) -> Edge:
    edge.passwords.passwords["alice", "scale"] = "secret"
    return edge


async def test_a_device_with_its_password_speaks_as_its_app(known: Edge) -> None:
    """About the model that it names."""
    response = await known.post("tell", {**SCALE, "componentid": "c", "evidence": {"value": 1}}, token=None)
    assert (response.status, await response.json()) == (200, {"result": "ok", "val": None})
    assert known.requests.sent[0][:2] == ("alice", "scale")


async def test_it_is_known_where_a_password_comes_from(known: Edge) -> None:
    """Guesses are counted by that."""
    await known.post("access", SCALE, token=None)
    assert known.authenticator.sources == {"127.0.0.1"}


async def test_a_device_may_have_any_name(edge: Edge) -> None:
    """It is the name that it was registered with."""
    edge.passwords.passwords["alice", "x--_4dy"] = "secret"
    response = await edge.post("access", {**SCALE, "user": "My"}, token=None)
    assert response.status == 200
    assert edge.requests.asked == [("alice", "x--_4dy", Access())]


WRONG: list[dict[str, Any]] = [
    {**SCALE, "password": "guess"},
    {**SCALE, "user": "lamp"},
    {**SCALE, "modelname": "bob"},
    {**SCALE, "user": "A" * 100},
]


@pytest.mark.parametrize("body", WRONG)
async def test_whatever_is_wrong_the_answer_is_the_same(known: Edge, body: dict[str, Any]) -> None:
    """401 with one and the same message: nobody learns which models and apps there are."""
    response = await known.post("ask", body, token=None)
    found = await response.json()
    assert response.status == 401
    assert "WWW-Authenticate" in response.headers
    assert found["error"]["code"] == "not_authenticated"
    assert found["error"]["message"] == "model, app or password is wrong"
    assert known.requests.asked == []


NOTHING: list[dict[str, Any]] = [
    {},
    {**SCALE, "password": ""},
    {**SCALE, "password": None},
    {**SCALE, "password": 7},
    {**SCALE, "user": ["scale"]},
    {**SCALE, "modelname": "-"},
    {"user": "scale", "password": "secret"},
]


@pytest.mark.parametrize("body", NOTHING)
async def test_who_names_no_password_needs_a_token(known: Edge, body: dict[str, Any]) -> None:
    """Nothing is verified then."""
    response = await known.post("access", body, token=None)
    assert response.status == 401
    assert (await response.json())["error"]["field"] == "Authorization"
    assert known.authenticator.verified == []


async def test_a_body_that_is_no_json_is_unknown(known: Edge) -> None:
    """What is wrong with it is not told to strangers."""
    assert (await known.post("tell", b"hello", token=None)).status == 401


async def test_a_token_is_not_made_good_by_a_password(known: Edge) -> None:
    """Whoever sends a header is judged by it."""
    assert (await known.post("access", SCALE, token="stranger")).status == 401
    assert known.authenticator.verified == []


async def test_the_password_beside_a_token_is_not_looked_at(known: Edge) -> None:
    """The original's OAuth client sends such members, empty."""
    response = await known.post("access", {"modelname": "-", "user": "scale", "password": "x"})
    assert response.status == 200
    assert known.requests.asked[0][:2] == ("alice", "probe")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (Code.PERMISSION_DENIED, 401),
        (Code.NO_SUCH_COMPONENT, 404),
        (Code.BAD_VALUE, 422),
        (Code.ALREADY_EXISTS, 409),
    ],
)
async def test_a_refused_call_has_a_status_of_its_own(known: Edge, code: Code, status: int) -> None:
    """The device looks at nothing else: a 200 would be a success to it. Denied is 401."""
    known.requests.outcomes = [refused(code)]
    response = await known.post("tell", {**SCALE, "componentid": "c", "evidence": {}}, token=None)
    found = await response.json()
    assert response.status == status
    assert ("WWW-Authenticate" in response.headers) == (status == 401)
    assert (found["result"], found["error"]["code"]) == ("error", code)


async def test_a_denied_ask_is_401(known: Edge) -> None:
    """Queries are refused likewise."""
    known.requests.replies = [Refusal(Code.PERMISSION_DENIED, "no")]
    assert (await known.post("ask", SCALE, token=None)).status == 401


async def test_a_bad_body_of_a_known_device_is_400(known: Edge) -> None:
    """It is told what to mend."""
    response = await known.post("tell", {**SCALE, "componentid": 7}, token=None)
    assert (response.status, (await response.json())["error"]["field"]) == (400, "componentid")


async def test_without_a_version_a_failure_is_false_with_a_status(known: Edge) -> None:
    """The oldest clients read a bare value."""
    body = b'{"modelname": "alice", "user": "scale", "password": "secret", "componentid": 7}'
    response = await known.post("tell", body, token=None)
    assert (response.status, await response.json()) == (400, False)


async def test_too_many_wrong_passwords_are_429(known: Edge) -> None:
    """With the time to wait."""
    known.passwords.failure = Transient(Code.RATE_LIMITED, "too many", None, 5.2)
    response = await known.post("access", SCALE, token=None)
    assert (response.status, response.headers["Retry-After"]) == (429, "6")


async def test_without_the_key_store_the_answer_is_503(known: Edge) -> None:
    """Not knowing is not the same as wrong."""
    known.passwords.failure = Transient(Code.UNAVAILABLE, "the bus is away")
    assert (await known.post("access", SCALE, token=None)).status == 503


async def test_a_stranger_cannot_make_the_edge_read_much(known: Edge) -> None:
    """A larger body needs a token."""
    body = b" " * (MAX_UNKNOWN_BODY_BYTES + 1)
    assert (await known.post("tell", body, token=None)).status == 413
    assert (await known.post("tell", body)).status == 200


async def test_a_device_stays_with_its_model(known: Edge) -> None:
    """The access is to the model that the password is for."""
    known.requests.replies = [AccessReply(seq=1, role="app", registration=1)]
    response = await known.post("access", SCALE, token=None)
    assert (await response.json())["val"] is True
    assert known.requests.asked[0][:2] == ("alice", "scale")

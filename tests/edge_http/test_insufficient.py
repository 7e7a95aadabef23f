"""What an app with a token of OAuth 2 is told when it may not: which right is missing, and how to get it."""

from typing import Any

import msgspec
import pytest

from edge_http.http.insufficient import MAX_SCOPE_CHARACTERS, insufficient_scope, scope_of
from identity.principal import Principal
from schemas.errors import Code, Error, Refusal
from schemas.missing import right
from schemas.replies import AskReply, ComponentFailure, Refused
from schemas.slices import Slice

from .conftest import Edge
from .fakes import answer, token_of

METADATA = 'resource_metadata="http://llum.example/.well-known/oauth-protected-resource"'
DENIED = Error(
    Code.PERMISSION_DENIED, "probe may not ask here", "context", "the owner can", missing=right("ask", ("P",))
)
SHOWN = {"type": "llum_model", "paths": ["P"], "actions": ["ask"]}
ASK: dict[str, Any] = {"context": ["P"], "view": None, "resolver": None}


def raised(error: Error) -> Refusal:
    refusal = Refusal(error.code, error.message)
    refusal.error = error
    return refusal


@pytest.fixture
def oauth(edge: Edge) -> Edge:
    """An edge that knows the token `good` as one of OAuth 2."""
    known = edge.authenticator.known["good"]
    assert isinstance(known, Principal)
    edge.authenticator.known["good"] = msgspec.structs.replace(known, oauth=True)
    return edge


async def test_18_a_401_says_where_the_metadata_are(edge: Edge) -> None:
    """Whatever is wrong with the token, and if there is none."""
    for token, error in ((None, ""), ("stranger", 'error="invalid_token", '), ("a b", 'error="invalid_request", ')):
        response = await edge.post("ask", ASK, token=token)
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == f'Bearer realm="http://llum.example", {error}{METADATA}'
    metadata = await edge.http.get("/.well-known/oauth-protected-resource")
    assert (await metadata.json())["authorization_servers"] == ["http://llum.example"]


async def test_18_too_little_scope_is_a_403_that_names_it(oauth: Edge) -> None:
    """In the challenge as a scope, in the body as a slice: what the app asked for, and not an empty answer."""
    oauth.requests.replies.append(raised(DENIED))
    response = await oauth.post("ask", ASK)
    assert response.status == 403
    expected = f'Bearer error="insufficient_scope", scope="ask:P", {METADATA}'
    assert response.headers["WWW-Authenticate"] == expected
    body = await response.json()
    assert (body["error"]["code"], body["error"]["missing"]) == ("permission_denied", SHOWN)


async def test_18_so_is_a_tell_beyond_the_grant(oauth: Edge) -> None:
    """A refusal that comes as an outcome is the same."""
    missing = right("tell", ("P",), "c")
    oauth.requests.outcomes.append(Refused(id="x", seq=1, error=msgspec.structs.replace(DENIED, missing=missing)))
    response = await oauth.post("tell", {"context": ["P"], "componentid": "c", "evidence": {"value": 1}})
    assert response.status == 403
    assert 'scope="tell:P"' in response.headers["WWW-Authenticate"]
    assert (await response.json())["error"]["missing"]["components"] == ["P/c"]


async def test_18_a_client_that_sends_no_version_is_told_as_well(oauth: Edge) -> None:
    """The original's bare `false` would say nothing."""
    oauth.requests.replies.append(raised(DENIED))
    response = await oauth.post("ask", msgspec.json.encode(ASK))
    assert response.status == 403
    assert (await response.json())["error"]["missing"] == SHOWN


async def test_18_an_ask_of_which_nothing_may_be_answered_is_refused(oauth: Edge) -> None:
    """One that is answered in part names what is missing of each failure, with status 200."""
    failure = ComponentFailure(path=["P", "c"], error=DENIED)
    oauth.requests.replies += [AskReply(seq=1, failures=[failure]), AskReply(seq=1, failures=[failure])]
    listed = {**ASK, "view": ["c"]}
    assert (await oauth.post("ask", listed)).status == 403
    oauth.requests.replies = [AskReply(seq=1, components=[answer("P", "d", value=1)], failures=[failure])]
    response = await oauth.post("ask", {**ASK, "view": ["c", "d"]})
    body = await response.json()
    assert (response.status, body["result"]) == (200, "ok")
    assert body["failures"][0]["error"]["missing"] == SHOWN


async def test_18_what_no_grant_allows_is_a_403_without_a_scope(oauth: Edge) -> None:
    """Such as another person's model, and what only an owner's app may."""
    oauth.authenticator.known["bob"] = token_of("bob", "probe")
    other = await oauth.post("ask", {**ASK, "modelname": "bob"})
    oauth.requests.replies.append(raised(msgspec.structs.replace(DENIED, missing=None)))
    owners = await oauth.post("listapps")
    for response in (other, owners):
        assert response.status == 403
        assert response.headers["WWW-Authenticate"] == f'Bearer error="insufficient_scope", {METADATA}'


async def test_other_errors_are_told_as_ever(oauth: Edge) -> None:
    """They are not about rights."""
    oauth.requests.replies.append(Refusal(Code.NO_SUCH_CONTEXT, "there is no such context"))
    response = await oauth.post("ask", ASK)
    assert (response.status, (await response.json())["error"]["code"]) == (200, "no_such_context")


async def test_the_originals_clients_get_the_answer_that_they_know(edge: Edge) -> None:
    """A token of an operator, or of an old client: 200, and the slice stands in the error for who reads it."""
    edge.requests.replies.append(raised(DENIED))
    response = await edge.post("ask", ASK)
    body = await response.json()
    assert (response.status, body["result"], body["error"]["missing"]) == (200, "error", SHOWN)
    assert "WWW-Authenticate" not in response.headers


def test_a_scope_names_the_context_around_a_component() -> None:
    """Once for each, with what a scope may not hold percent-encoded; the root is a slash."""
    missing = Slice(paths=["My house"], components=["Sport/a", "Sport/b", "top"], actions=["ask", "rules"])
    assert scope_of(missing) == "ask:My%20house rules:My%20house ask:Sport rules:Sport ask:/ rules:/"
    assert scope_of(right("ask", ('a"b', "c%/d", "é"))) == "ask:a%22b/c%25~1d/%C3%A9"


def test_a_scope_too_long_for_a_header_is_left_out() -> None:
    """The body has the slice in any case."""
    many = Slice(paths=["x" * 200 + str(n) for n in range(20)], actions=["ask"])
    assert len(scope_of(many)) > MAX_SCOPE_CHARACTERS
    assert "scope=" not in insufficient_scope(msgspec.structs.replace(DENIED, missing=many), "http://llum.example/m")


def test_no_name_breaks_out_of_the_header() -> None:
    """Whatever was asked for."""
    missing = right("ask", ('x", error="none',))
    challenge = insufficient_scope(msgspec.structs.replace(DENIED, missing=missing), "http://llum.example/m")
    assert challenge.count('"') == 6
